"""Appending by COPY: the guarantees are those of an append, for many streams at once."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from events import bulk
from events.bulk import BulkAppended, append_bulk
from events.encoding import MAX_DATA_BYTES
from events.errors import EventError, EventIdConflict, EventTooLarge, NotStorable, TooManyEvents, VersionConflict
from events.event import Append, Event, Meta, NewEvent
from events.store import ANY, NO_STREAM, append, read_all, read_stream
from events.verify import verify_stream
from tests.events.racing import race
from tests.events.test_races import by_hand, waits

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


def rated(stars: int = 5, **data: Any) -> NewEvent:
    return NewEvent("photo.rated", {"stars": stars, **data})


def three_streams() -> list[Append]:
    return [Append(f"photo-{n}", NO_STREAM, [rated(n) for _ in range(n)]) for n in (3, 1, 2)]


def positions() -> list[int]:
    return [event.position for event in read_all(0)]


def test_many_streams_are_recorded_as_one_append_each_would() -> None:
    odd = {"tab\t": "a\nb\\c\r", "\\N": "Grüße 🎞", "n": [1e22, -0.0, 1.50, None], "b": 1, "aa": 2}
    streams = [
        Append("photo-2", NO_STREAM, [NewEvent("photo.titled", odd, schema_version=3), rated()]),
        Append("album\t\\1", NO_STREAM, [NewEvent("album.made\t", {})]),
    ]
    meta = Meta(actor="account-1", source="import")
    assert append_bulk(streams, meta) == BulkAppended(3, frozenset())
    for one in streams:
        append(f"{one.stream_id}x", NO_STREAM, [replace(event, event_id=uuid4()) for event in one.events], meta)
    for one in streams:
        ours, theirs = read_stream(one.stream_id), read_stream(f"{one.stream_id}x")
        for field in ("version", "type", "schema_version", "meta", "data_hash"):
            assert [getattr(event, field) for event in ours] == [getattr(event, field) for event in theirs]
        assert repr([event.data for event in ours]) == repr([event.data for event in theirs])
        assert [event.event_id for event in ours] == [event.event_id for event in one.events]
        assert verify_stream(one.stream_id) == []
    assert read_stream("photo-2")[0].category == "photo"


@committed
@pytest.mark.parametrize("chunk", [2, 4, 100])
def test_positions_follow_the_streams_ids_in_byte_order_also_across_chunks(chunk: int, monkeypatch: Any) -> None:
    monkeypatch.setattr(bulk, "_CHUNK", chunk)
    append_bulk([Append(name, NO_STREAM, [rated(), rated()]) for name in ("é", "z", "a", "B")])
    assert [event.stream_id for event in read_all(0)] == ["B", "B", "a", "a", "z", "z", "é", "é"]


def test_streams_go_on_from_where_they_are_and_their_chains_hold() -> None:
    append("photo-1", NO_STREAM, [rated(), rated()])
    append("photo-2", NO_STREAM, [rated()])
    append_bulk(
        [
            Append("photo-1", 2, [rated(), rated()]),
            Append("photo-2", ANY, [rated()]),
            Append("photo-3", ANY, [rated()]),
        ]
    )
    assert [len(read_stream(f"photo-{n}")) for n in (1, 2, 3)] == [4, 2, 1]
    assert [verify_stream(f"photo-{n}") for n in (1, 2, 3)] == [[], [], []]


@pytest.mark.parametrize(("expected", "actual"), [(NO_STREAM, 2), (1, 2), (3, 2), (7, 2)])
def test_a_wrong_version_of_one_stream_leaves_all_as_they_were(expected: int, actual: int) -> None:
    append("photo-2", NO_STREAM, [rated(), rated()])
    with transaction.atomic():
        append("photo-0", NO_STREAM, [rated()])
        with pytest.raises(VersionConflict) as caught:
            append_bulk([Append("photo-1", NO_STREAM, [rated()]), Append("photo-2", expected, [rated()])])
        append("photo-0", 1, [rated()])
    assert (caught.value.stream_id, caught.value.expected, caught.value.actual) == ("photo-2", expected, actual)
    assert [len(read_stream(f"photo-{n}")) for n in (0, 1, 2)] == [2, 0, 2]


@committed
def test_the_same_again_adds_nothing_and_what_is_new_beside_it_is_added() -> None:
    streams = three_streams()
    append_bulk(streams)
    before = read_all(0)
    append("photo-1", ANY, [rated()])
    for expected in (NO_STREAM, ANY, 9):
        again = append_bulk([replace(one, expected=expected) for one in streams])
        assert again == BulkAppended(0, frozenset({"photo-1", "photo-2", "photo-3"}))
    more = append_bulk([*streams, Append("photo-4", NO_STREAM, [rated()])])
    assert more == BulkAppended(1, frozenset({"photo-1", "photo-2", "photo-3"}))
    assert read_all(0)[: len(before)] == before
    assert len(read_all(0)) == len(before) + 2


@pytest.mark.parametrize("expected", [NO_STREAM, ANY, 2])
def test_ids_that_are_taken_are_a_conflict_that_names_them(expected: int | None) -> None:
    one, two = rated(1), rated(2)
    append("photo-1", NO_STREAM, [one, two])
    other = NewEvent("photo.rated", {"stars": 9}, event_id=one.event_id)
    cases = [
        ("photo-1", [other, two], (one.event_id,)),
        ("photo-2", [two], (two.event_id,)),
        ("photo-1", [two, one], (two.event_id, one.event_id)),
        ("photo-1", [two, rated(3)], (two.event_id,)),
    ]
    for stream_id, events, named in cases:
        with pytest.raises(EventIdConflict) as caught:
            append_bulk([Append("photo-0", NO_STREAM, [rated()]), Append(stream_id, expected, events)])
        assert (caught.value.stream_id, caught.value.event_ids) == (stream_id, named)
    assert [len(read_stream(f"photo-{n}")) for n in (0, 1, 2)] == [0, 2, 0]


def test_one_id_in_two_streams_of_a_call_is_a_conflict() -> None:
    event = rated()
    with pytest.raises(EventIdConflict):
        append_bulk([Append("photo-1", ANY, [event]), Append("photo-2", ANY, [event])])
    with pytest.raises(ValueError, match="named twice"):
        append_bulk([Append("photo-1", ANY, [rated()]), Append("photo-1", ANY, [rated()])])


def test_more_than_a_thousand_events_fit_and_the_limits_hold(monkeypatch: Any) -> None:
    assert append_bulk([Append("photo-1", NO_STREAM, [rated() for _ in range(1_001)])]).appended == 1_001
    monkeypatch.setattr(bulk, "MAX_EVENTS", 5)
    with pytest.raises(TooManyEvents, match="6 events, more than the 5 allowed"):
        append_bulk([Append(f"photo-{n}", ANY, [rated(), rated()]) for n in (2, 3, 4)])
    for event, error in (
        (rated(text="x" * MAX_DATA_BYTES), EventTooLarge),
        (rated(text="\0"), NotStorable),
        (NewEvent("photo.rated", {"$erased": True}), NotStorable),
        (NewEvent("", {}), ValueError),
    ):
        with pytest.raises(error):
            append_bulk([Append("photo-0", ANY, [rated()]), Append("photo-2", ANY, [event])])
    assert len(read_stream("photo-1")) == 1_001
    assert [read_stream(f"photo-{n}") for n in (0, 2, 3, 4)] == [[]] * 4
    assert append_bulk([]) == BulkAppended(0, frozenset())


@pytest.mark.parametrize(
    ("stream_id", "kind", "schema", "data"),
    [
        ("", "a.b", 1, {}),
        ("p" * 256, "a.b", 1, {}),
        ("photo-1", "", 1, {}),
        ("photo-1", "a.b", 0, {}),
        ("photo-1", "a.b", 1, []),
        ("photo-1", "a.b", 1, {"$erased": True}),
        ("photo-1", "a.b", 1, {"text": "x" * 2**20}),
    ],
)
def test_the_database_refuses_for_other_writers_too(stream_id: str, kind: str, schema: int, data: Any) -> None:
    into = "INSERT INTO event_incoming VALUES (0, %s, 0, 1, gen_random_uuid(), %s, %s, %s)"
    with pytest.raises(DatabaseError, match="allowed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT event_bulk_open()")
        cursor.execute(into, [stream_id, kind, schema, json.dumps(data)])
        cursor.execute("SELECT * FROM event_append_bulk('{}')")


def test_the_permission_to_write_ends_with_it() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        append_bulk(three_streams())
        cursor.execute("SELECT current_setting('events.writing', true)")
        assert cursor.fetchone() == ("",)


@committed
def test_consumers_hear_of_each_new_event_once_in_the_order_of_positions(consumers: Any, monkeypatch: Any) -> None:
    heard: list[Event] = []

    def hear(event: Event) -> None:
        if event.type == "photo.rated":
            append(f"log-{event.position}", NO_STREAM, [NewEvent("log.kept", {})])
        heard.append(event)

    consumers("all", HANDLERS={"photo.rated": hear, "log.kept": hear})
    monkeypatch.setattr(bulk, "_CHUNK", 3)
    streams = three_streams()
    append_bulk(streams[:1])
    append_bulk(streams)
    assert len(heard) == 12
    assert heard == read_all(0)


@committed
def test_an_error_in_a_consumer_undoes_everything(consumers: Any) -> None:
    def refuse(event: Event) -> None:
        raise RuntimeError("no")

    consumers("refusing", HANDLERS={"photo.rated": refuse})
    with pytest.raises(RuntimeError, match="no"):
        append_bulk(three_streams())
    assert positions() == []


def test_a_handler_may_not_append_in_bulk_during_a_replay() -> None:
    from events.consumers import replaying

    with replaying(), pytest.raises(EventError, match="replay"):
        append_bulk(three_streams())


@committed
def test_bulk_and_single_writers_of_the_same_streams_all_find_their_place() -> None:
    names = [f"photo-{n}" for n in range(4)]

    def one_by_one(names: list[str]) -> None:
        for _ in range(5):
            for name in names:
                append(name, ANY, [rated()])

    def in_bulk() -> None:
        for _ in range(5):
            append_bulk([Append(name, ANY, [rated(), rated()]) for name in names])

    results = race([in_bulk, in_bulk, partial(one_by_one, names), partial(one_by_one, names[::-1])])
    assert results == [None] * 4
    for name in names:
        events = read_stream(name)
        assert [event.version for event in events] == list(range(1, 31))
        assert [event.position for event in events] == sorted(event.position for event in events)
        assert verify_stream(name) == []


@committed
def test_the_same_bulk_at_the_same_time_is_recorded_once() -> None:
    for expected in (NO_STREAM, ANY):
        streams = [Append(f"photo-{uuid4()}", expected, [rated(), rated()]) for _ in range(20)]
        results = race([partial(append_bulk, streams)] * 4)
        assert sorted(result.appended for result in results) == [0, 0, 0, 40], results
        assert sum(len(result.replayed) for result in results) == 60


@committed
@pytest.mark.parametrize("ending", ["COMMIT", "ROLLBACK"])
def test_a_bulk_that_must_be_new_waits_for_who_makes_the_stream_at_the_same_time(
    ending: str, beside: Callable[[], psycopg.Connection], watcher: psycopg.Connection
) -> None:
    first = beside()
    first.execute("BEGIN")
    by_hand(first, "photo-1", NO_STREAM, rated(1))
    told, pid = threading.Event(), []

    def import_it() -> BulkAppended:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid.append(cursor.fetchone()[0])
            told.set()
        return append_bulk([Append("photo-0", NO_STREAM, [rated()]), Append("photo-1", NO_STREAM, [rated()])])

    def end_it() -> None:
        told.wait(60)
        waits(pid[0], watcher)
        first.execute(ending)

    result, _ = race([import_it, end_it])
    if ending == "ROLLBACK":
        assert result == BulkAppended(2, frozenset())
    else:
        assert isinstance(result, VersionConflict) and result.actual == 1
        assert read_stream("photo-0") == []
