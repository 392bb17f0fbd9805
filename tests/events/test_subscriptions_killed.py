"""A runner may be killed at any moment: each event counts once, and another runner takes over."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from events import connecting
from events.event import Event
from events.fence import read_all
from events.lag import lag
from events.subscriptions import Subscription
from tests.events.following import add, following, until

pytestmark = pytest.mark.django_db(transaction=True)

PROGRAM = Path(__file__).with_name("counting_runner.py")


@pytest.fixture
def counted(transactional_db: None) -> Iterator[Callable[[], tuple[int, int]]]:
    """Tables for a count, and a function that reads the total and the sum of positions."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE counted (total bigint, checksum bigint)")
        cursor.execute("CREATE TABLE counted_once (position bigint PRIMARY KEY)")
        cursor.execute("INSERT INTO counted VALUES (0, 0)")

    def read() -> tuple[int, int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT total, checksum FROM counted")
            total, checksum = cursor.fetchone()
        return int(total), int(checksum)

    yield read
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE counted, counted_once")


@contextmanager
def runner(kills: int) -> Iterator["subprocess.Popen[str]"]:
    """The program with its children; when the block ends, all of them do."""
    given = connecting.parameters("unused")
    names = ("dbname", "user", "password", "host", "port")
    conninfo = make_conninfo(**{name: given[name] for name in names if given.get(name)})
    command = [sys.executable, str(PROGRAM), conninfo, str(kills)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(60)


@pytest.mark.parametrize("kills", [30, pytest.param(200, marks=pytest.mark.slow)])
def test_every_event_is_counted_once_by_runners_that_are_killed(
    kills: int, counted: Callable[[], tuple[int, int]]
) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.wait(0.01):
            number += 1
            add(f"test-{number % 7}", 2)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with runner(kills) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "killed\n"
            on_the_way = counted()[0]
            stop.set()
            writer.join()
            recorded = [event.position for event in read_all(limit=1_000_000)]
            until(lambda: counted()[0] >= len(recorded))
            assert counted() == (len(recorded), sum(recorded))
    finally:
        stop.set()
        writer.join()
    assert on_the_way >= kills // 2, "the killed ones worked, too"


def test_of_two_runners_one_works_and_the_other_takes_over_when_it_is_killed(
    counted: Callable[[], tuple[int, int]],
) -> None:
    here: list[Event] = []
    add("test-1")
    with runner(0) as process:
        until(lambda: counted()[0] == 1)
        with following(Subscription("counter", here.extend)):
            add("test-1")
            until(lambda: counted()[0] == 2)
            assert here == []
            there = lag()[0].runner
            process.stdin.close()  # type: ignore[union-attr]
            process.wait(60)
            add("test-1")
            until(lambda: len(here) == 1)
            until(lambda: lag()[0].runner not in (None, there))
    assert counted()[0] == 2
