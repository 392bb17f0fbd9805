"""What a person does to jobs."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from tests.workers.jobs.processes import WorkerProcess, lines, rows, status_of, wait_until
from workers.actions import (
    Result,
    cancel_jobs,
    discard_jobs,
    reschedule_jobs,
    retry_jobs,
    stop_jobs,
    supersede_dead,
)
from workers.models import Attempt, JobAction
from workers.queue import defer

Start = Callable[..., WorkerProcess]


def job_in(status: str, **columns: object) -> int:
    job = defer("show", args=columns.pop("args", {}), queue="files")  # type: ignore[arg-type]
    if status != "todo":
        rows("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", job)
        rows("UPDATE procrastinate_jobs SET status = %s WHERE id = %s", status, job)
    for column, value in columns.items():
        rows(f"UPDATE procrastinate_jobs SET {column} = %s WHERE id = %s", value, job)
    return job


def test_t5_a_dead_job_that_is_retried_has_its_whole_budget_again(start_worker: Start, mark: Path) -> None:
    start_worker()
    job = defer("unlucky", args={"mark": str(mark)}, queue="files")
    wait_until(lambda: status_of(job) == "failed")
    assert retry_jobs([job], "ada") == [Result(job, True)]
    wait_until(lambda: len(lines(mark)) == 8)
    wait_until(lambda: status_of(job) == "failed")
    numbers = Attempt.objects.filter(job_id=job).order_by("number").values_list("number", "resolved")
    assert list(numbers) == [(n, n <= 4) for n in range(1, 9)]
    assert JobAction.objects.get(job_id=job).actor == "ada"


@pytest.mark.django_db
def test_t1_a_retry_clears_the_request_to_stop() -> None:
    job = job_in("failed", abort_requested=True)
    assert retry_jobs([job], "ada")[0].done
    assert rows("SELECT status, abort_requested, attempts FROM procrastinate_jobs WHERE id = %s", job) == [
        ("todo", False, 0)
    ]


@pytest.mark.django_db
def test_each_id_has_its_outcome_with_the_reason_why_nothing_was_done() -> None:
    jobs = [job_in(status) for status in ("failed", "doing", "succeeded", "todo", "cancelled")]
    assert [(result.done, result.reason) for result in retry_jobs([*jobs, 10**9], "ada")] == [
        (True, ""),
        (False, "it is running now"),
        (False, "it has succeeded"),
        (False, "it is in the queue already"),
        (True, ""),
        (False, "it is gone"),
    ]
    jobs = [job_in(status) for status in ("failed", "doing", "succeeded", "todo", "cancelled")]
    assert [(result.done, result.reason) for result in discard_jobs(jobs, "ada", "not needed")] == [
        (True, ""),
        (False, "it is running now"),
        (False, "it has succeeded"),
        (True, ""),
        (False, "it was discarded before"),
    ]
    assert set(JobAction.objects.filter(action="discarded").values_list("job_id", "reason")) == {
        (jobs[0], "not needed"),
        (jobs[3], "not needed"),
    }


@pytest.mark.django_db
def test_a_job_that_waits_for_its_next_run_runs_now_and_its_runs_still_count() -> None:
    job = job_in("todo", scheduled_at="2100-01-01T00:00:00Z", attempts=3)
    assert retry_jobs([job], "ada")[0].done
    assert rows("SELECT scheduled_at, attempts, priority FROM procrastinate_jobs WHERE id = %s", job) == [
        (None, 3, 50)
    ]


@pytest.mark.django_db
def test_a_retry_whose_queueing_lock_is_taken_is_skipped_and_does_not_break_the_others() -> None:
    locked, free = job_in("failed", queueing_lock="one"), job_in("failed")
    job_in("todo", queueing_lock="one")
    assert [result.done for result in retry_jobs([locked, free], "ada")] == [False, True]


@pytest.mark.django_db
def test_work_that_is_queued_anew_resolves_the_dead_job_before_it() -> None:
    dead, other = job_in("failed", args={"photo": "p1"}), job_in("failed", args={"photo": "p2"})
    assert supersede_dead(["show"], "photo", ["p1"], "The same work was queued again.") == [dead]
    assert (status_of(dead), status_of(other)) == ("cancelled", "failed")
    assert Attempt.objects.get(job_id=dead).resolved and not Attempt.objects.get(job_id=other).resolved


@pytest.mark.django_db
def test_cancelling_and_rescheduling_are_for_jobs_that_wait() -> None:
    waiting, running = job_in("todo"), job_in("doing")
    later = datetime(2100, 1, 1, tzinfo=UTC)
    moved = [(result.done, result.reason) for result in reschedule_jobs([waiting, running], "ada", later)]
    assert moved == [(True, ""), (False, "it is running now")]
    assert rows("SELECT scheduled_at FROM procrastinate_jobs WHERE id = %s", waiting) == [(later,)]
    assert [result.done for result in cancel_jobs([waiting, running], "ada")] == [True, False]
    assert cancel_jobs([waiting], "ada") == [Result(waiting, False, "it was taken out before")]
    acts = JobAction.objects.filter(job_id=waiting).order_by("id").values_list("action", flat=True)
    assert list(acts) == ["rescheduled", "cancelled"]


@pytest.mark.django_db
def test_t1_a_job_that_is_asked_to_stop_and_then_fails_is_stopped_and_can_be_retried() -> None:
    job = job_in("doing")
    assert stop_jobs([job], "ada") == [Result(job, True)]
    assert stop_jobs([job], "ada") == [Result(job, False, "it is being stopped already")]
    rows("SELECT procrastinate_finish_job_v1(%s, 'failed', false)", job)
    assert rows("SELECT status, abort_requested FROM procrastinate_jobs WHERE id = %s", job) == [
        ("aborted", False)
    ]
    assert Attempt.objects.get(job_id=job).outcome == "stopped"
    assert retry_jobs([job], "ada")[0].done


def test_a_running_job_is_stopped_by_its_worker_and_not_tried_again(start_worker: Start, mark: Path) -> None:
    start_worker()
    job = defer("sleep_long", args={"mark": str(mark), "seconds": 300}, queue="files")
    wait_until(lambda: lines(mark) == ["began"])
    assert stop_jobs([job], "ada")[0].done
    wait_until(lambda: status_of(job) == "aborted")
    assert Attempt.objects.get(job_id=job).outcome == "stopped"


def test_stopping_a_running_job_ends_its_child_process(start_worker: Start, mark: Path) -> None:
    start_worker()
    job = defer("use_child", args={"mark": str(mark), "seconds": 300}, queue="files")
    wait_until(lambda: lines(mark) == ["child"])
    child = psutil.Process(int(mark.read_text().split()[1]))
    assert stop_jobs([job], "ada")[0].done
    wait_until(lambda: status_of(job) == "aborted")
    wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    # The worker goes on.
    defer("touch", args={"mark": str(mark)}, queue="files")
    wait_until(lambda: "touched" in lines(mark))
