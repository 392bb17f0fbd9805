"""What a person may do to jobs: retry, discard, cancel, reschedule, stop. The project's own SQL, for
Procrastinate's retry gives a dead job one single run, and fails on a job that somebody had asked to stop.

Each action takes ids, changes what can be changed in one transaction together with the note of who did it,
wakes the workers, and says for each id what came of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from events.pulse import pulse

PULSE_CHANNEL = "filmroll_jobs"
STOP_CHANNEL = "filmroll_stop"
# A person who presses Retry is waiting: ahead of any backlog.
BY_HAND = 50


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an action on one job; `reason` says why nothing was done."""

    job_id: int
    done: bool
    reason: str = ""


# A job that waits for its next run is run now; the runs that it has used up still count.
_RETRY = """
UPDATE procrastinate_jobs AS j
   SET status = 'todo', scheduled_at = NULL, abort_requested = false,
       attempts = CASE WHEN j.status = 'todo' THEN j.attempts ELSE 0 END,
       priority = CASE WHEN j.priority < %(by_hand)s THEN j.priority + %(by_hand)s ELSE j.priority END
 WHERE j.id = ANY(%(ids)s)
   AND (j.status IN ('failed', 'cancelled', 'aborted') OR (j.status = 'todo' AND j.scheduled_at > now()))
   AND (j.status = 'todo' OR j.queueing_lock IS NULL OR NOT EXISTS (
        SELECT 1 FROM procrastinate_jobs AS o WHERE o.queueing_lock = j.queueing_lock AND o.status = 'todo'))
RETURNING j.id
"""
_DISCARD = """
UPDATE procrastinate_jobs SET status = 'cancelled', abort_requested = false
 WHERE id = ANY(%(ids)s) AND status IN ('failed', 'todo') RETURNING id
"""
_CANCEL = """
UPDATE procrastinate_jobs SET status = 'cancelled', abort_requested = false
 WHERE id = ANY(%(ids)s) AND status = 'todo' RETURNING id
"""
_RESCHEDULE = """
UPDATE procrastinate_jobs SET scheduled_at = %(at)s WHERE id = ANY(%(ids)s) AND status = 'todo' RETURNING id
"""
_STOP = """
UPDATE procrastinate_jobs SET abort_requested = true
 WHERE id = ANY(%(ids)s) AND status = 'doing' AND NOT abort_requested RETURNING id
"""
# A statement for each key: what lies behind `args ->>` must be a constant for the indexes to be of use.
_SUPERSEDE = {
    "photo": """
UPDATE procrastinate_jobs SET status = 'cancelled', abort_requested = false
 WHERE args ->> 'photo' = ANY(%(values)s) AND task_name = ANY(%(tasks)s) AND status = 'failed' RETURNING id
""",
    "file": """
UPDATE procrastinate_jobs SET status = 'cancelled', abort_requested = false
 WHERE args ->> 'file' = ANY(%(values)s) AND task_name = ANY(%(tasks)s) AND status = 'failed' RETURNING id
""",
}
_WITHDRAW = """
UPDATE procrastinate_jobs SET status = 'cancelled', abort_requested = false
 WHERE args ->> 'photo' = ANY(%(photos)s) AND task_name = ANY(%(tasks)s) AND status = 'todo' RETURNING id
"""
_STATES = "SELECT id, status::text FROM procrastinate_jobs WHERE id = ANY(%(ids)s)"
_NOTE = """
INSERT INTO job_action (job_id, action, actor, reason, at)
SELECT id, %(action)s, %(actor)s, %(reason)s, now() FROM unnest(%(ids)s::bigint[]) AS id
"""
# Once for each queue.
_WAKE = """
SELECT filmroll_wake_workers(job) FROM (
    SELECT min(id) AS job FROM procrastinate_jobs WHERE id = ANY (%(ids)s) GROUP BY queue_name
) AS one
"""
_WHY_NOT_RETRIED = {
    "todo": "it is in the queue already",
    "doing": "it is running now",
    "succeeded": "it has succeeded",
    "failed": "the same work is in the queue already",
    "cancelled": "the same work is in the queue already",
    "aborted": "the same work is in the queue already",
}
_WHY_NOT_DISCARDED = {
    "doing": "it is running now",
    "succeeded": "it has succeeded",
    "cancelled": "it was discarded before",
    "aborted": "it was stopped before",
}

