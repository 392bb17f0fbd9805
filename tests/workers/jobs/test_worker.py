"""A real worker process: how soon it starts jobs, how it stops, what it survives."""

import asyncio
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.workers.jobs.processes import WorkerProcess, lines, rows, status_of, wait_until
from workers.laneworker import SAFETY_NET
from workers.models import Attempt, JobFlow, WorkerInfo
from workers.queue import NewJob, defer, defer_batch
from workers.worker import _within

Start = Callable[..., WorkerProcess]


# Far from the safety net's five minutes, and more than a machine that does much else takes.
NOTIFIED = 60


def test_j8_each_job_on_an_idle_worker_starts_by_its_notification(start_worker: Start, mark: Path) -> None:
    assert NOTIFIED < SAFETY_NET / 3
    start_worker()
    for count in range(1, 31):
        defer("touch", args={"mark": str(mark)}, queue="files")
        wait_until(lambda n=count: len(lines(mark)) >= n, NOTIFIED)


@pytest.mark.slow
def test_j8_a_job_starts_within_100_ms_on_an_idle_worker(start_worker: Start, mark: Path) -> None:
    start_worker()
    waits = []
    for count in range(1, 31):
        queued = time.time()
        defer("touch", args={"mark": str(mark)}, queue="files")
        wait_until(lambda n=count: len(lines(mark)) >= n)
        waits.append(float(mark.read_text().splitlines()[-1].split()[2]) - queued)
    assert statistics.median(waits) < 0.1, waits


def test_t12_no_job_waits_for_the_safety_net_when_they_come_while_others_are_fetched(
    start_worker: Start, mark: Path
) -> None:
    start_worker()
    for _ in range(300):
        defer("touch", args={"mark": str(mark)}, queue="files")
    wait_until(lambda: len(lines(mark)) == 300, NOTIFIED)


def test_t10_a_retry_starts_when_it_is_due_and_not_at_the_next_poll(start_worker: Start, mark: Path) -> None:
    start_worker()
    defer("unlucky", args={"mark": str(mark), "times": 1}, queue="files")
    wait_until(lambda: len(lines(mark)) == 2)
    first, second = Attempt.objects.order_by("number")
    assert first.next_run_at is not None
    assert 0 <= (second.started_at - first.next_run_at).total_seconds() < NOTIFIED


def test_t10_a_job_for_later_starts_when_it_is_due(start_worker: Start, mark: Path) -> None:
    start_worker()
    due = datetime.now(UTC) + timedelta(seconds=1)
    defer("touch", args={"mark": str(mark)}, queue="files", scheduled_at=due)
    wait_until(lambda: lines(mark))
    began = Attempt.objects.get().started_at
    assert 0 <= (began - due).total_seconds() < NOTIFIED


def test_t13_a_job_that_waits_for_a_lock_starts_when_the_lock_is_free(start_worker: Start, mark: Path) -> None:
    start_worker()
    for _ in range(4):
        job = defer("touch", args={"mark": str(mark)}, queue="nobody-serves")
        rows("UPDATE procrastinate_jobs SET lock = 'one' WHERE id = %s", job)
    rows("UPDATE procrastinate_jobs SET queue_name = 'files'")
    defer("touch", args={"mark": str(mark)}, queue="files", priority=-1)
    wait_until(lambda: len(lines(mark)) == 5, NOTIFIED)


def test_as_many_jobs_run_at_once_as_the_lane_has_slots(start_worker: Start, mark: Path) -> None:
    start_worker(FILMROLL_CONCURRENCY="9")
    defer_batch([NewJob("meet", "files", {"mark": str(mark), "others": 9}) for _ in range(9)])
    wait_until(lambda: rows("SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'")[0][0] == 9)
    assert Attempt.objects.count() == 9


def test_connections_go_back_after_each_job(start_worker: Start, mark: Path) -> None:
    start_worker(FILMROLL_CONCURRENCY="4")
    defer_batch([NewJob("ask_database", "files", {"mark": str(mark)}) for _ in range(60)])
    wait_until(lambda: len(lines(mark)) == 60)
    held = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state ~ '^idle in'"
    wait_until(lambda: rows(held)[0][0] == 0)


def test_t7_a_stop_puts_running_jobs_back_without_burning_an_attempt(start_worker: Start, mark: Path) -> None:
    worker = start_worker("media", TEST_SLOW_HAND_BACK="1")
    job = defer("sleep_long", args={"mark": str(mark), "seconds": 600}, queue="files")
    wait_until(lambda: lines(mark) == ["began"])
    assert worker.stop() == 0
    assert status_of(job) == "todo"
    assert rows("SELECT attempts, worker_id FROM procrastinate_jobs") == [(0, None)]
    assert [attempt.outcome for attempt in Attempt.objects.all()] == ["handed back"]
    assert rows("SELECT count(*) FROM procrastinate_workers")[0][0] == 0
    assert not WorkerInfo.objects.filter(ended_at=None).exists()
    start_worker()
    wait_until(lambda: status_of(job) == "succeeded")


