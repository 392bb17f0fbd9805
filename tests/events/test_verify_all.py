"""`events verify` finds what was changed behind the log's back, and says so in plain words."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from events.erasure import erase
from events.event import NewEvent
from events.models import Checkpoint
from events.seals import BLOCK, NAME
from events.store import NO_STREAM, append, read_stream

pytestmark = pytest.mark.django_db

TABLES = ("event", "event_seal", "event_erasure")


def restart(position: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE event ALTER COLUMN position RESTART WITH {position}")


@pytest.fixture(autouse=True)
def log() -> None:
    """Two sealed blocks with three streams of three events each, and a few events after them."""
    for block in range(2):
        for number in range(3):
            restart(BLOCK * block + 5 + number * 10)
            titles = [NewEvent("photo.titled", {"title": f"Oma {number}.{n}"}) for n in range(3)]
            append(f"photo-{block}{number}", NO_STREAM, titles)
    restart(BLOCK * 2 + 1)
    append("photo-9", NO_STREAM, [NewEvent("photo.titled", {"title": "later"})] * 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT event_seal_up_to((SELECT max(position) FROM event))")
        assert cursor.fetchone() == (2,)
    Checkpoint.objects.create(name=NAME, position=BLOCK * 2 + 1)


def tamper(*statements: str) -> None:
    """What somebody with the keys to the database could do."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def verify(*words: str) -> str:
    out = StringIO()
    call_command("events", "verify", *words, stdout=out)
    return out.getvalue()


def found(*words: str) -> list[str]:
    out = StringIO()
    with pytest.raises(CommandError, match="not as recorded") as caught:
        call_command("events", "verify", *words, stdout=out)
    assert caught.value.returncode == 1
    return out.getvalue().splitlines()


def test_an_untouched_log_is_as_it_was_recorded_before_and_after_an_erasure() -> None:
    assert verify().startswith("19 events are as they were recorded")
    assert f"Sealed up to position {BLOCK * 2:,}; the root of seal 2: " in verify()
    erase([event.event_id for event in read_stream("photo-01")], actor="me", reason="asked to")
    assert verify().startswith("19 events")
    assert verify("--stream", "photo-01") == "Every event of photo-01 is as it was recorded.\n"
    with pytest.raises(CommandError, match="no stream photo-77"):
        verify("--stream", "photo-77")


ROOT1 = "block 1 (positions 1 to 10,000): its events, their order or the seal itself are not as they were sealed"
COUNT1 = "block 1 (positions 1 to 10,000): 9 events were sealed, {} are there"
ROOT2 = ROOT1.replace("block 1 (positions 1 to 10,000)", "block 2 (positions 10,001 to 20,000)")
AFTER2 = "block 2 (positions 10,001 to 20,000): its seal does not follow from the seal before it"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param(
            ["""UPDATE event SET data = '{"title": "Omb 1.1"}' WHERE stream_id = 'photo-01' AND version = 2"""],
            ["photo-01 v2: its data are not those that were recorded"],
            id="a flipped byte of the data",
        ),
        pytest.param(
            ["""UPDATE event SET meta = '{"actor": "systen"}' WHERE stream_id = 'photo-01' AND version = 2"""],
            [ROOT1],
            id="a flipped byte of the metadata",
        ),
        pytest.param(
            ["UPDATE event SET recorded_at = recorded_at + interval '1 microsecond' WHERE position = 5"],
            [ROOT1],
            id="another time",
        ),
        pytest.param(
            ["UPDATE event SET category = 'phot' WHERE position = 5"],
            ["photo-00 v1: its category 'phot' is not that of its stream"],
            id="another category",
        ),
        pytest.param(
            ["DELETE FROM event WHERE stream_id = 'photo-01' AND version = 2"],
            [
                "photo-01 v3: version 2 is missing before it",
                "photo-01 v3: its chain hash does not follow from the event before it",
                COUNT1.format(8),
            ],
            id="a missing row",
        ),
        pytest.param(
            ["DELETE FROM event WHERE stream_id = 'photo-01' AND version = 3"],
            [COUNT1.format(8)],
            id="a stream's end cut off",
        ),
        pytest.param(["DELETE FROM event WHERE stream_id = 'photo-01'"], [COUNT1.format(6)], id="a whole stream"),
        pytest.param(
            [
                "ALTER TABLE event ALTER COLUMN position DROP IDENTITY",
                "UPDATE event SET position = position + 100 WHERE position IN (5, 15)",
                "UPDATE event SET position = 15 WHERE position = 105",
                "UPDATE event SET position = 5 WHERE position = 115",
            ],
            ["photo-00 v2: it has a position before that of the version before it", ROOT1],
            id="two rows in another order",
        ),
        pytest.param(
            ["""UPDATE event SET data = '{"$erased": true}' WHERE stream_id = 'photo-01' AND version = 2"""],
            ["photo-01 v2: its data were replaced by a tombstone, but no erasure is on record"],
            id="a forged tombstone",
        ),
        pytest.param(
            [f"DELETE FROM event WHERE position > {BLOCK}"],
            ["block 2 (positions 10,001 to 20,000): 9 events were sealed, 0 are there"],
            id="the end of the log",
        ),
        pytest.param(
            ["DELETE FROM event_seal WHERE number = 1"],
            ["block 2 (positions 10,001 to 20,000): the seal 1 before it is missing"],
            id="the first seal",
        ),
        pytest.param(
            ["DELETE FROM event_seal WHERE number = 2"],
            ["block 2 (positions 10,001 to 20,000): its seal is missing, though it was made once"],
            id="the last seal",
        ),
        pytest.param(
            ["UPDATE event_seal SET root = sha256(root) WHERE number = 1"], [ROOT1, AFTER2], id="a seal's root"
        ),
        pytest.param(
            [
                "DELETE FROM event WHERE position = 27",
                "CREATE TEMP TABLE old ON COMMIT DROP AS SELECT * FROM event_seal WHERE number = 2",
                "DELETE FROM event_seal",
                "SELECT event_seal_up_to(10000)",
                "INSERT INTO event_seal SELECT * FROM old",
            ],
            [AFTER2],
            id="a block sealed anew",
        ),
    ],
)
def test_it_finds(changes: list[str], words: list[str]) -> None:
    tamper(*changes)
    assert found() == words


def test_one_stream_alone() -> None:
    tamper("UPDATE event SET data = '{}' WHERE stream_id = 'photo-01' AND version = 2")
    assert found("--stream", "photo-01") == ["photo-01 v2: its data are not those that were recorded"]
    assert verify("--stream", "photo-02")


def test_of_many_flaws_the_first_are_shown() -> None:
    titles = [NewEvent("photo.titled", {"title": str(n)}) for n in range(200)]
    append("photo-8", NO_STREAM, titles)
    tamper("UPDATE event SET data = '{}' WHERE stream_id = 'photo-8'")
    lines = found()
    assert len(lines) == 101 and lines[-1] == "… and 100 more."
