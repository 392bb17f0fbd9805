"""Jobs as the pages show them: the row, its newest attempt, its state in one word, the photo's name."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from procrastinate.contrib.django import app

from core.readmodels.photos import Photo
from core.web.words import counted
from workers.console.actors import named_holds
from workers.console.figures import missing
from workers.console.live import WorkerRow
from workers.console.sql import rows
from workers.console.states import ICONS, WAITING, Signs, State, state_of
from workers.errors import WAITS_FOR
from workers.models import Outcome
from workers.retries import RetryPolicy

TASK_WORDS = {
    "scan_library": "Look through a folder",
    "import_file": "Read a file",
    "render_previews": "Make previews",
    "analyse_photo": "Look at a photo",
    "analyse_library": "Look again at a library",
    "detect_objects": "Look for things",
    "attach_sidecars": "Attach sidecars",
    "forget_sidecar": "Forget a sidecar",
    "clear_forgotten": "Remove what a photo left",
    "clear_portraits": "Remove a person's portraits",
    "write_sidecar": "Write a sidecar",
    "find_places": "Find its place",
    "find_stack": "Find its stack",
    "find_looks": "Look for its colours",
    "describe_text": "Describe what is looked for",
    "group_faces": "Find out whose faces these are",
    "settle_people": "Find out whom people resemble",
    "regroup_people": "Group all faces anew",
    "remake_library": "Look for what is older in a library",
    "remake_photo": "Make again what is older",
    "rebuild_read_models": "Rebuild what pages know",
    "sweep_uploads": "Clear away uploads that broke off",
    "run_operation": "Act on many jobs",
    "collect_operation": "Collect the jobs of an act",
    "purge_jobs": "Clear away finished jobs",
    "clear_previews": "Clear away older previews",
    "clear_sessions": "Forget sign-ins that ran out",
    "rescan_libraries": "Look through every library",
    "fire_schedule": "Wait for a schedule's time",
}


@dataclass(frozen=True, slots=True)
class Job:
    """One row of a list of jobs."""

    id: int
    task: str
    queue: str
    state: State
    priority: int
    runs: int  # those that count
    waits: int  # those that do not
    budget: int | None
    due_at: datetime | None
    args: dict[str, Any]
    photo: str
    subject: str
    run: int | None
    started_at: datetime | None
    ended_at: datetime | None
    reason: str
    outcome: str
    error_code: str
    error_class: str
    message: str
    worker: str
    host: str
    holder: int | None
    last_action: str
    last_actor: str
    held: str  # why its queue starts nothing now

    @property
    def icon(self) -> str:
        return ICONS[self.state]

    @property
    def title(self) -> str:
        return TASK_WORDS.get(self.task, self.task)

    @property
    def can_retry(self) -> bool:
        ended = {State.DEAD, State.RESOLVED, State.CANCELLED, State.STOPPED}
        return self.state in ended | {State.RETRYING, State.SCHEDULED}

    @property
    def can_cancel(self) -> bool:
        return self.state in {State.READY, State.RETRYING, State.SCHEDULED, State.BLOCKED}

    @property
    def can_stop(self) -> bool:
        return self.state is State.RUNNING

    @property
    def can_discard(self) -> bool:
        return self.state in {State.DEAD, State.READY, State.RETRYING, State.SCHEDULED, State.BLOCKED}

    @property
    def waits_for(self) -> str:
        """In words, what keeps it from going on; "" when nothing does but its turn or its time."""
        waits = self.outcome == Outcome.WAITING and self.state in WAITING
        return WAITS_FOR.get(self.error_code, "what it needs") if waits else ""

    @property
    def waiting_words(self) -> str:
        """The same as a sentence without its stop."""
        if not self.waits_for:
            return ""
        do = "does" if self.waits == 1 else "do"
        return f"waits for {self.waits_for}; {counted(self.waits, 'run')} {do} not count"

    @property
    def seconds(self) -> float | None:
        """How long the newest attempt took, or takes so far."""
        if self.started_at is None:
            return None
        return ((self.ended_at or timezone.now()) - self.started_at).total_seconds()

    @property
    def moment(self) -> datetime | None:
        """The time that matters most in this state."""
        match self.state:
            case State.SCHEDULED | State.RETRYING:
                return self.due_at
            case State.RUNNING | State.STUCK:
                return self.started_at
            case _:
                return self.ended_at

    @property
    def arguments(self) -> str:
        return json.dumps(self.args, indent=2, ensure_ascii=False)


_JOBS = """
SELECT j.id, j.task_name AS task, j.queue_name AS queue, j.status::text AS status, j.priority,
       GREATEST(j.attempts - waited.runs, 0) AS runs, waited.runs AS waits,
       j.scheduled_at AS due_at, j.args::text AS args, j.worker_id,
       a.number AS run, a.started_at, a.ended_at, COALESCE(a.reason, '') AS reason,
       COALESCE(a.outcome, '') AS outcome, COALESCE(a.error_code, '') AS error_code,
       COALESCE(a.error_class, '') AS error_class, COALESCE(a.message, '') AS message,
       COALESCE(a.worker, '') AS worker, COALESCE(a.host, '') AS host,
       CASE WHEN j.lock IS NOT NULL AND j.status = 'todo' THEN (
            SELECT o.id FROM procrastinate_jobs AS o WHERE o.lock = j.lock AND o.status = 'doing') END AS holder,
       COALESCE(did.action, '') AS last_action, COALESCE(did.actor, '') AS last_actor
  FROM procrastinate_jobs AS j
  LEFT JOIN LATERAL (
       SELECT * FROM job_attempt AS b WHERE b.job_id = j.id ORDER BY b.number DESC LIMIT 1) AS a ON true
  CROSS JOIN LATERAL (
       SELECT CASE WHEN j.attempts > 0 THEN filmroll_waits(j.id) ELSE 0 END AS runs) AS waited
  LEFT JOIN LATERAL (
       SELECT action, actor FROM job_action AS c WHERE c.job_id = j.id ORDER BY c.id DESC LIMIT 1) AS did ON true
 WHERE j.id = ANY(%(ids)s)
