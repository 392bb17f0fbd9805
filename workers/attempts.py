"""The worker's statements: fetch a job with its attempt, end a run, hand back what is held.

Each is one call of a function in the database (workers/migrations), so each is one short transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from procrastinate.connector import BaseAsyncConnector
from procrastinate.jobs import Job

from workers.recording import Failure


@dataclass(frozen=True, slots=True)
class Fetched:
    """A job of this worker now, with the id and number of its attempt, and how often it has waited for the world.

    The job's own `attempts` are those that count.
    """

    job: Job
    attempt: int | None
    run: int
    waited: int = 0


@dataclass(frozen=True, slots=True)
class Nothing:
    """No job is ready; one falls due in so many seconds, if any is due at a time."""

    due_in: float | None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: "succeeded", "failed" (for good), "aborted", or "todo" (again, at `at`, in `queue`)."""

    job_id: int
    worker_id: int
    attempt: int | None
    status: str
    at: datetime | None = None
    queue: str | None = None
    failure: Failure | None = None
    counts: bool = True  # whether the run is one of the budget's


_FETCH = """
SELECT (f.job).id, (f.job).status, (f.job).task_name, (f.job).priority, (f.job).lock, (f.job).queueing_lock,
       (f.job).args, (f.job).scheduled_at, (f.job).queue_name, (f.job).worker_id,
       GREATEST((f.job).attempts - w.waited, 0) AS attempts, w.waited, f.attempt, f.run, f.due_in
  FROM filmroll_fetch_job(%(queues)s::varchar[], %(worker_id)s) AS f,
       LATERAL (SELECT CASE WHEN (f.job).attempts > 0 THEN filmroll_waits((f.job).id) ELSE 0 END AS waited) AS w
"""
_END = """
SELECT filmroll_end_run(%(job_id)s, %(worker_id)s, %(attempt)s, %(status)s, %(at)s, %(queue)s, %(failure)s::jsonb,
                        %(counts)s) AS ended
"""
_HAND_BACK = "SELECT filmroll_hand_back(%(worker_id)s, %(keep)s::bigint[]) AS id"
_IS_OPEN = "SELECT EXISTS (SELECT 1 FROM job_attempt WHERE id = %(attempt)s AND ended_at IS NULL) AS open"
_NOTIFY = "SELECT pg_notify(%(channel)s, '')"


async def fetch(connector: BaseAsyncConnector, queues: list[str], worker_id: int) -> Fetched | Nothing:
    """Take the most urgent ready job of these queues.

    Raises ConnectorException when the database is away, or no longer knows this worker.
    """
    row = await connector.execute_query_one_async(_FETCH, queues=queues, worker_id=worker_id)
    if row["id"] is None:
        return Nothing(row["due_in"])
    return Fetched(Job.from_row(row), row["attempt"], row["run"] or 0, row["waited"])


async def end_run(connector: BaseAsyncConnector, ended: Ended) -> bool:
    """Write down how a run ended; False when the job was no longer this run's, and nothing was changed."""
    failure = ended.failure.as_dict() if ended.failure else None
    row = await connector.execute_query_one_async(
        _END,
        job_id=ended.job_id,
        worker_id=ended.worker_id,
        attempt=ended.attempt,
        status=ended.status,
        at=ended.at,
        queue=ended.queue,
        failure=failure,
        counts=ended.counts,
    )
    return bool(row["ended"] == "done")


async def hand_back(connector: BaseAsyncConnector, worker_id: int, keep: Iterable[int] = ()) -> list[int]:
    """Put the jobs that a worker holds back into the queue, but for those in `keep`; no attempt is burnt."""
    rows = await connector.execute_query_all_async(_HAND_BACK, worker_id=worker_id, keep=list(keep))
    return [row["id"] for row in rows]


async def asked_to_stop(connector: BaseAsyncConnector, running: list[int]) -> list[int]:
    """Those of these jobs that somebody has asked to stop."""
    query = "SELECT id FROM procrastinate_jobs WHERE id = ANY(%(ids)s) AND status = 'doing' AND abort_requested"
    return [row["id"] for row in await connector.execute_query_all_async(query, ids=running)]


async def is_open(connector: BaseAsyncConnector, attempt: int | None) -> bool:
    """Whether an attempt is still this run's to end."""
    if attempt is None:
        return True
    return bool((await connector.execute_query_one_async(_IS_OPEN, attempt=attempt))["open"])


async def notify(connector: BaseAsyncConnector, channel: str) -> None:
    """Send an empty notification."""
    await connector.execute_query_async(_NOTIFY, channel=channel)


async def say_waiting(connector: BaseAsyncConnector, worker_id: int, waiting: dict[str, str]) -> None:
    """Let the console know which queues a worker does not serve, and why."""
    query = "UPDATE worker_info SET waiting = %(waiting)s WHERE worker_id = %(worker_id)s"
    await connector.execute_query_async(query, waiting=waiting, worker_id=worker_id)
