"""Pulses come after the commit, seldom enough, and never too few."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection, transaction

from events.pulse import pulse
from tests.events.following import PATIENCE, until

CHANNEL = "test_pulse"


def heard(watcher: psycopg.Connection, seconds: float = 0.3) -> int:
    """How many notifications came, until none has come for so many seconds; the first may take its time."""
    count, patience = 0, PATIENCE
    while came := len(list(watcher.notifies(timeout=patience, stop_after=1))):
        count, patience = count + came, seconds
    return count


def nothing_heard(watcher: psycopg.Connection) -> bool:
    return list(watcher.notifies(timeout=0.3, stop_after=1)) == []


@contextmanager
def hearing(watcher: psycopg.Connection) -> Iterator[list[float]]:
    """When notifications came inside the block."""
    times: list[float] = []
    over = threading.Event()

    def hear() -> None:
        while not over.is_set():
            times.extend(time.monotonic() for _ in watcher.notifies(timeout=0.1, stop_after=1))

    reader = threading.Thread(target=hear)
    reader.start()
    try:
        yield times
    finally:
        over.set()
        reader.join()


@pytest.fixture
def listening(watcher: psycopg.Connection) -> psycopg.Connection:
    watcher.execute(f"LISTEN {CHANNEL}")
    return watcher


def test_a_pulse_comes_only_after_the_commit(listening: psycopg.Connection) -> None:
    with transaction.atomic():
        pulse(CHANNEL)
        assert nothing_heard(listening)
    assert heard(listening) == 1


def test_a_rolled_back_transaction_sends_no_pulse(listening: psycopg.Connection) -> None:
    with transaction.atomic():
        pulse(CHANNEL)
        transaction.set_rollback(True)
    assert nothing_heard(listening)


def test_many_commits_become_few_pulses_and_the_last_one_follows_the_last_commit(
    listening: psycopg.Connection,
) -> None:
    pulse(CHANNEL)
    assert heard(listening) == 1, "the sender has its connection now"
    with hearing(listening) as times:
        started = time.monotonic()
        commits = 0
        while time.monotonic() < started + 0.3 or commits < 100 or not times:
            last = time.monotonic()
            pulse(CHANNEL, interval=0.05)
            commits += 1
        until(lambda: times and times[-1] >= last)
    assert 2 <= len(times) <= 1 + (times[-1] - started) / 0.05


def test_who_commits_all_the_time_tells_less_often(listening: psycopg.Connection) -> None:
    with hearing(listening) as times:
        started = time.monotonic()
        while time.monotonic() < started + 1.0 or len(times) < 5:
            pulse(CHANNEL, interval=0.01)
        seconds = time.monotonic() - started
    assert len(times) <= 10 + seconds / 0.02, "half as often at most: the intervals are five times as long"


def test_channels_do_not_wait_for_one_another(listening: psycopg.Connection) -> None:
    for channel in ("test_pulse_one", "test_pulse_two"):
        listening.execute(f"LISTEN {channel}")
        pulse(channel, interval=5.0)
        pulse(channel, interval=5.0)
    assert heard(listening) == 2


def test_a_pulse_gets_over_the_loss_of_its_connection(listening: psycopg.Connection) -> None:
    pulse(CHANNEL)
    assert heard(listening) == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE application_name LIKE '% pulse' AND datname = current_database()"
        )
        assert cursor.fetchone() == (1,)
    pulse(CHANNEL)
    assert heard(listening, 1.0) == 1
