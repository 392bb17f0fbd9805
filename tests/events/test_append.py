"""Appending: versions, idempotency, metadata, limits, several streams."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.encoding import MAX_DATA_BYTES
from events.errors import (
    EventIdConflict,
    EventTooLarge,
    MetaTooLarge,
    NotStorable,
    TooManyEvents,
    VersionConflict,
)
from events.event import Append, Meta, NewEvent
from events.models import StoredEvent
from events.store import ANY, NO_STREAM, append, append_many, read_stream

pytestmark = pytest.mark.django_db


def rated(stars: int = 5) -> NewEvent:
    return NewEvent("photo.rated", {"stars": stars})


def types_in(stream_id: str) -> list[str]:
    return [event.type for event in read_stream(stream_id)]


def test_events_are_read_back_as_they_were_recorded() -> None:
    meta = Meta(command_id=UUID(int=7), actor="account-1", source="web", code_version="0.1.0")
    events = [rated(3), NewEvent("photo.titled", {"title": "Grüße 🎞", "n": [1, 2.5, None]}, schema_version=2)]
    before = datetime.now(UTC)
    appended = append("photo-1", NO_STREAM, events, meta)
    first, second = read_stream("photo-1")

    assert (first, second) == appended.events
    assert (appended.version, appended.replayed) == (2, False)
    assert appended.positions == (first.position, second.position)
    assert first.position < second.position
    assert [first.version, second.version] == [1, 2]
    assert (second.category, second.type, second.schema_version) == ("photo", "photo.titled", 2)
    assert second.name == "photo.titled.v2"
    assert second.event_id == events[1].event_id
    assert second.data == {"title": "Grüße 🎞", "n": [1, 2.5, None]}
    assert second.meta == {
        "command_id": str(UUID(int=7)),
        "actor": "account-1",
        "source": "web",
        "code_version": "0.1.0",
    }
    assert before - timedelta(seconds=1) < first.recorded_at < datetime.now(UTC) + timedelta(seconds=1)


def test_a_stream_is_read_after_a_version_and_up_to_a_limit() -> None:
    append("photo-1", ANY, [rated(stars) for stars in range(5)])
    append("photo-2", ANY, [rated()])
    assert [event.version for event in read_stream("photo-1", after=2)] == [3, 4, 5]
    assert [event.version for event in read_stream("photo-1", after=1, limit=2)] == [2, 3]
    assert read_stream("photo-0") == []


def test_the_model_reads_rows_as_they_are_stored() -> None:
    append("photo-1", ANY, [rated()])
    row = StoredEvent.objects.get(stream_id="photo-1")
    assert (row.version, row.category, row.data) == (1, "photo", {"stars": 5})


@pytest.mark.parametrize("expected", [NO_STREAM, 1, 3])
def test_a_wrong_expected_version_is_a_conflict_that_names_the_actual_one(expected: int) -> None:
    append("photo-1", NO_STREAM, [rated(), rated()])
    with pytest.raises(VersionConflict) as caught:
        append("photo-1", expected, [rated()])
    assert (caught.value.stream_id, caught.value.expected, caught.value.actual) == ("photo-1", expected, 2)
    assert len(read_stream("photo-1")) == 2


def test_a_stream_that_is_not_there_is_at_version_0() -> None:
    with pytest.raises(VersionConflict) as caught:
        append("photo-1", 4, [rated()])
    assert caught.value.actual == 0


def test_a_conflict_leaves_the_callers_transaction_usable() -> None:
    append("photo-1", NO_STREAM, [rated()])
    with transaction.atomic():
        with pytest.raises(VersionConflict) as caught:
            append("photo-1", NO_STREAM, [rated()])
        append("photo-1", caught.value.actual, [rated()])
    assert len(read_stream("photo-1")) == 2


def test_the_same_append_again_adds_nothing_and_gives_the_first_result() -> None:
    events = [rated(1), rated(2), rated(3)]
    first = append("photo-1", NO_STREAM, events, Meta(actor="first"))
    append("photo-1", ANY, [rated(4)])
    for expected in (NO_STREAM, ANY, 4):
        again = append("photo-1", expected, events, Meta(actor="again"))
        assert again == replace(first, replayed=True)
    assert len(read_stream("photo-1")) == 4


def test_one_event_again_in_any_mode_adds_nothing() -> None:
    event = rated()
    first = append("photo-1", ANY, [event])
    again = append("photo-1", ANY, [replace(event, data=dict(event.data))])
    assert again.replayed and again.events == first.events
    assert len(read_stream("photo-1")) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"stars": 1}},
        {"type": "photo.unrated"},
        {"schema_version": 2},
    ],
)
@pytest.mark.parametrize("expected", [NO_STREAM, 1, ANY])
def test_the_same_id_with_other_content_is_a_conflict(change: dict[str, object], expected: int | None) -> None:
    event = rated()
    append("photo-1", NO_STREAM, [event])
    with pytest.raises(EventIdConflict) as caught:
        append("photo-1", expected, [replace(event, **change)])  # type: ignore[arg-type]
    assert caught.value.event_ids == (event.event_id,)
    assert len(read_stream("photo-1")) == 1


def test_an_id_of_another_stream_is_a_conflict() -> None:
    event = rated()
    append("photo-1", NO_STREAM, [event])
    with pytest.raises(EventIdConflict):
        append("photo-2", NO_STREAM, [event])
    assert read_stream("photo-2") == []


def test_ids_that_are_taken_in_part_or_in_another_order_are_a_conflict() -> None:
    one, two, three = rated(1), rated(2), rated(3)
    append("photo-1", NO_STREAM, [one, two])
    for events in ([three, one], [two, three], [two, one]):
        for expected in (ANY, 2):
            with pytest.raises(EventIdConflict):
                append("photo-1", expected, events)
    assert len(read_stream("photo-1")) == 2


def test_one_id_twice_in_one_append_is_a_conflict() -> None:
    event = rated()
    with pytest.raises(EventIdConflict):
        append("photo-1", NO_STREAM, [event, event])


def test_a_rolled_back_append_leaves_nothing() -> None:
    event = rated()
    with transaction.atomic():
        append("photo-1", NO_STREAM, [event])
        transaction.set_rollback(True)
    assert read_stream("photo-1") == []
    assert append("photo-1", NO_STREAM, [event]).replayed is False


def test_several_streams_are_written_in_one_call_and_answered_in_the_callers_order() -> None:
    append("photo-b", NO_STREAM, [rated()])
    results = append_many(
        [Append("photo-b", 1, [rated(), rated()]), Append("photo-a", ANY, [rated()])], Meta(actor="me")
    )
    assert [result.version for result in results] == [3, 1]
    assert results[0].events == tuple(read_stream("photo-b", after=1))
    assert results[1].events == tuple(read_stream("photo-a"))
    assert results[1].positions[0] < results[0].positions[0], "positions follow the streams' order"


def test_a_conflict_in_one_of_several_streams_leaves_all_as_they_were() -> None:
    append("photo-b", NO_STREAM, [rated()])
    with transaction.atomic():
        with pytest.raises(VersionConflict) as caught:
            append_many([Append("photo-a", NO_STREAM, [rated()]), Append("photo-b", NO_STREAM, [rated()])])
        assert (caught.value.stream_id, caught.value.actual) == ("photo-b", 1)
        assert read_stream("photo-a") == []
    taken = rated()
    append("photo-c", NO_STREAM, [taken])
    with pytest.raises(EventIdConflict) as clash:
        append_many([Append("photo-a", NO_STREAM, [rated()]), Append("photo-d", NO_STREAM, [taken])])
    assert clash.value.event_ids == (taken.event_id,)
    assert read_stream("photo-a") == []


def test_several_streams_again_add_nothing() -> None:
    appends = [Append("photo-a", NO_STREAM, [rated()]), Append("photo-b", ANY, [rated(), rated()])]
    first = append_many(appends)
    again = append_many(appends)
    assert [result.replayed for result in again] == [True, True]
    assert [result.events for result in again] == [result.events for result in first]


def test_a_stream_named_twice_in_one_call_is_refused() -> None:
    with pytest.raises(ValueError, match="named twice"):
        append_many([Append("photo-a", ANY, [rated()]), Append("photo-a", ANY, [rated()])])


def test_a_thousand_events_fit_in_one_call_and_one_more_does_not() -> None:
    assert append("photo-1", NO_STREAM, [rated() for _ in range(1000)]).version == 1000
    with pytest.raises(TooManyEvents, match=r"1,001 events.*1,000 allowed"):
        append("photo-2", NO_STREAM, [rated() for _ in range(1001)])
    with pytest.raises(TooManyEvents):
        append_many([Append(f"photo-{n}", ANY, [rated() for _ in range(501)]) for n in (3, 4)])
    assert [read_stream(f"photo-{n}") for n in (2, 3, 4)] == [[], [], []]


def test_data_of_64_kib_fit_and_one_byte_more_do_not() -> None:
    room = MAX_DATA_BYTES - len(json.dumps({"text": ""}, separators=(",", ":")))
    append("photo-1", NO_STREAM, [NewEvent("photo.noted", {"text": "x" * room})])
    with pytest.raises(EventTooLarge, match=r"photo\.noted: 65,537 bytes"):
        append("photo-1", 1, [NewEvent("photo.noted", {"text": "x" * (room + 1)})])
    with pytest.raises(EventTooLarge):
        append("photo-1", 1, [NewEvent("photo.noted", {"text": "ü" * (room // 2 + 1)})])


def test_metadata_of_more_than_8_kib_are_refused() -> None:
    append("photo-1", NO_STREAM, [rated()], Meta(source="x" * 8000))
    with pytest.raises(MetaTooLarge):
        append("photo-1", 1, [rated()], Meta(source="x" * 8192))


def test_the_database_holds_the_limits_for_other_writers_too() -> None:
    call = "SELECT * FROM event_append('photo-1', 0, %s::uuid[], %s::text[], %s::int[], %s::text[], %s)"
    huge = json.dumps({"text": "x" * MAX_DATA_BYTES})
    for count, data, meta in ((1, huge, "{}"), (1, "{}", json.dumps({"s": "x" * 8192})), (1001, "{}", "{}")):
        arguments = [[uuid4() for _ in range(count)], ["a.b"] * count, [1] * count, [data] * count, meta]
        with pytest.raises(Exception, match="allowed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(call, arguments)


@pytest.mark.parametrize(
    "data",
    [
        {"text": "a\0b"},
        {"deep": [{"nul\0key": 1}]},
        {"text": "\ud800"},
        {"number": float("nan")},
        {"number": float("inf")},
        {"when": datetime(2024, 5, 1, tzinfo=UTC)},
        {"$erased": True},
    ],
)
def test_what_postgresql_cannot_keep_is_refused_with_its_reason(data: dict[str, object]) -> None:
    with transaction.atomic():
        with pytest.raises(NotStorable, match=r"data of photo\.noted: ."):
            append("photo-1", NO_STREAM, [NewEvent("photo.noted", data)])
        assert read_stream("photo-1") == [], "the transaction is usable"


def test_text_that_only_looks_like_an_escaped_nul_is_kept() -> None:
    append("photo-1", NO_STREAM, [NewEvent("photo.noted", {"text": "C:\\u0000"})])
    assert read_stream("photo-1")[0].data == {"text": "C:\\u0000"}


def test_nothing_to_append_and_bad_names_are_refused() -> None:
    for stream_id, events in (
        ("photo-1", []),
        ("", [rated()]),
        ("p" * 256, [rated()]),
        ("photo-1", [NewEvent("", {})]),
        ("photo-1", [replace(rated(), schema_version=0)]),
    ):
        with pytest.raises(ValueError, match=r"photo-1|stream id|event type|photo\.rated"):
            append(stream_id, ANY, events)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def decimals(data: object) -> object:
    """JSON's numbers as they are written: 1e+22 and 10000000000000000000000 are the same."""
    return json.loads(json.dumps(data), parse_float=Decimal, parse_int=Decimal)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.dictionaries(texts, values, max_size=4).filter(lambda data: "$erased" not in data))
def test_what_a_consumer_hears_at_once_is_what_a_replay_tells_it_later(data: dict[str, object]) -> None:
    """Down to the order of keys and the types of numbers, which PostgreSQL may change."""
    stream_id = f"photo-{uuid4()}"
    told = append(stream_id, NO_STREAM, [NewEvent("photo.noted", data)]).events
    assert decimals(told[0].data) == decimals(data)
    assert repr([event.data for event in told]) == repr([event.data for event in read_stream(stream_id)])
