"""A dump holds the log and every checkpoint as of one moment: what is restored goes on where that moment was."""

import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest
from django.db import DatabaseError, connection

from core.cluster import binaries
from events.delivery import Delivery, Next, Poison
from events.erasure import erase
from events.event import Event
from events.lag import lag
from events.models import ParkedStream
from events.store import read_all, read_stream, safe_position
from events.subscriptions import Subscription, resume_stream
from events.verify import verify_stream
from tests.events.elsewhere import admin, default_is, new_database
from tests.events.following import add, following, until
from tests.events.readers import Reader, Unconcerned, append_by, judge, recorded
from tests.events.test_faults import conninfo, writing

pytestmark = pytest.mark.django_db(transaction=True)

COUNTED = "CREATE TABLE counted (position bigint PRIMARY KEY, stream_id text, version int)"


def count(events: Sequence[Event]) -> None:
    if any(event.data.get("bad") for event in events) and not cured.is_set():
        raise ValueError("this one is bad")
    with connection.cursor() as cursor:
        rows = [(event.position, event.stream_id, event.version) for event in events]
        # A primary key: what is handled twice raises an error.
        cursor.executemany("INSERT INTO counted VALUES (%s, %s, %s)", rows)


cured = threading.Event()
COUNTING = Subscription("counting", count, poison=Poison.PARK, batch=7)


def run_to_rest(delivery: Delivery) -> None:
    while delivery.step() is not Next.REST:
        pass


def dump(file: Path, form: str = "custom") -> None:
    _run("pg_dump", f"--format={form}", f"--file={file}", f"--dbname={conninfo()}")


def restore(file: Path, form: str = "custom", *options: str) -> None:
    if form == "plain":
        _run("psql", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={file}", f"--dbname={conninfo()}")
    else:
        _run("pg_restore", "--exit-on-error", *options, f"--dbname={conninfo()}", str(file))


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run([binaries() / program, *arguments], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


def counted(asking: psycopg.Connection) -> list[int]:
    return [position for (position,) in asking.execute("SELECT position FROM counted ORDER BY position")]


@pytest.mark.parametrize("form", ["custom", pytest.param("plain", marks=pytest.mark.slow)])
def test_what_is_restored_elsewhere_goes_on_with_nothing_lost_or_doubled(form: str, tmp_path: Path) -> None:
    cured.clear()
    file = tmp_path / "dump"
    with new_database(), new_database(migrated=False) as other, admin() as here, admin() as slow:
        here.execute(COUNTED)
        for number in range(20):
            add(f"test-{number % 4}", 3)
        add("test-sick", bad=True)
        erase([read_stream("test-1")[1].event_id], "somebody", "asked to")
        delivery = Delivery(COUNTING)
        for _ in range(4):
            delivery.step()
        halfway = len(counted(here))
        run_to_rest(delivery)
        last = add("test-late", 5)[-1]
        slow.execute("BEGIN")
        undecided = append_by(slow)
        dump(file, form)
        slow.execute("COMMIT")
        at_dump = [row for row in recorded(here) if row[0] != undecided]
        with default_is(NAME=other), admin() as there:
            restore(file, form)
            assert recorded(there) == at_dump
            assert 0 < halfway < len(counted(there)) < len(at_dump)
            assert ParkedStream.objects.get().stream_id == "test-sick"
            new = add("test-new", 2)
            assert new[0] > last, "positions go on where they were"
            cured.set()
            resume_stream("counting", "test-sick")
            run_to_rest(Delivery(COUNTING))
            log = recorded(there)
            assert not judge(counted(there), log)
            assert not judge([event.position for event in read_all(limit=1_000)], log)
            assert lag()[0].behind == 0
            for stream in {stream for _, stream, _ in log}:
                assert verify_stream(stream) == []
            assert read_stream("test-1")[1].erased
            for statement in ("UPDATE event SET data = '{}'", "DELETE FROM event", "TRUNCATE event_erasure"):
                with pytest.raises(DatabaseError, match="refused"), connection.cursor() as cursor:
                    cursor.execute(statement)


def test_a_dump_made_while_everybody_works_holds_no_checkpoint_ahead_of_its_log(tmp_path: Path) -> None:
    cured.set()
    stop = threading.Event()
    files = [tmp_path / f"dump-{number}" for number in range(2)]
    with new_database():
        with admin() as here:
            here.execute(COUNTED)
        with following(COUNTING), writing(stop) as taken:
            for file in files:
                enough = len(taken) + 30
                until(lambda enough=enough: len(taken) > enough)
                dump(file)
        for file in files:
            with new_database(migrated=False) as other, default_is(NAME=other), admin() as there:
                restore(file)
                before = len(recorded(there))
                assert before > 0
                add("test-0", 2)
                run_to_rest(Delivery(COUNTING))
                assert len(counted(there)) == before + 2
                assert not judge(counted(there), recorded(there))


def test_a_log_restored_to_an_older_state_in_place_is_recognised_by_readers_at_work(tmp_path: Path) -> None:
    """Positions are given out anew that these readers had taken for read."""
    cured.set()
    file = tmp_path / "dump"
    with new_database(), admin() as here:
        here.execute(COUNTED)
        kept = add("test-1", 5)
        delivery = Delivery(COUNTING)
        run_to_rest(delivery)
        dump(file)
        lost = add("test-1", 10)
        run_to_rest(delivery)
        reader, control = Reader(0), Reader(0, Unconcerned())
        for one in (reader, control):
            one.read()
            assert one.seen == kept + lost
        assert safe_position() == lost[-1]
        restore(file, "custom", "--clean", "--single-transaction")
        assert reader.fence.look().safe == safe_position() == kept[-1]
        with admin() as slow:
            slow.execute("BEGIN")
            held = append_by(slow)
            assert held <= lost[-1]
            assert reader.fence.look().safe < held <= control.fence.look().safe
            run_to_rest_but_for_writers(delivery)
            slow.execute("COMMIT")
        new = [held, *add("test-1", 2)]
        run_to_rest(delivery)
        assert counted(here) == kept + new
        assert not judge(counted(here), recorded(here))


def run_to_rest_but_for_writers(delivery: Delivery) -> None:
    while delivery.step() is Next.MORE:
        pass
