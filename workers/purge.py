"""Clears away jobs that ended long ago, with their attempts and events; what is dead and unresolved stays.

In small batches, each its own transaction, and for some seconds at a time: the rest is handed on to a new job.
Jobs are looked at from the oldest on, up to the first one that was queued too lately to have ended long ago.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.utils import timezone

from events.pulse import pulse
from workers.actions import PULSE_CHANNEL
from workers.jobsettings import keep_days
from workers.models import JobAction, Operation, OperationItem, WorkerInfo
from workers.queue import defer

TASK, QUEUE = "purge_jobs", "operations"
BATCH = 1_000
_SLICE_SECONDS = 5.0
# What was done to queues, operations and schedules is told for longer: it is little.
_AUDIT_DAYS = 400
_log = structlog.get_logger(__name__)

# A batch of jobs in the order of their ids, and whether the newest of them may be old enough at all.
_LOOKED = """
SELECT x.id, x.status IN ('succeeded', 'cancelled', 'aborted')
             AND NOT EXISTS (SELECT 1 FROM procrastinate_events AS e WHERE e.job_id = x.id AND e.at >= %(before)s)
             AND NOT EXISTS (SELECT 1 FROM job_attempt AS a WHERE a.job_id = x.id AND a.ended_at >= %(before)s)
             AND NOT EXISTS (SELECT 1 FROM job_action AS c WHERE c.job_id = x.id AND c.at >= %(before)s) AS over,
       EXISTS (SELECT 1 FROM procrastinate_events AS e
                WHERE e.job_id = x.id AND e.type = 'deferred' AND e.at >= %(before)s) AS recent
  FROM (SELECT id, status FROM procrastinate_jobs WHERE id > %(after)s ORDER BY id LIMIT %(batch)s) AS x
 ORDER BY x.id
"""
# Procrastinate's events go with their job, by their foreign key. One that came back to life meanwhile stays.
_DELETE = """
WITH gone AS (
    DELETE FROM procrastinate_jobs
     WHERE id = ANY(%(ids)s) AND status IN ('succeeded', 'cancelled', 'aborted') RETURNING id),
     tried AS (DELETE FROM job_attempt WHERE job_id IN (SELECT id FROM gone)),
     told AS (DELETE FROM job_action WHERE job_id IN (SELECT id FROM gone))
SELECT count(*) FROM gone
"""


@dataclass(frozen=True, slots=True)
class Purged:
    """How many jobs went in this slice, and the job after which the next one begins (None: that was all)."""

    jobs: int
    after: int | None


def purge(after: int = 0, seconds: float = _SLICE_SECONDS) -> Purged:
    """Clear away what is older than the operator wants to keep, for some seconds, and hand the rest on."""
    days = keep_days()
    if not days:
        return Purged(0, None)
    before, began, gone = timezone.now() - timedelta(days=days), time.monotonic(), 0
    _purge_rest(before)
    place: int | None = after
    while place is not None:
        started = time.monotonic()
        count, place = _batch(place, before)
        gone += count
        if time.monotonic() - began > seconds:
            break
        # As long a rest as the work took: pages and workers come first.
        time.sleep(min(0.5, time.monotonic() - started))
    if place is not None:
        defer(TASK, args={"after": place}, queue=QUEUE)
    if gone:
        _log.info("cleared away finished jobs", jobs=gone, days=days)
    return Purged(gone, place)


def _batch(after: int, before: datetime) -> tuple[int, int | None]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOOKED, {"after": after, "before": before, "batch": BATCH})
        looked = cursor.fetchall()
        over = [job for job, is_over, _ in looked if is_over]
        count = 0
        if over:
            cursor.execute(_DELETE, {"ids": over})
            count = int(cursor.fetchone()[0])
            pulse(PULSE_CHANNEL)
    ends = len(looked) < BATCH or looked[-1][2]
    return count, None if ends else looked[-1][0]


def _purge_rest(before: datetime) -> None:
    """What hangs on no job: outcomes of operations, workers that are gone, and old audit."""
    ended = Operation.objects.filter(ended_at__lt=before).values("id")
    OperationItem.objects.filter(operation_id__in=ended).delete()
    WorkerInfo.objects.filter(ended_at__lt=before).delete()
    JobAction.objects.filter(job_id=0, at__lt=timezone.now() - timedelta(days=_AUDIT_DAYS)).delete()
