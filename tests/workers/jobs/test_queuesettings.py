"""What an operator sets on a queue, as the workers' own fetch sees it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import time, timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone

from tests.locks import waiting
from tests.workers.jobs.processes import WorkerProcess, lines, rows, status_of, wait_until
from workers.models import JobAction
from workers.queue import defer
from workers.queuesettings import BadSetting, hold_of, pause_queue, resume_queue, tune_queue

Start = Callable[..., WorkerProcess]


def fetched() -> tuple[int | None, float | None]:
    """The id that a fetch of two queues takes, and the seconds until it is worth another."""
    query = "SELECT (job).id, due_in FROM filmroll_fetch_job(ARRAY['files', 'previews']::varchar[], NULL)"
    return rows(query)[0]


@pytest.mark.django_db
def test_a_paused_queue_is_left_out_of_the_fetch_until_its_pause_ends_and_others_go_on() -> None:
    held, other = defer("show", args={}, queue="files"), defer("show", args={}, queue="previews")
    pause_queue("files", "ada", "the disk is being copied", timezone.now() + timedelta(hours=1))
    assert fetched()[0] == other
    nothing, seconds = fetched()
    assert nothing is None and seconds is not None and 3500 < seconds <= 3600
    hold = hold_of("files")
    assert hold is not None and (hold.by, hold.actor, hold.reason) == ("pause", "ada", "the disk is being copied")
    rows("UPDATE job_queue_setting SET paused_until = now() - interval '1 second'")
    assert hold_of("files") is None and fetched()[0] == held
    assert JobAction.objects.get().subject == "queue files"


@pytest.mark.django_db
def test_quiet_hours_hold_a_queue_by_the_clock_of_their_zone_also_over_midnight() -> None:
    defer("show", args={}, queue="files")
    clock = rows("SELECT (now() AT TIME ZONE 'Asia/Tokyo')::timestamp")[0][0]
    before, after = (clock - timedelta(hours=2)).time(), (clock + timedelta(hours=3)).time()
    tune_queue("files", "ada", None, (before, after), "Asia/Tokyo")
    nothing, seconds = fetched()
    assert nothing is None and seconds is not None and 3 * 3600 - 60 < seconds <= 3 * 3600
    tune_queue("files", "ada", None, (after, before), "Asia/Tokyo")
    assert fetched()[0] is not None


@pytest.mark.django_db
def test_a_limit_counts_what_runs_anywhere() -> None:
    first, second, _ = (defer("show", args={}, queue="files") for _ in range(3))
    tune_queue("files", "ada", 2, None)
    assert [fetched()[0] for _ in range(3)] == [first, second, None]


@pytest.mark.django_db
def test_newest_first_takes_the_newest_of_the_most_urgent() -> None:
    old, _, new = (defer("show", args={}, queue="files", priority=10) for _ in range(3))
    urgent = defer("show", args={}, queue="files", priority=60)
    tune_queue("files", "ada", None, None, newest_first=True)
    assert [fetched()[0] for _ in range(2)] == [urgent, new]
    tune_queue("files", "ada", None, None)
    assert fetched()[0] == old


@pytest.mark.django_db
def test_settings_that_cannot_be_are_refused_in_words() -> None:
    wrongs: list[Callable[[], None]] = [
        lambda: tune_queue("files", "ada", 0, None),
        lambda: tune_queue("files", "ada", None, (time(1), time(1))),
        lambda: tune_queue("files", "ada", None, None, "Mars/Olympus"),
        lambda: pause_queue("files", "ada", "", timezone.now() - timedelta(seconds=1)),
    ]
    for wrong in wrongs:
        with pytest.raises(BadSetting):
            wrong()
    assert not JobAction.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_pause_waits_for_the_fetches_that_are_under_way() -> None:
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            fetched()
            paused = pool.submit(in_thread, lambda: pause_queue("files", "ada"))
            wait_until(lambda: waiting("advisory"))
            assert hold_of("files") is None
            transaction.set_rollback(True)
        paused.result(60)
    assert hold_of("files") is not None


def in_thread(act: Callable[[], None]) -> None:
    try:
        act()
    finally:
        connection.close()


def test_a_running_worker_obeys_a_pause_at_once_and_goes_on_after_it(start_worker: Start, mark: Path) -> None:
    start_worker()
    pause_queue("files", "ada")
    held = defer("touch", args={"mark": str(mark)}, queue="files")
    passing = defer("touch", args={"mark": str(mark)}, queue="previews")
    wait_until(lambda: status_of(passing) == "succeeded")
    assert status_of(held) == "todo"
    resume_queue("files", "ada")
    wait_until(lambda: status_of(held) == "succeeded")
    pause_queue("files", "ada", until=timezone.now() + timedelta(seconds=1))
    timed = defer("touch", args={"mark": str(mark)}, queue="files")
    wait_until(lambda: status_of(timed) == "succeeded")
    assert len(lines(mark)) == 3