"""


def jobs_by_id(ids: Sequence[int], staff: Sequence[WorkerRow]) -> list[Job]:
    """These jobs, in this order; those that are gone are left out."""
    if not ids:
        return []
    alive = {worker.id for worker in staff if worker.lives}
    found = {row["id"]: row for row in rows(_JOBS, {"ids": list(ids)})}
    known = [found[job_id] for job_id in ids if job_id in found]
    for row in known:
        row["args"] = json.loads(row["args"])
    names = _photo_names(str(row["args"].get("photo") or "") for row in known)
    now, held = timezone.now(), _held(known, staff)
    for row in known:
        row["held"] = held[row["queue"]] if row["status"] == "todo" else ""
    return [_job(row, alive, names, now) for row in known]


def jobs_of_photo(photo_id: UUID | str, limit: int = 50) -> list[int]:
    """The ids of a photo's jobs, newest first."""
    query = "SELECT id FROM procrastinate_jobs WHERE args ->> 'photo' = %(photo)s ORDER BY id DESC LIMIT %(limit)s"
    return [row["id"] for row in rows(query, {"photo": str(photo_id), "limit": limit})]


def budget_of(task: str) -> int | None:
    """How many runs a job of this task has, where this program knows the task."""
    known = app.tasks.get(task)
    policy = known.retry_strategy if known else None
    return policy.budget if isinstance(policy, RetryPolicy) else None


def _job(row: dict[str, Any], alive: set[int], names: dict[str, str], now: datetime) -> Job:
    signs = Signs(
        status=row.pop("status"),
        due_at=row["due_at"],
        runs=row["runs"] + row["waits"],
        is_locked=row["holder"] is not None,
        worker_lives=row.pop("worker_id") in alive,
        last_action=row["last_action"],
    )
    photo = str(row["args"].get("photo") or "")
    subject = names.get(photo) or _file_name(row["args"])
    return Job(**row, state=state_of(signs, now), photo=photo, subject=subject, budget=budget_of(row["task"]))


def _held(known: Iterable[dict[str, Any]], staff: Sequence[WorkerRow]) -> dict[str, str]:
    """What holds the queues of those that wait, if anything does."""
    queues = {row["queue"] for row in known if row["status"] == "todo"}
    holds = named_holds() if queues else {}
    return {queue: holds[queue].words if queue in holds else missing(staff, queue) for queue in queues}


def _file_name(args: dict[str, Any]) -> str:
    return str(args.get("path") or "").rpartition("/")[2]


def _photo_names(photos: Iterable[str]) -> dict[str, str]:
    ids = {photo for photo in photos if is_uuid(photo)}
    found = Photo.objects.filter(id__in=ids).values_list("id", "name") if ids else []
    return {str(photo): name for photo, name in found}


def is_uuid(text: str) -> bool:
    """Whether a text is the id of something."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
