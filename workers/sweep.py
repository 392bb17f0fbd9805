"""Finds jobs whose worker is gone, and gives them back to the queue; a job that was lost twice is dead."""

import json
import time
from dataclasses import dataclass, replace
from typing import Any

import structlog
from django.db import connection, transaction

from events.pulse import pulse
from workers.deadletters import tell_of_death
from workers.errors import PoisonError
from workers.presence import LOCK_CLASS
from workers.recording import Failure, fingerprint
from workers.retries import LOST_LIMIT

# A worker whose connection broke takes its lock again within a moment; after a restart of the server every
# worker has to. Until then its jobs are not lost.
_SECOND_LOOK_SECONDS = 2.0
AFTER_RESTART_SECONDS = 20
# Whose lock cannot be seen (a worker of another kind) or cannot be trusted (a machine that lost its power while
# the server still waits for it) is judged by its heartbeat, which comes once a minute.
_SILENT_SECONDS = 600
_SWEEP_LOCK = 1
_log = structlog.get_logger(__name__)

LOST = Failure(
    error_kind="lost",
    error_code="worker-lost",
    reason="The program that worked on this ended in the middle. The original is untouched; it is tried again.",
    error_class="WorkerLost",
    message="The worker process ended, or was silent for too long, while this run was under way.",
    traceback="",
    fingerprint=fingerprint("WorkerLost", "worker-lost", ""),
)
LOST_FOR_GOOD = replace(
    LOST,
    reason=(
        "The program that worked on this ended twice in the middle, so it is not tried again by itself: "
        "this file may be what ends it. The original is untouched. Press Retry to try once more."
    ),
)


class WorkerLost(PoisonError):
    """The worker process ended in the middle of a job, for the second time."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: jobs back in the queue, jobs dead, and workers that were gone."""

    back: tuple[int, ...] = ()
    dead: tuple[int, ...] = ()
    workers: tuple[int, ...] = ()


_GONE = """
SELECT w.id FROM procrastinate_workers AS w LEFT JOIN worker_info AS info ON info.worker_id = w.id
 WHERE w.last_heartbeat < now() - make_interval(secs => %(silent)s)
    OR (info.worker_id IS NOT NULL
        AND (info.started_at > pg_postmaster_start_time()
             OR pg_postmaster_start_time() < now() - make_interval(secs => %(after_restart)s))
        AND NOT EXISTS (
            SELECT 1 FROM pg_locks AS l
             WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %(lock_class)s::oid
               AND l.objid = w.id::int::oid AND l.objsubid = 2
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())))
"""
_ORPHANED = "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id IS NULL"
_LOST_JOBS = """
SELECT j.id, j.task_name, j.args, a.id, a.number,
       (SELECT count(*) FROM job_attempt AS b WHERE b.job_id = j.id AND b.outcome = 'lost' AND NOT b.resolved)
  FROM procrastinate_jobs AS j LEFT JOIN job_attempt AS a ON a.job_id = j.id AND a.ended_at IS NULL
 WHERE j.status = 'doing' AND (j.worker_id IS NULL OR j.worker_id = ANY(%s))
 ORDER BY j.id FOR UPDATE OF j
"""
_MARK = """
UPDATE job_attempt SET outcome = %s, error_kind = %s, error_code = %s, reason = %s, error_class = %s,
       message = %s, fingerprint = %s
 WHERE id = %s
"""


def sweep_lost_jobs(second_look: float = _SECOND_LOOK_SECONDS) -> Swept:
    """Give back the jobs of workers that are gone. Harmless at any time, from any process, any number of times.

    Takes `second_look` seconds when there is something to do, and next to nothing when there is not.
    """
    suspects = _suspects()
    if not suspects:
        return Swept()
    # Looked at twice: a worker that is just taking its lock again is not gone.
    time.sleep(second_look)
    with transaction.atomic():
        if not _alone():
            return Swept()
        workers = sorted(suspects & _suspects())
        swept = _sweep(workers) if workers else Swept()
        pulse("filmroll_jobs")
    _log.warning("swept after workers that are gone", back=swept.back, dead=swept.dead, workers=swept.workers)
    return swept


_NOBODY = 0  # stands for "no worker at all" among the ids of suspects


def _suspects() -> set[int]:
    """Workers that are gone; 0 when there are running jobs without a worker."""
    limits = {"silent": _SILENT_SECONDS, "after_restart": AFTER_RESTART_SECONDS, "lock_class": LOCK_CLASS}
    gone = {row[0] for row in _all(_GONE, limits)}
    return gone | ({_NOBODY} if _all(f"{_ORPHANED} LIMIT 1") else set())


def _alone() -> bool:
    """Whether this is the only sweep now; the lock ends with the transaction."""
    return bool(_all("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK_CLASS, -_SWEEP_LOCK])[0][0])


def _sweep(workers: list[int]) -> Swept:
    back: list[int] = []
    dead: list[int] = []
    for job_id, task, args, attempt, number, lost_before in _all(_LOST_JOBS, [workers]):
        if lost_before + 1 >= LOST_LIMIT:
            _bury(job_id, task, args, attempt, number)
            dead.append(job_id)
        else:
            _mark(attempt, "lost", LOST)
            _run("SELECT filmroll_put_back(%s, 0, NULL, NULL)", [job_id])
            back.append(job_id)
    _run("DELETE FROM procrastinate_workers WHERE id = ANY(%s)", [workers])
    _run("UPDATE worker_info SET ended_at = now() WHERE worker_id = ANY(%s) AND ended_at IS NULL", [workers])
    return Swept(tuple(back), tuple(dead), tuple(worker for worker in workers if worker != _NOBODY))


def _bury(job_id: int, task: str, args: str, attempt: int | None, number: int | None) -> None:
    # Django leaves jsonb as text in cursors of one's own.
    tell_of_death(json.loads(args), task, job_id, number or 0, WorkerLost(LOST.error_code, LOST_FOR_GOOD.reason))
    _mark(attempt, "dead", LOST_FOR_GOOD)
    _run("SELECT procrastinate_finish_job_v1(%s, 'failed', false)", [job_id])


def _mark(attempt: int | None, outcome: str, failure: Failure) -> None:
    told = [failure.error_kind, failure.error_code, failure.reason, failure.error_class, failure.message]
    _run(_MARK, [outcome, *told, failure.fingerprint, attempt])


def _all(query: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


def _run(query: str, parameters: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