_WHY_NOT_WAITING = {
    "doing": "it is running now",
    "succeeded": "it has succeeded",
    "failed": "it is dead",
    "cancelled": "it was taken out before",
    "aborted": "it was stopped before",
}
_WHY_NOT_STOPPED = {**_WHY_NOT_WAITING, "todo": "it is not running", "doing": "it is being stopped already"}


def retry_jobs(ids: Sequence[int], actor: str) -> list[Result]:
    """Run dead jobs again with a full budget of runs, and waiting ones now."""
    with transaction.atomic():
        done = _change(_RETRY, {"ids": list(ids), "by_hand": BY_HAND})
        note_acts(done, "retried", actor, "")
        wake_for(sorted(done))
        return _results(ids, done, _WHY_NOT_RETRIED)


def discard_jobs(ids: Sequence[int], actor: str, reason: str = "") -> list[Result]:
    """Take dead and waiting jobs out for good; they stay listed, with who did it and why."""
    with transaction.atomic():
        done = _change(_DISCARD, {"ids": list(ids)})
        note_acts(done, "discarded", actor, reason)
        return _results(ids, done, _WHY_NOT_DISCARDED)


def cancel_jobs(ids: Sequence[int], actor: str, reason: str = "") -> list[Result]:
    """Take waiting jobs out of the queue."""
    with transaction.atomic():
        done = _change(_CANCEL, {"ids": list(ids)})
        note_acts(done, "cancelled", actor, reason)
        return _results(ids, done, _WHY_NOT_WAITING)


def reschedule_jobs(ids: Sequence[int], actor: str, at: datetime) -> list[Result]:
    """Have waiting jobs run at another time; the workers' timers follow."""
    with transaction.atomic():
        done = _change(_RESCHEDULE, {"ids": list(ids), "at": at})
        note_acts(done, "rescheduled", actor, f"to {at:%Y-%m-%d %H:%M:%S %Z}")
        wake_for(sorted(done))
        return _results(ids, done, _WHY_NOT_WAITING)


def stop_jobs(ids: Sequence[int], actor: str, reason: str = "") -> list[Result]:
    """Ask for running jobs to be stopped. Their worker ends them within a moment, child process and all."""
    with transaction.atomic():
        done = _change(_STOP, {"ids": list(ids)})
        note_acts(done, "stopped", actor, reason)
        if done:
            _run("SELECT pg_notify(%(channel)s, '')", {"channel": STOP_CHANNEL})
        return _results(ids, done, _WHY_NOT_STOPPED)


def supersede_dead(
    tasks: Sequence[str], key: str, values: Sequence[str], reason: str, actor: str = "system"
) -> list[int]:
    """Resolve the dead jobs of some tasks for these photos or files (`key`), whose cause is gone; their ids."""
    with transaction.atomic(savepoint=False):
        done = _change(_SUPERSEDE[key], {"tasks": list(tasks), "values": list(values)})
        note_acts(done, "superseded", actor, reason)
        return sorted(done)


def withdraw_waiting(tasks: Sequence[str], photos: Sequence[str], reason: str) -> list[int]:
    """Take the waiting jobs of some tasks out of the queue for these photos: they can do nothing."""
    with transaction.atomic(savepoint=False):
        done = _change(_WITHDRAW, {"tasks": list(tasks), "photos": list(photos)})
        note_acts(done, "cancelled", "system", reason)
        return sorted(done)


def _results(ids: Sequence[int], done: set[int], why_not: dict[str, str]) -> list[Result]:
    left = [job_id for job_id in ids if job_id not in done]
    states = dict(_rows(_STATES, {"ids": left})) if left else {}
    return [
        Result(job_id, job_id in done, "" if job_id in done else why_not.get(states.get(job_id, ""), "it is gone"))
        for job_id in ids
    ]


def note_acts(ids: set[int], action: str, actor: str, reason: str) -> None:
    """Write down what was done to these jobs, and by whom."""
    if ids:
        _run(_NOTE, {"ids": sorted(ids), "action": action, "actor": actor, "reason": reason})
        pulse(PULSE_CHANNEL)


def wake_for(ids: Sequence[int]) -> None:
    """Have the workers look for these jobs."""
    _rows(_WAKE, {"ids": sorted(ids)})


def _change(query: str, parameters: dict[str, Any]) -> set[int]:
    return {row[0] for row in _rows(query, parameters)}


def _rows(query: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


def _run(query: str, parameters: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
