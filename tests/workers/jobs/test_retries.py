"""What follows a failed run."""

import errno
from datetime import UTC, datetime

import pytest
from procrastinate.jobs import Job

from workers.errors import ErrorKind, PoisonError, ResourceError, TransientError
from workers.retries import ALONE, Next, RetryPolicy, waits_for

POLICY = RetryPolicy()


def job(attempts: int, queue: str = "previews") -> Job:
    return Job(id=1, queue=queue, lock=None, queueing_lock=None, task_name="t", attempts=attempts)


def test_the_budget_counts_runs_so_five_runs_are_followed_by_another_and_the_sixth_is_the_last() -> None:
    following = [POLICY.after(ErrorKind.TRANSIENT, runs, "previews") for runs in range(1, 7)]
    assert following == [Next.LATER] * 5 + [Next.DEAD]


def test_t5_the_first_run_is_the_one_with_no_runs_before_it() -> None:
    failed = TransientError("busy", "Busy.")
    assert RetryPolicy(budget=1).get_retry_decision(exception=failed, job=job(attempts=0)) is None
    assert RetryPolicy(budget=2).get_retry_decision(exception=failed, job=job(attempts=0)) is not None
    assert RetryPolicy(budget=2).get_retry_decision(exception=failed, job=job(attempts=1)) is None


def test_a_file_that_can_never_work_is_dead_after_one_run() -> None:
    assert POLICY.get_retry_decision(exception=PoisonError("empty", "Empty."), job=job(0)) is None


def test_too_much_memory_gets_one_more_run_alone_and_then_none() -> None:
    failed = ResourceError("memory", "Too much.")
    decision = POLICY.get_retry_decision(exception=failed, job=job(0))
    assert decision is not None and decision.queue == ALONE and decision.retry_at is not None
    assert decision.retry_at <= datetime.now(UTC)
    assert POLICY.get_retry_decision(exception=failed, job=job(1, queue=ALONE)) is None


def test_waits_double_up_to_the_cap_and_jitter_spreads_them_from_nothing_to_the_bound() -> None:
    policy = RetryPolicy(first=2, cap=60)
    assert [policy.longest_wait(runs) for runs in range(1, 8)] == [2, 4, 8, 16, 32, 60, 60]
    waits = [policy.wait(5) for _ in range(2000)]
    assert min(waits) < 2 and max(waits) > 30 and max(waits) <= 32
    assert 14 < sum(waits) / len(waits) < 18


@pytest.mark.parametrize("runs", [1, 100, 100_000])
def test_no_number_of_runs_overflows_the_wait(runs: int) -> None:
    assert 0 <= RetryPolicy(budget=10**9).wait(runs) <= 3600


def test_an_error_nobody_foresaw_is_tried_again() -> None:
    decision = POLICY.get_retry_decision(exception=ZeroDivisionError("division by zero"), job=job(0))
    assert decision is not None and decision.queue is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.ESTALE])
def test_j25_no_number_of_runs_on_a_full_disk_makes_a_job_a_dead_letter(number: int) -> None:
    decision = POLICY.get_retry_decision(exception=OSError(number, "no"), job=job(attempts=500))
    assert decision is not None and decision.queue is None and decision.retry_at is not None
    assert 0 < (decision.retry_at - datetime.now(UTC)).total_seconds() <= 5


def test_j25_a_job_looks_for_room_after_seconds_and_later_on_every_few_minutes() -> None:
    bounds = [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]
    for before, bound in enumerate(bounds):
        waits = [POLICY.pause(before) for _ in range(500)]
        assert bound / 2 <= min(waits) < 0.6 * bound and 0.9 * bound < max(waits) <= bound
    assert POLICY.pause(100_000) <= 300


def test_only_what_is_the_worlds_to_mend_is_waited_for() -> None:
    assert waits_for(ErrorKind.TRANSIENT, "disk-full") == "room on the disk"
    counted = ("busy", "unexpected", "read-only", "disk-error")
    assert not any(waits_for(ErrorKind.TRANSIENT, code) for code in counted)
    assert waits_for(ErrorKind.POISON, "disk-full") == ""