@pytest.mark.slow
def test_t7_a_stop_takes_less_than_eight_seconds_whatever_runs(start_worker: Start, mark: Path) -> None:
    worker = start_worker()
    defer("sleep_long", args={"mark": str(mark), "seconds": 600}, queue="files")
    wait_until(lambda: lines(mark) == ["began"])
    began = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - began < 8


def test_t7_a_stop_lets_a_short_job_end(start_worker: Start, mark: Path, tmp_path: Path) -> None:
    worker = start_worker()
    job = defer("hold", args={"mark": str(mark), "until": str(tmp_path / "over")}, queue="files")
    wait_until(lambda: lines(mark) == ["began"])
    worker.process.terminate()
    wait_until(lambda: "waiting for what runs" in worker.log.read_text(), log=worker.log)
    (tmp_path / "over").touch()
    assert worker.process.wait(60) == 0
    assert status_of(job) == "succeeded"


def test_t7_a_job_whose_fetch_the_stop_cut_off_goes_back_too(start_worker: Start, mark: Path) -> None:
    worker = start_worker(TEST_LOST_ANSWERS="1")
    job = defer("touch", args={"mark": str(mark)}, queue="files")
    wait_until(lambda: status_of(job) == "doing")
    assert worker.stop() == 0
    assert rows("SELECT status::text, attempts, worker_id FROM procrastinate_jobs") == [("todo", 0, None)]
    assert [attempt.outcome for attempt in Attempt.objects.all()] == ["handed back"]


def test_a_second_signal_ends_the_worker_at_once(start_worker: Start, mark: Path) -> None:
    worker = start_worker()
    defer("sleep_long", args={"mark": str(mark)}, queue="files")
    wait_until(lambda: lines(mark) == ["began"])
    worker.process.terminate()
    wait_until(lambda: "waiting for what runs" in worker.log.read_text(), log=worker.log)
    assert worker.stop() == 1
    assert "worker stopped" not in worker.log.read_text()


@pytest.mark.slow
def test_an_idle_worker_says_nothing_to_the_database(start_worker: Start) -> None:
    start_worker("scan,media,alone,analysis")
    for _ in range(5):  # what belongs to the start comes to an end
        before = _last_statements()
        time.sleep(6)
        if before and _last_statements() == before:
            return
    pytest.fail("it never falls silent")


def _last_statements() -> dict[int, datetime]:
    """When each session but this one was last heard of."""
    query = "SELECT pid, query_start FROM pg_stat_activity WHERE datname = current_database()"
    return dict(rows(f"{query} AND pid <> pg_backend_pid() AND backend_type = 'client backend'"))


def test_the_log_lines_of_a_task_carry_job_task_and_photo(start_worker: Start, mark: Path) -> None:
    worker = start_worker()
    job = defer("speak", args={"mark": str(mark), "photo": "1f"}, queue="files")
    wait_until(lambda: "a line of a task" in worker.log.read_text())
    line = next(line for line in worker.log.read_text().splitlines() if "a line of a task" in line)
    assert f"job={job}" in line and "photo=1f" in line and "task=speak" in line


@pytest.mark.parametrize("wrong", ["medai", ""])
def test_an_unknown_lane_is_one_clear_line(wrong: str) -> None:
    from django.core.management import CommandError, call_command

    with pytest.raises(CommandError, match="There is no lane"):
        call_command("worker", lanes=wrong)


@pytest.mark.parametrize("turns", range(4))
def test_a_step_of_the_stop_never_swallows_a_cancellation_that_comes_with_its_end(turns: int) -> None:
    async def scenario() -> None:
        ended = asyncio.Event()
        step = asyncio.create_task(_within(10, ended.wait()))
        await asyncio.sleep(0.01)
        ended.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        # False when the step had ended before: then there was nothing left to cancel.
        cancelled = step.cancel()
        await asyncio.wait([step])
        assert step.cancelled() == cancelled

    asyncio.run(scenario())


@pytest.mark.slow
def test_after_work_and_only_then_a_worker_rolls_the_figures_up(start_worker: Start, mark: Path) -> None:
    start_worker()
    assert all(worker.memory > 10_000_000 for worker in WorkerInfo.objects.filter(ended_at=None))
    defer("touch", args={"mark": str(mark)}, queue="files")
    wait_until(lambda: JobFlow.objects.filter(span="minute", task="touch", done=1).exists(), 75)
    assert JobFlow.objects.filter(span="hour", task="touch", done=1).count() == 1
