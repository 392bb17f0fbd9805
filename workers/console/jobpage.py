"""What the page of one job knows besides its row: each attempt, who did what to it, and what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from workers.console.actors import named_holds, names_of
from workers.console.figures import missing
from workers.console.live import WorkerRow
from workers.console.reading import Job
from workers.console.sql import one
from workers.console.states import State
from workers.console.why import Facts, explain
from workers.models import Attempt, JobAction, Outcome, QueueSetting
from workers.queuesettings import Hold

# Nobody reads further back, and a job that is retried by hand for ever must not make its page slow.
_SHOWN = 100
_COUNTED_AHEAD = 1_000
_OUTCOMES = {
    "": ("play", "running"),
    Outcome.SUCCEEDED: ("check", "succeeded"),
    Outcome.RETRYING: ("arrow-path", "failed, tried again"),
    Outcome.WAITING: ("clock", "could not go on: does not count"),
    Outcome.DEAD: ("x-circle", "failed for good"),
    Outcome.LOST: ("exclamation-triangle", "lost: the worker ended"),
    Outcome.HANDED_BACK: ("arrow-uturn-left", "handed back: the worker was stopped"),
    Outcome.STOPPED: ("stop", "stopped"),
    Outcome.SUPERSEDED: ("archive-box", "superseded"),
}
_ACTS = {"retried": "arrow-path", "discarded": "archive-box", "superseded": "archive-box"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One point of a job's timeline: an attempt, or what somebody did."""

    at: datetime
    icon: str
    words: str
    attempt: Attempt | None = None
    actor: str = ""
    reason: str = ""

    @property
    def seconds(self) -> float | None:
        if self.attempt is None or self.attempt.ended_at is None:
            return None
        return (self.attempt.ended_at - self.attempt.started_at).total_seconds()


def history_of(job_id: int) -> list[Entry]:
    """Attempts and actions, newest first."""
    attempts = Attempt.objects.filter(job_id=job_id).order_by("-number")[:_SHOWN]
    entries = [Entry(one.started_at, *_OUTCOMES.get(one.outcome, ("stop", one.outcome)), one) for one in attempts]
    acts = list(JobAction.objects.filter(job_id=job_id).order_by("-id")[:_SHOWN])
    for act, by in zip(acts, names_of(act.actor for act in acts), strict=True):
        icon = _ACTS.get(act.action, "user")
        entries.append(Entry(act.at, icon, act.action, actor=by, reason=act.reason))
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def comes_next(job: Job, workers: Sequence[WorkerRow]) -> list[str]:
    """Why it is not running, or what comes next."""
    serving = [worker for worker in workers if worker.serves(job.queue)]
    ahead = _ahead(job) if job.state is State.READY else 0
    return explain(
        Facts(
            state=job.state,
            queue=job.queue,
            runs=job.runs,
            budget=job.budget,
            due_at=job.due_at,
            holder=job.holder,
            ahead=min(ahead, _COUNTED_AHEAD),
            ahead_more=ahead > _COUNTED_AHEAD,
            serving=len(serving),
            slots=sum(worker.concurrency for worker in serving),
            busy=sum(len(worker.jobs) for worker in serving),
            held=_held(named_holds().get(job.queue)),
            limit=QueueSetting.objects.filter(queue=job.queue).values_list("concurrency", flat=True).first(),
            in_flight=_in_flight(job.queue),
            missing=missing(workers, job.queue),
            reason=job.reason,
            ended_by=names_of([job.last_actor])[0] if job.last_actor else "",
            waits=job.waiting_words,
        )
    )


def _held(hold: Hold | None) -> str:
    if hold is None:
        return ""
    end = (
        f"It goes on at {hold.until:%H:%M} UTC on {hold.until:%Y-%m-%d}"
        if hold.until
        else "It goes on when resumed"
    )
    if hold.by == "pause":
        return f"The queue is paused by {hold.actor}{f' ({hold.reason})' if hold.reason else ''}. {end}."
    return f"The queue has its quiet hours. {end}."


def _in_flight(queue: str) -> int:
    query = "SELECT count(*) AS count FROM procrastinate_jobs WHERE status = 'doing' AND queue_name = %(queue)s"
    return int(one(query, {"queue": queue})["count"])


def _ahead(job: Job) -> int:
    query = """
    SELECT count(*) AS ahead FROM (
        SELECT 1 FROM procrastinate_jobs
         WHERE status = 'todo' AND queue_name = %(queue)s AND (scheduled_at IS NULL OR scheduled_at <= now())
           AND (priority > %(priority)s OR (priority = %(priority)s AND id < %(id)s)) LIMIT %(limit)s) AS x
    """
    asked = {"queue": job.queue, "priority": job.priority, "id": job.id, "limit": _COUNTED_AHEAD + 1}
    return int(one(query, asked)["ahead"])
