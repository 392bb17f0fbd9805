"""Pulses come after the commit, seldom enough, and never too few."""

import threading
import time

import psycopg
import pytest
from django.db import connection, transaction

from events.pulse import pulse

CHANNEL = "test_pulse"


def heard(watcher: psycopg.Connection, seconds: float = 0.3) -> list[float]:
    """When notifications came, until none has come for so many seconds."""
    times: list[float] = []
    while came := list(watcher.notifies(timeout=seconds, stop_after=1)):
        times += [time.monotonic()] * len(came)
    return times


@pytest.fixture
def listening(watcher: psycopg.Connection) -> psycopg.Connection:
    watcher.execute(f"LISTEN {CHANNEL}")
    return watcher


def test_a_pulse_comes_only_after_the_commit(listening: psycopg.Connection) -> None:
    with transaction.atomic():
        pulse(CHANNEL)
        assert heard(listening) == []
    assert len(heard(listening)) == 1


def test_a_rolled_back_transaction_sends_no_pulse(listening: psycopg.Connection) -> None:
    with transaction.atomic():
        pulse(CHANNEL)
        transaction.set_rollback(True)
    assert heard(listening) == []


def test_many_commits_become_few_pulses_and_the_last_one_follows_the_last_commit(
    listening: psycopg.Connection,
) -> None:
    pulse(CHANNEL)
    assert len(heard(listening)) == 1, "the sender has its connection now"
    times: list[float] = []
    reader = threading.Thread(target=lambda: times.extend(heard(listening, 0.5)))
    reader.start()
    started = time.monotonic()
    commits = 0
    while time.monotonic() < started + 0.3:
        pulse(CHANNEL, interval=0.05)
        commits += 1
    ended = time.monotonic()
    reader.join()
    assert commits > 100
    assert 2 <= len(times) <= 8
    assert times[-1] >= ended - 0.002 and times[-1] < ended + 0.2


def test_who_commits_all_the_time_tells_less_often(listening: psycopg.Connection) -> None:
    times: list[float] = []
    reader = threading.Thread(target=lambda: times.extend(heard(listening, 0.5)))
    reader.start()
    busy_until = time.monotonic() + 1.0
    while time.monotonic() < busy_until:
        pulse(CHANNEL, interval=0.01)
    reader.join()
    assert 5 <= len(times) <= 30, "a hundred intervals, each of them five times as long"


def test_channels_do_not_wait_for_one_another(listening: psycopg.Connection) -> None:
    for channel in ("test_pulse_one", "test_pulse_two"):
        listening.execute(f"LISTEN {channel}")
        pulse(channel, interval=5.0)
        pulse(channel, interval=5.0)
    assert len(heard(listening)) == 2


def test_a_pulse_gets_over_the_loss_of_its_connection(listening: psycopg.Connection) -> None:
    pulse(CHANNEL)
    assert len(heard(listening)) == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE application_name LIKE '% pulse' AND datname = current_database()"
        )
        assert cursor.fetchone() == (1,)
    pulse(CHANNEL)
    assert len(heard(listening, 1.0)) == 1
