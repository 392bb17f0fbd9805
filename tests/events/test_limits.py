"""Each limit to the byte, in Python and in the database; whoever meets one learns what, how large and how much."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from events.encoding import MAX_DATA_BYTES, MAX_META_BYTES
from events.errors import (
    EventError,
    EventIdConflict,
    EventTooLarge,
    LimitExceeded,
    MetaTooLarge,
    NotStorable,
    TooManyEvents,
    VersionConflict,
)
from events.event import Append, Meta, NewEvent
from events.store import ANY, NO_STREAM, append, append_many, read_stream

pytestmark = pytest.mark.django_db

BY_HAND = "SELECT * FROM event_append(%s, 0, %s::uuid[], %s::text[], %s::int[], %s::text[], %s)"


def done(**data: Any) -> NewEvent:
    return NewEvent("test.done", data)


def filled(size: int) -> dict[str, str]:
    """Data of so many bytes as JSON, in characters of two bytes and one of one if need be."""
    room = size - len(json.dumps({"t": ""}, separators=(",", ":")))
    return {"t": "ü" * (room // 2) + "x" * (room % 2)}


def test_data_and_metadata_fit_to_the_byte() -> None:
    source = "x" * (MAX_META_BYTES - len(json.dumps({"actor": "system", "source": ""}, separators=(",", ":"))))
    append("test-1", NO_STREAM, [done(**filled(MAX_DATA_BYTES))], Meta(source=source))
    [event] = read_stream("test-1")
    assert (event.data, event.meta["source"]) == (filled(MAX_DATA_BYTES), source)
    with pytest.raises(EventTooLarge) as large:
        append("test-2", NO_STREAM, [done(), done(**filled(MAX_DATA_BYTES + 1))])
    with pytest.raises(MetaTooLarge) as meta:
        append("test-2", NO_STREAM, [done()], Meta(source=source + "x"))
    with pytest.raises(TooManyEvents) as many:
        append_many([Append("test-2", ANY, [done()]), Append("test-3", ANY, [done() for _ in range(1000)])])
    assert [(one.value.size, one.value.limit) for one in (large, meta, many)] == [
        (65_537, 65_536),
        (8_193, 8_192),
        (1_001, 1_000),
    ]
    assert read_stream("test-2") == read_stream("test-3") == []


def test_names_fit_to_the_character() -> None:
    stream, kind = "ü" * 255, "é" * 255
    append(stream, NO_STREAM, [NewEvent(kind, {})])
    assert [event.type for event in read_stream(stream)] == [kind]
    for bad in (stream + "x", "", "a\0b", "a\ud800"):
        with pytest.raises(ValueError):
            append(bad, NO_STREAM, [done()])
        with pytest.raises(ValueError):
            append("test-1", NO_STREAM, [NewEvent(bad, {})])
    assert append("test-1", NO_STREAM, [done()]).version == 1, "the transaction is usable"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"data": json.dumps(filled(MAX_DATA_BYTES + 1), ensure_ascii=False, separators=(",", ":"))},
            "65537 bytes",
        ),
        ({"meta": json.dumps({"s": "x" * MAX_META_BYTES})}, "metadata of"),
        ({"meta": "[]"}, "an object"),
        ({"data": "[]"}, "an object"),
        ({"data": '{"$erased": true}'}, "tombstone"),
        ({"stream": "x" * 256}, "256 characters"),
        ({"stream": ""}, "0 characters"),
        ({"type": ""}, 'type ""'),
        ({"type": "x" * 256}, "255 characters"),
        ({"schema": 0}, "schema version 0"),
        ({"count": 1001}, "1001 events"),
        ({"count": 0}, "0 events"),
    ],
)
def test_the_database_refuses_the_same_from_any_other_client(changed: dict[str, Any], words: str) -> None:
    wanted = {
        "stream": "test-1",
        "type": "test.done",
        "schema": 1,
        "data": "{}",
        "meta": "{}",
        "count": 1,
    } | changed
    count = wanted["count"]
    arrays = [[uuid4() for _ in range(count)], *([wanted[name]] * count for name in ("type", "schema", "data"))]
    with pytest.raises(DatabaseError, match=words) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BY_HAND, [wanted["stream"], *arrays, wanted["meta"]])
    assert caught.value.__cause__.sqlstate == "EV003"  # type: ignore[union-attr]
    assert read_stream("test-1") == []


def test_arrays_that_differ_in_length_are_refused() -> None:
    with (
        pytest.raises(DatabaseError, match="differ in number"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(BY_HAND, ["test-1", [uuid4(), uuid4()], ["test.done"], [1], ["{}"], "{}"])


def test_data_that_nest_without_end_or_have_endless_numbers_are_refused_with_a_reason() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"d": deep}
    for data in (deep, {"n": 10**5_000}):
        with pytest.raises(NotStorable, match=r"data of test\.done: ."):
            append("test-1", NO_STREAM, [NewEvent("test.done", data)])
    with pytest.raises(NotStorable, match="metadata: "):
        append("test-1", NO_STREAM, [done()], Meta(actor="a\0b"))
    assert append("test-1", NO_STREAM, [done()]).version == 1


def test_every_refusal_is_an_event_error_that_carries_what_its_handler_needs() -> None:
    event = done()
    append("test-1", NO_STREAM, [event])
    with pytest.raises(EventError) as conflict:
        append_many([Append("test-0", ANY, [done()]), Append("test-1", 7, [done()])])
    with pytest.raises(EventError) as taken:
        append_many([Append("test-0", ANY, [done()]), Append("test-2", ANY, [event])])
    assert isinstance(conflict.value, VersionConflict)
    assert vars(conflict.value) == {"stream_id": "test-1", "expected": 7, "actual": 1}
    assert str(conflict.value) == "stream test-1 is at version 1, not at 7"
    assert isinstance(taken.value, EventIdConflict)
    assert vars(taken.value) == {"stream_id": "test-2", "event_ids": (event.event_id,)}
    assert all(issubclass(kind, LimitExceeded) for kind in (EventTooLarge, MetaTooLarge, TooManyEvents))
    assert read_stream("test-0") == []


def test_an_append_to_many_of_which_a_part_was_recorded_before_adds_the_rest() -> None:
    before, new = done(n=1), done(n=2)
    append("test-1", NO_STREAM, [before])
    first, second = append_many([Append("test-1", NO_STREAM, [before]), Append("test-2", NO_STREAM, [new])])
    assert (first.replayed, second.replayed) == (True, False)
    assert [len(read_stream(name)) for name in ("test-1", "test-2")] == [1, 1]
