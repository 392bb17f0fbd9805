"""A worker that is killed strands nothing."""

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection, transaction

from tests.workers.jobs.processes import WorkerProcess, lines, rows, status_of, wait_until
from workers.models import Attempt, WorkerInfo
from workers.presence import LOCK_CLASS
from workers.queue import defer
from workers.sweep import Swept, sweep_lost_jobs

Start = Callable[..., WorkerProcess]


def test_j7_a_job_whose_worker_is_killed_is_finished_by_another_with_no_persons_help(
    start_worker: Start, mark: Path
) -> None:
    first = start_worker()
    job = defer("sleep_long", args={"mark": str(mark)}, queue="files")
    wait_until(lambda: lines(mark) == ["began"])
    first.kill()
    assert status_of(job) == "doing"
    start_worker()
    wait_until(lambda: status_of(job) == "succeeded")
    assert list(Attempt.objects.order_by("number").values_list("outcome", flat=True)) == ["lost", "succeeded"]
    assert Attempt.objects.get(number=1).reason.startswith("The program that worked on this ended in the middle")
    assert rows("SELECT attempts FROM procrastinate_jobs WHERE id = %s", job) == [(1,)]
    assert WorkerInfo.objects.filter(pid=first.pid, ended_at=None).count() == 0


def test_a_job_that_takes_its_worker_down_twice_is_dead(start_worker: Start, mark: Path) -> None:
    hook = {"TEST_DEAD_HOOK": "tests.workers.jobs.tasks_for_tests.note_death"}
    job = defer("killer", args={"mark": str(mark)}, queue="files")
    for times in (1, 2):
        # It may be killed before it could say that it had started.
        with contextlib.suppress(AssertionError):
            start_worker(**hook).process.wait(60)
        wait_until(lambda n=times: lines(mark).count("killer") == n)
    start_worker(**hook)
    wait_until(lambda: status_of(job) == "failed")
    assert lines(mark) == ["killer", "killer", "death:killer:2:WorkerLost:doing"]
    last = Attempt.objects.get(number=2)
    assert last.outcome == "dead" and "ended twice in the middle" in last.reason


def test_live_workers_are_never_swept_however_late_their_heartbeat(start_worker: Start, mark: Path) -> None:
    start_worker()
    job = defer("sleep_long", args={"mark": str(mark)}, queue="files")
    wait_until(lambda: lines(mark) == ["began"])
    rows("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '5 minutes'")
    assert sweep_lost_jobs(second_look=0) == Swept()
    assert status_of(job) == "doing"


def test_sweeping_again_changes_nothing(start_worker: Start, mark: Path) -> None:
    worker = start_worker()
    job = defer("sleep_long", args={"mark": str(mark)}, queue="files")
    wait_until(lambda: lines(mark) == ["began"])
    worker.kill()
    wait_until(lambda: sweep_lost_jobs(second_look=0).back == (job,))
    assert sweep_lost_jobs(second_look=0) == Swept()
    assert status_of(job) == "todo"


def test_t2_t3_a_worker_that_was_taken_for_dead_registers_anew_and_its_late_result_changes_nothing(
    start_worker: Start, mark: Path
) -> None:
    worker = start_worker()
    job = defer("sleep_long", args={"mark": str(mark), "seconds": 2, "again": 4}, queue="files")
    wait_until(lambda: lines(mark) == ["began"])
    # What a sweep does that believes this worker dead.
    with transaction.atomic():  # the worker must not fetch it again under its old name in between
        rows("UPDATE job_attempt SET outcome = 'lost' WHERE job_id = %s", job)
        rows("SELECT filmroll_put_back(%s, 0, NULL, NULL)", job)
        rows("DELETE FROM procrastinate_workers")
    wait_until(lambda: lines(mark) == ["began", "began", "ended"])
    wait_until(lambda: Attempt.objects.get(number=1).late == "succeeded", log=worker.log)
    assert status_of(job) == "doing"
    wait_until(lambda: status_of(job) == "succeeded", log=worker.log)
    assert list(Attempt.objects.order_by("number").values_list("outcome", "late")) == [
        ("lost", "succeeded"),
        ("succeeded", ""),
    ]
    assert worker.process.poll() is None


def test_t4_a_lost_job_whose_queueing_lock_is_taken_gives_way_to_the_one_that_waits(empty_queue: None) -> None:
    insert = (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock) VALUES ('x', 't', 'l') RETURNING id"
    )
    first = rows(insert)[0][0]
    rows("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", first)
    second = rows(insert)[0][0]
    sweep_lost_jobs(second_look=0)
    assert (status_of(first), status_of(second)) == ("cancelled", "todo")
    assert Attempt.objects.get(job_id=first).outcome == "superseded"


def test_two_sweeps_at_once_count_a_loss_once(empty_queue: None) -> None:
    job = defer("show", args={}, queue="files")
    rows("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", job)

    def sweep() -> None:
        sweep_lost_jobs(second_look=0)
        connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sweep_lost_jobs(second_look=0)
    assert status_of(job) == "todo"
    assert list(Attempt.objects.values_list("outcome", flat=True)) == ["lost"]


@pytest.mark.parametrize("victim", ["LISTEN%%", "%%"])
@pytest.mark.slow
def test_a_worker_whose_connections_break_goes_on(start_worker: Start, mark: Path, victim: str) -> None:
    worker = start_worker()
    job = defer("sleep_long", args={"mark": str(mark), "seconds": 1}, queue="files")
    wait_until(lambda: lines(mark) == ["began"])
    rows(
        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE %s""",
        victim,
    )
    wait_until(lambda: status_of(job) == "succeeded", log=worker.log)
    began = time.monotonic()
    later = defer("touch", args={"mark": str(mark)}, queue="files")
    wait_until(lambda: status_of(later) == "succeeded", log=worker.log)
    assert time.monotonic() - began < 5
    held = """SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
    wait_until(lambda: rows(held)[0][0] == 2, log=worker.log)
    assert worker.process.poll() is None
    assert Attempt.objects.count() == 2


_SAYS_THAT_IT_LIVES = """
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid = %s::oid
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
_ANY = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND %s > 0"


@pytest.mark.parametrize("broken", [_SAYS_THAT_IT_LIVES, _ANY], ids=["the heartbeat's", "all"])
def test_a_fetch_whose_answer_was_lost_strands_no_job(start_worker: Start, mark: Path, broken: str) -> None:
    """The job is this worker's, and the worker knows nothing of it. Which connection notices is left to chance."""
    worker = start_worker()
    media = WorkerInfo.objects.get(name="media").worker_id
    job = defer("touch", args={"mark": str(mark)}, queue="nobody-serves")
    rows(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s, queue_name = 'files' WHERE id = %s",
        media,
        job,
    )
    killed = f"SELECT pg_terminate_backend(pid) FROM ({broken}) AS of WHERE pid <> pg_backend_pid()"
    assert rows(killed, LOCK_CLASS)
    wait_until(lambda: status_of(job) == "succeeded", 60, log=worker.log)
    outcomes = Attempt.objects.filter(job_id=job).order_by("number").values_list("outcome", flat=True)
    assert list(outcomes) == ["handed back", "succeeded"]
