"""Whatever is killed, and whenever: what was committed is heard of once and in order, and soon."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from psycopg.conninfo import make_conninfo

from core import database
from events import connecting
from events.event import Event, NewEvent
from events.pulse import pulse
from events.store import ANY, CHANNEL, append, read_stream
from events.subscriptions import Subscription
from tests.events.elsewhere import admin, new_server
from tests.events.following import add, following, seen_by, until
from tests.events.readers import Reader, Unconcerned, append_by, judge, recorded

pytestmark = pytest.mark.django_db(transaction=True)

DYING = Path(__file__).with_name("dying_writer.py")
REFUSALS = (DatabaseError, psycopg.Error)


def conninfo() -> str:
    given = connecting.parameters("unused")
    return make_conninfo(
        **{name: given[name] for name in ("dbname", "user", "password", "host", "port") if name in given}
    )


@contextmanager
def dying(moment: str) -> Iterator["subprocess.Popen[str]"]:
    """A writer that has come to that moment, until it is killed at the end of the block."""
    command = [sys.executable, str(DYING), conninfo(), moment]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{moment}\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_process_killed_between_write_and_commit_leaves_nothing_and_holds_nobody_up() -> None:
    seen: list[Event] = []
    with following(Subscription("bystander", seen.extend)):
        with dying("written") as writer:
            [position] = add("test-other")
            time.sleep(0.2)
            assert seen == [], "what it wrote could still be committed, and comes before"
            writer.kill()
            until(lambda: seen)
        assert seen_by(seen) == [position]
    assert read_stream("test-dying") == []


def test_a_process_killed_between_commit_and_notification_is_heard_of_at_the_next_sweep() -> None:
    seen: list[Event] = []
    with following(Subscription("sweeping", seen.extend), sweep=1.0):
        [first] = add("test-other")
        until(lambda: seen)
        with dying("committed") as writer:
            writer.kill()
        until(lambda: len(seen) == 4)
    assert seen_by(seen) == [first, *(event.position for event in read_stream("test-dying"))]


def test_a_writer_cut_off_in_the_middle_of_its_append_can_simply_do_it_again() -> None:
    seen: list[Event] = []
    events = [NewEvent("test.done", {"number": number}) for number in range(3)]
    with following(Subscription("patient", seen.extend)), admin() as killer:
        with suppress(OperationalError), transaction.atomic():
            append("test-1", ANY, events)
            before = append_by(killer)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                killer.execute("SELECT pg_terminate_backend(%s)", cursor.fetchone())
            append("test-1", ANY, [NewEvent("test.done", {})])
            raise AssertionError("its session was ended")
        connection.close()
        # The bare append above tells nobody, and a follower that is at rest waits to be told.
        pulse(CHANNEL)
        until(lambda: seen)
        again = append("test-1", ANY, events)
        until(lambda: len(seen) == 4)
    assert not again.replayed and again.version == 3
    assert seen_by(seen) == [before, *again.positions]


@contextmanager
def writing(stop: threading.Event) -> Iterator[list[NewEvent]]:
    """Somebody appends all the time, each event again until it is taken; gives what was taken."""
    taken: list[NewEvent] = []

    def write() -> None:
        while not stop.is_set():
            event = NewEvent("test.done", {"number": len(taken)})
            while not stop.is_set():
                try:
                    append(f"test-{len(taken) % 5}", ANY, [event])
                    taken.append(event)
                    break
                except REFUSALS:
                    connection.close()
                    time.sleep(0.02)
            time.sleep(0.002)
        connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield taken
    finally:
        stop.set()
        thread.join(60)


@pytest.mark.parametrize("times", [1, pytest.param(10, marks=[pytest.mark.slow, pytest.mark.timeout(300)])])
def test_a_server_that_dies_and_comes_back_costs_no_event_and_none_is_doubled(times: int, tmp_path: Path) -> None:
    """The handler's rows are in the same database: they are there exactly once for each event."""

    def note(events: Sequence[Event]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO noted (position) VALUES (%s)", [[event.position] for event in events])

    stop, back = threading.Event(), []
    with new_server(tmp_path) as server:
        with admin() as maker:
            maker.execute("CREATE TABLE noted (number bigserial, position bigint PRIMARY KEY)")
        with following(Subscription("noting", note)), writing(stop) as taken:
            for _ in range(times):
                enough = len(taken) + 20
                until(lambda enough=enough: len(taken) > enough)
                _die(server)
                server.have_running()
                with admin() as asking:
                    back.append(_next_noted(asking))
            enough = len(taken) + 20
            until(lambda: len(taken) > enough)
            stop.set()
            with admin() as asking:
                until(lambda: asking.execute(BEHIND).fetchone() == (0,))
        with admin() as asking:
            log = recorded(asking)
            noted = [position for (position,) in asking.execute("SELECT position FROM noted ORDER BY number")]
            ids = {row[0] for row in asking.execute("SELECT event_id FROM event")}
    print(f"next event after the server was back: {sorted(back)} s")
    assert not judge(noted, log)
    assert ids >= {event.event_id for event in taken}, "what was answered for is there"
    assert len(ids) - len(taken) <= 1
    if times > 1:  # alone on its machine
        assert max(back) <= 5


BEHIND = "SELECT count(*) FROM event e WHERE NOT EXISTS (SELECT FROM noted n WHERE n.position = e.position)"


def _die(server: database.Embedded) -> None:
    """As in a crash: no rollback, no checkpoint."""
    assert server.process is not None
    server.process.send_signal(signal.SIGQUIT)
    server.process.wait(60)


def _next_noted(asking: psycopg.Connection) -> float:
    """Seconds until an event is handled that was not handled before."""
    count = "SELECT count(*) FROM noted"
    before = asking.execute(count).fetchone()
    return until(lambda: asking.execute(count).fetchone() != before)


def test_a_killed_server_process_makes_the_fence_forget_what_it_knew(tmp_path: Path) -> None:
    """PostgreSQL then ends all sessions and recovers; a prepared transaction comes back under another name."""
    with new_server(tmp_path, max_prepared_transactions="5"):
        reader, control = Reader(0), Reader(0, Unconcerned())
        with admin() as slow, admin() as quick:
            slow.execute("BEGIN")
            append_by(slow)
            assert _read(reader, control)
            slow.execute("PREPARE TRANSACTION 'slow'")
            append_by(quick)
            assert _read(reader, control)
            assert reader.seen == control.seen == []
            os.kill(quick.info.backend_pid, signal.SIGKILL)
            until(lambda: _has_ended(slow))
        # The first may still be of the reader's own session, which is the next to be ended.
        until(lambda: _read(reader, control) and _read(reader, control))
        with admin() as back:
            back.execute("COMMIT PREPARED 'slow'")
            assert _read(reader, control)
            log = recorded(back)
        assert not judge(reader.seen, log)
        assert judge(control.seen, log).missed == 1


def _has_ended(session: psycopg.Connection) -> bool:
    try:
        session.execute("SELECT 1")
    except psycopg.Error:
        return True
    return False


def _read(*readers: Reader) -> bool:
    """Whether all could read."""
    try:
        for reader in readers:
            reader.read()
    except REFUSALS:
        connection.close()
        return False
    return True
