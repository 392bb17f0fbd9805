"""The workers' own tables: each attempt at a job, who the workers are, and what people did to jobs.

They hold no foreign key to Procrastinate's tables: a trigger writes attempts while a worker fetches a job,
and a constraint that fails there would stop every worker.
"""

from django.db import models
from django.db.models import Q


class Outcome(models.TextChoices):
    """How an attempt ended; empty while it runs."""

    SUCCEEDED = "succeeded"
    RETRYING = "retrying"  # failed, and the job runs again by itself
    WAITING = "waiting"  # the same for want of room on the disk or the like: it does not count
    DEAD = "dead"  # failed, and only a person makes the job run again
    LOST = "lost"  # the program that worked on it ended in the middle
    HANDED_BACK = "handed back"  # the worker stopped in good order and put the job back
    STOPPED = "stopped"  # somebody asked for it
    SUPERSEDED = "superseded"  # the same work was queued again meanwhile


class Attempt(models.Model):
    """One run of one job, opened and closed by a trigger in the transaction that changes the job's state."""

    id = models.BigAutoField(primary_key=True)
    job_id = models.BigIntegerField()
    number = models.IntegerField()  # 1 for the first; goes on over retries by hand
    task = models.TextField()
    queue = models.TextField()
    worker_id = models.BigIntegerField(null=True)
    worker = models.TextField(db_default="")
    host = models.TextField(db_default="")
    pid = models.IntegerField(null=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.TextField(db_default="", choices=Outcome.choices)
    next_run_at = models.DateTimeField(null=True)
    error_kind = models.TextField(db_default="")
    error_code = models.TextField(db_default="")
    reason = models.TextField(db_default="")  # plain words for the owner of the photo
    error_class = models.TextField(db_default="")
    message = models.TextField(db_default="")
    traceback = models.TextField(db_default="")
    fingerprint = models.TextField(db_default="")
    late = models.TextField(db_default="")  # the result of a run whose job had been given to somebody else
    resolved = models.BooleanField(db_default=False)  # from before the last retry or discard by a person

    class Meta:
        db_table = "job_attempt"
        indexes = [
            # Not unique, on purpose: a trigger must never raise.
            models.Index(fields=["job_id", "number"], name="job_attempt_job"),
            models.Index(fields=["ended_at"], name="job_attempt_ended", condition=Q(ended_at__isnull=False)),
            models.Index(
                fields=["task", "fingerprint", "job_id"],
                name="job_attempt_dead",
                # What the groups of dead letters need, without a look at the rows.
                include=["id", "ended_at", "outcome", "resolved"],
                condition=Q(outcome=Outcome.DEAD, resolved=False),
            ),
        ]


class WorkerInfo(models.Model):
    """Who a worker is: one row a lane of each worker process, kept for some days after its end."""

    worker_id = models.BigIntegerField(primary_key=True)
    name = models.TextField()  # the lane
    host = models.TextField()
    pid = models.IntegerField()
    version = models.TextField()  # Filmroll's
    queue_version = models.TextField(db_default="")  # Procrastinate's
    queues = models.JSONField()  # names, in a list
    concurrency = models.IntegerField()
    waiting = models.JSONField(default=dict)  # queue -> why it is not served
    memory = models.BigIntegerField(null=True)  # bytes, of the process and its children, at the last heartbeat
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "worker_info"


class JobAction(models.Model):
    """What a person (or the sweep) did to a job, written in the transaction that did it."""

    id = models.BigAutoField(primary_key=True)
    job_id = models.BigIntegerField()
    action = models.TextField()  # "retried", "discarded", "superseded"
    subject = models.TextField(db_default="")  # the queue or operation, for what is done to no single job (id 0)
    actor = models.TextField()  # "account:<id>", as in the log of events; "system"; once, a name
    reason = models.TextField(db_default="")
    at = models.DateTimeField()

    class Meta:
        db_table = "job_action"
        indexes = [models.Index(fields=["job_id", "id"], name="job_action_job")]


class QueueSetting(models.Model):
    """What an operator has set on a queue; a queue without a row runs as it always did."""

    queue = models.TextField(primary_key=True)
    paused_at = models.DateTimeField(null=True)
    paused_by = models.TextField(db_default="")
    paused_reason = models.TextField(db_default="")
    paused_until = models.DateTimeField(null=True)  # none: until somebody resumes it
    concurrency = models.IntegerField(null=True)  # running at once, over all workers
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    zone = models.TextField(db_default="UTC")
    newest_first = models.BooleanField(db_default=False)

    class Meta:
        db_table = "job_queue_setting"


class Operation(models.Model):
    """An act on many jobs that a worker carries out."""

    id = models.BigAutoField(primary_key=True)
    act = models.TextField()  # one of workers.operationacts
    actor = models.TextField()
    scope = models.TextField()  # which jobs, in words
    reason = models.TextField(db_default="")
    rate = models.IntegerField()  # jobs a second
    canary = models.IntegerField()  # so many first, and no more if they fail
    # "collecting" (its scope is being frozen), "running", "done", "cancelled", "stopped" (by the canary)
    state = models.TextField(db_default="running")
    note = models.TextField(db_default="")
    wanted = models.TextField(db_default="")  # the search whose jobs it is about, while it is collecting
    up_to = models.BigIntegerField(null=True)  # and the newest job that there was when it was asked for
    total = models.IntegerField()
    done = models.IntegerField(db_default=0)
    skipped = models.IntegerField(db_default=0)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "job_operation"

    @property
    def gone_through(self) -> int:
        return self.done + self.skipped


class OperationItem(models.Model):
    """One thing of an operation's frozen scope, a job as a rule, and what came of it."""

    id = models.BigAutoField(primary_key=True)
    operation_id = models.BigIntegerField()
    position = models.IntegerField()  # from 1
    job_id = models.BigIntegerField()  # 0 where no job is known
    key = models.TextField(db_default="")  # what it is by its id, where it is no job
    subject = models.TextField(db_default="")  # and in words
    outcome = models.TextField(db_default="")  # "done" or "skipped"; empty before its turn
    reason = models.TextField(db_default="")

    class Meta:
        db_table = "job_operation_item"
        indexes = [models.Index(fields=["operation_id", "position"], name="job_operation_item_place")]


class JobFlow(models.Model):
    """How many runs of a task ended within a minute or an hour, and how long they took together."""

    id = models.BigAutoField(primary_key=True)
    span = models.TextField()  # "minute" or "hour"
    at = models.DateTimeField()  # its beginning
    task = models.TextField()
    done = models.IntegerField()
    failed = models.IntegerField()  # those that are tried again and the dead
    dead = models.IntegerField()
    seconds = models.FloatField()

    class Meta:
        db_table = "job_flow"
        constraints = [models.UniqueConstraint(fields=["span", "at", "task"], name="job_flow_once")]


class JobCount(models.Model):
    """How many jobs of a queue were in a state at the last roll-up; what is not listed had none."""

    id = models.BigAutoField(primary_key=True)
    queue = models.TextField()
    state = models.TextField()  # "ready", "retrying", "scheduled", "dead"
    number = models.IntegerField()
    at = models.DateTimeField()

    class Meta:
        db_table = "job_count"


class Schedule(models.Model):
    """When something that runs periodically ran and runs next; what it is stands in `workers.schedules`."""

    name = models.TextField(primary_key=True)
    last_at = models.DateTimeField(null=True)
    last_job = models.BigIntegerField(null=True)  # that did it
    next_at = models.DateTimeField(null=True)
    next_job = models.BigIntegerField(null=True)  # that waits for the time
    paused_at = models.DateTimeField(null=True)
    paused_by = models.TextField(db_default="")

    class Meta:
        db_table = "job_schedule"


class JobSetting(models.Model):
    """What an operator has set for all queues together; `workers.jobsettings` has names and defaults."""

    name = models.TextField(primary_key=True)
    value = models.JSONField()

    class Meta:
        db_table = "job_setting"
