"""What an operation can do to each thing of its frozen scope: jobs, or what failed on the failures page."""

from collections.abc import Callable, Sequence

from django.db import connection

from core.commands.failures import retry_failure
from core.domain.photos import NothingToRetry, PhotoNotFound
from core.readmodels.failures import Failure
from workers.actions import Result, cancel_jobs, discard_jobs, retry_jobs, stop_jobs
from workers.models import OperationItem

# The jobs that carry operations out.
TASK, COLLECT = "run_operation", "collect_operation"
RETRY_FAILURES = "retry failures"
Act = Callable[[Sequence[OperationItem], str, str], list[Result]]
ToJobs = Callable[[Sequence[int], str, str], list[Result]]
_CARRIES = "it carries out an act on many jobs; cancel that act under Operations instead"


def _retry(items: Sequence[OperationItem], actor: str, _reason: str) -> list[Result]:
    return retry_jobs([item.job_id for item in items], actor)


def _but_for_operations(act: ToJobs) -> Act:
    """Without its job an operation would stand for ever, and one that stops running jobs would stop itself."""

    def done(items: Sequence[OperationItem], actor: str, reason: str) -> list[Result]:
        jobs = [item.job_id for item in items]
        spared = _carriers(jobs)
        results = {one.job_id: one for one in act([job for job in jobs if job not in spared], actor, reason)}
        return [results.get(job) or Result(job, done=False, reason=_CARRIES) for job in jobs]

    return done


def _carriers(jobs: Sequence[int]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM procrastinate_jobs WHERE id = ANY(%s) AND task_name = ANY(%s)",
            [list(jobs), [TASK, COLLECT]],
        )
        return {row[0] for row in cursor.fetchall()}


def _retry_failures(items: Sequence[OperationItem], actor: str, _reason: str) -> list[Result]:
    return [_retry_failure(item, actor) for item in items]


def _retry_failure(item: OperationItem, actor: str) -> Result:
    failure = Failure.objects.filter(id=item.key).first()
    if failure is None:
        return Result(item.job_id, done=False, reason="it is mended, or gone")
    try:
        retry_failure(failure, actor=actor)
    except (NothingToRetry, PhotoNotFound):
        return Result(item.job_id, done=False, reason="it is being tried again already")
    return Result(item.job_id, done=True)


ACTS: dict[str, Act] = {
    "retry": _retry,
    "discard": _but_for_operations(discard_jobs),
    "cancel": _but_for_operations(cancel_jobs),
    "stop": _but_for_operations(stop_jobs),
    RETRY_FAILURES: _retry_failures,
}
# At most so many in one transaction: what appends events has to be short.
BATCHES = {RETRY_FAILURES: 10}
