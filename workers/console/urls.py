"""Addresses of the job console, under /jobs/."""

from django.urls import path

from workers.console import audit, bulk, doing, followers, health, listpage, pages, queues, schedulespage
from workers.console.stream import jobs_stream

urlpatterns = [
    path("", pages.overview_page, name="jobs"),
    path("list/", pages.list_page, name="jobs-list"),
    path("list/export.csv", listpage.export, {"kind": "csv"}, name="jobs-csv"),
    path("list/export.ndjson", listpage.export, {"kind": "ndjson"}, name="jobs-ndjson"),
    path("dead/", pages.dead_page, name="jobs-dead"),
    path("tasks/", pages.tasks_page, name="jobs-tasks"),
    path("workers/", pages.workers_page, name="jobs-workers"),
    path("queues/", queues.queues_page, name="jobs-queues"),
    path("operations/", bulk.operations_page, name="jobs-operations"),
    path("operations/<int:operation_id>/cancel/", bulk.cancel, name="jobs-operation-cancel"),
    path("operations/<int:operation_id>/", bulk.operation_page, name="jobs-operation"),
    path("bulk/", bulk.bulk_page, name="jobs-bulk"),
    path("bulk/start/", bulk.start, name="jobs-bulk-start"),
    path("audit/", audit.audit_page, name="jobs-audit"),
    path("schedules/", schedulespage.schedules_page, name="jobs-schedules"),
    path("schedules/set/", schedulespage.set_schedule, name="jobs-schedule-set"),
    path("settings/set/", schedulespage.set_setting, name="jobs-setting-set"),
    path("queues/set/", queues.set_queue, name="jobs-queue-set"),
    path("<int:job_id>/", pages.job_page, name="job"),
    path("photo/<uuid:photo_id>/", pages.photo_page, name="jobs-of-photo"),
    path("retry/", doing.retry, name="jobs-retry"),
    path("discard/", doing.discard, name="jobs-discard"),
    path("cancel/", doing.cancel, name="jobs-cancel"),
    path("reschedule/", doing.reschedule, name="jobs-reschedule"),
    path("<int:job_id>/edit/", doing.edit, name="jobs-edit"),
    path("stop/", doing.stop, name="jobs-stop"),
    path("dead/retry/", doing.retry_group, name="jobs-retry-group"),
    path("dead/discard/", doing.discard_group, name="jobs-discard-group"),
    path("followers/resume/", followers.resume_one, name="jobs-resume"),
    path("followers/resume-stream/", followers.resume_parked, name="jobs-resume-stream"),
    path("followers", followers.followers, name="jobs-followers"),
    path("stream", jobs_stream, name="jobs-stream"),
    path("health", health.health, name="jobs-health"),
    path("metrics", health.metrics, name="jobs-metrics"),
]
