"""The log is written by its functions alone, and nothing in it changes or goes."""

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from events.event import NewEvent
from events.models import StoredEvent
from events.store import ANY, append, read_stream

pytestmark = pytest.mark.django_db

COLUMNS = (
    "recorded_at, version, schema_version, event_id, stream_id, category, type, data, meta, data_hash, chain_hash"
)
INSERT = f"""
    INSERT INTO event ({COLUMNS})
    VALUES (now(), 9, 1, gen_random_uuid(), 'photo-1', 'photo', 'photo.rated', '{{}}', '{{}}', '', '')
"""


@pytest.fixture(autouse=True)
def recorded() -> None:
    append("photo-1", ANY, [NewEvent("photo.rated", {"stars": 5})])


@pytest.mark.parametrize(
    "statement",
    [
        INSERT,
        "UPDATE event SET data = '{}'",
        "UPDATE event SET data = '{}' WHERE false",
        "DELETE FROM event",
        "DELETE FROM event WHERE false",
        "TRUNCATE event",
        "MERGE INTO event e USING (SELECT 1) s ON e.version = 1 WHEN MATCHED THEN DELETE",
        "INSERT INTO event_erasure VALUES (gen_random_uuid(), now(), 'me', 'because')",
        "UPDATE event_erasure SET actor = 'somebody else'",
        "DELETE FROM event_erasure",
        "TRUNCATE event_erasure",
    ],
)
def test_a_direct_change_is_refused(statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match="refused: the log is written by its functions alone"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert [event.data for event in read_stream("photo-1")] == [{"stars": 5}]


def test_copy_is_refused() -> None:
    row = "2024-05-01\t9\t1\t00000000-0000-0000-0000-000000000001\tphoto-1\tphoto\ta.b\t{}\t{}\t\\\\x\t\\\\x\n"
    with (
        pytest.raises(psycopg.DatabaseError, match="refused"),
        transaction.atomic(),
        connection.cursor() as cursor,
        cursor.copy(f"COPY event ({COLUMNS}) FROM STDIN") as rows,
    ):
        rows.write(row)


def test_the_permission_of_an_append_ends_with_it() -> None:
    with transaction.atomic():
        append("photo-1", ANY, [NewEvent("photo.rated", {"stars": 4})])
        with pytest.raises(DatabaseError, match="refused"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(INSERT)
    assert len(read_stream("photo-1")) == 2


def test_a_position_of_ones_own_choice_is_refused() -> None:
    with (
        pytest.raises(DatabaseError, match=r"non-DEFAULT value"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT set_config('events.writing', 'append', true)")
        cursor.execute(INSERT.replace("(recorded_at", "(position, recorded_at").replace("(now()", "(1, now()"))


def test_the_model_cannot_write() -> None:
    row = StoredEvent.objects.get(stream_id="photo-1")
    row.type = "photo.unrated"
    for change in (row.save, row.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_the_table_has_three_indexes_and_its_positions_come_one_by_one() -> None:
    of_column = """
        SELECT attidentity::text FROM pg_attribute
        WHERE attrelid = 'event'::regclass AND attname = 'position'
    """
    of_sequence = "SELECT seqcache, seqincrement FROM pg_sequence WHERE seqrelid = 'event_position_seq'::regclass"
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'event' ORDER BY indexname")
        indexes = [definition.split(" btree ")[1].replace('"', "") for (definition,) in cursor.fetchall()]
        cursor.execute(of_column)
        identity = cursor.fetchone()
        cursor.execute(of_sequence)
        sequence = cursor.fetchone()
    assert sorted(indexes) == ["(event_id)", "(position)", "(stream_id, version)"]
    assert identity == ("a",)
    assert sequence == (1, 1)
