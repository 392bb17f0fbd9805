"""The ways of writing events that are measured beside each other, and of each its own kind of reader."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.bench.eventserver import PAYLOAD

# Ours; `eventsourcing` as it comes, with a table lock; the same with its database functions on, without the lock;
# and the ceilings: one bare INSERT by a function, and nothing but a commit.
OURS, LOCKED, UNLOCKED, INSERT, COMMIT = "ours", "es-locked", "es-functions", "bare-insert", "bare-commit"

# Events that a follower takes at once.
BATCH = 500
_BARE = """
    CREATE TABLE bare (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream_id text NOT NULL, data jsonb NOT NULL
    );
    CREATE FUNCTION bare_insert(p_stream text, p_data text[]) RETURNS SETOF bigint LANGUAGE sql AS
        'INSERT INTO bare (stream_id, data) SELECT p_stream, d::jsonb FROM unnest(p_data) d RETURNING position'
"""


def prepare(url: str) -> None:
    """Make the tables of all kinds but ours."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_BARE)
        for kind in (LOCKED, UNLOCKED):
            connection.execute(f"CREATE SCHEMA {_schema(kind)}")
    for kind in (LOCKED, UNLOCKED):
        recorder = _recorder(url, kind)
        recorder.create_table()
        recorder.datastore.close()


def writer(kind: str, url: str, count: int) -> Callable[[], object]:
    """A function that records so many events in one transaction, each writer in a stream of its own."""
    match kind:
        case "ours":
            return _ours(count)
        case "es-locked" | "es-functions":
            return _eventsourcing(url, kind, count)
        case _:
            return _bare(url, kind, count)


def _ours(count: int) -> Callable[[], object]:
    from events.event import Meta, NewEvent
    from events.store import NO_STREAM, append

    stream_id, meta, version = f"bench-{uuid4()}", Meta(actor="bench", source="bench"), NO_STREAM

    def write() -> None:
        nonlocal version
        version = append(
            stream_id, version, [NewEvent("bench.rendered", PAYLOAD) for _ in range(count)], meta
        ).version

    return write


def _eventsourcing(url: str, kind: str, count: int) -> Callable[[], object]:
    from eventsourcing.persistence import StoredEvent

    recorder = _recorder(url, kind)
    stream, version = uuid4(), 0

    def write() -> None:
        nonlocal version
        numbers = range(version + 1, version + count + 1)
        events = [StoredEvent(stream, n, "bench:Rendered", json.dumps(PAYLOAD).encode()) for n in numbers]
        recorder.insert_events(events)
        version += count

    return write


def _bare(url: str, kind: str, count: int) -> Callable[[], object]:
    import psycopg

    connection = psycopg.connect(url, autocommit=True)
    if kind == COMMIT:
        # An id of a transaction is the least that makes a commit wait for the disk.
        return lambda: connection.execute("SELECT txid_current()", prepare=True).fetchone()
    sql = "SELECT bare_insert(%s::text, %b::text[])"
    return lambda: connection.execute(
        sql, ["bench", [json.dumps(PAYLOAD) for _ in range(count)]], prepare=True
    ).fetchall()


def _recorder(url: str, kind: str) -> Any:
    from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(url)
    where = (str(parts["dbname"]), str(parts["host"]), 5432, str(parts["user"]), "")
    store = PostgresDatastore(*where, enable_db_functions=kind == UNLOCKED, schema=_schema(kind))
    return PostgresApplicationRecorder(store)


def _schema(kind: str) -> str:
    return kind.replace("-", "_")


def reader(kind: str, url: str) -> Callable[[int], list[int]]:
    """A function that gives the next positions after one, as each one's own follower reads them."""
    if kind == OURS:
        from events.store import read_all

        return lambda after: [event.position for event in read_all(after, limit=BATCH, wait=0)]
    recorder = _recorder(url, kind)
    # What its subscription does after each notification.
    return lambda after: [
        one.id for one in recorder.select_notifications(start=after, limit=BATCH, inclusive_of_start=False)
    ]


def table(kind: str) -> str:
    return "event" if kind == OURS else f"{_schema(kind)}.stored_events"


def position(kind: str) -> str:
    return "position" if kind == OURS else "notification_id"
