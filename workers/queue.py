"""The one way to put a job into the queue: inside the caller's database transaction.

Procrastinate's `task.defer()` must not be used. Inside a worker process its app speaks through a
connection pool of its own, so a job deferred in a transaction that is rolled back would be queued all the
same. This module's job manager always speaks through Django's connection, in every kind of process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.jobs import Job
from procrastinate.manager import JobManager

_manager = JobManager(DjangoConnector())


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be queued. `args` are the task's keyword arguments: plain JSON, ids as text."""

    task_name: str
    queue: str
    args: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0
    scheduled_at: datetime | None = None


def defer(
    task_name: str,
    *,
    args: Mapping[str, Any],
    queue: str,
    priority: int = 0,
    scheduled_at: datetime | None = None,
) -> int:
    """Queue one job in the caller's transaction and return its id; workers hear of it on commit."""
    return defer_batch([NewJob(task_name, queue, args, priority, scheduled_at)])[0]


def defer_batch(jobs: Sequence[NewJob]) -> list[int]:
    """Queue many jobs in one statement, in the caller's transaction; ids in the order of `jobs`."""
    if not jobs:
        return []
    return [job.id for job in _manager.batch_defer_jobs([_as_job(job) for job in jobs]) if job.id is not None]


def _as_job(job: NewJob) -> Job:
    # No locks: a stream's version serialises the work on one photo, and a queue lock with thousands of
    # jobs behind it slows every fetch.
    return Job(
        queue=job.queue,
        task_name=job.task_name,
        task_kwargs=dict(job.args),
        priority=job.priority,
        scheduled_at=job.scheduled_at,
        lock=None,
        queueing_lock=None,
    )
