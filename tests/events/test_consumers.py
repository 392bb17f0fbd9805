"""Consumers hear of events in the transaction that records them, in order, and see them lifted."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from events import consumers as told
from events.event import Append, Event, NewEvent
from events.models import StoredEvent
from events.store import ANY, CHANNEL, NO_STREAM, append, append_many, read_stream

pytestmark = pytest.mark.django_db(transaction=True)


def rated(stars: int = 5) -> NewEvent:
    return NewEvent("photo.rated", {"stars": stars})


class Refusal(Exception):
    pass


def refuse(event: Event) -> None:
    raise Refusal


def test_consumers_are_called_in_the_order_of_the_settings_for_the_types_they_handle(
    consumers: Callable[..., None],
) -> None:
    heard: list[tuple[str, int]] = []
    consumers("rows", HANDLERS={"photo.rated": lambda event: heard.append(("rows", event.data["stars"]))})
    consumers("jobs", HANDLERS={"photo.rated": lambda event: heard.append(("jobs", event.data["stars"]))})
    consumers("deaf", HANDLERS={"photo.titled": refuse})
    append("photo-1", NO_STREAM, [rated(1), rated(2)])
    assert heard == [("rows", 1), ("jobs", 1), ("rows", 2), ("jobs", 2)]


def test_a_consumer_writes_in_the_same_transaction_as_the_event(
    consumers: Callable[..., None], watcher: psycopg.Connection
) -> None:
    seen: list[tuple[bool, bool]] = []

    def look(event: Event) -> None:
        mine = bool(read_stream(event.stream_id))
        others = watcher.execute("SELECT count(*) FROM event WHERE stream_id = %s", [event.stream_id]).fetchone()
        seen.append((mine, others != (0,)))

    consumers("rows", HANDLERS={"photo.rated": look})
    append("photo-1", NO_STREAM, [rated()])
    assert seen == [(True, False)], "there for the consumer, not yet for anybody else"


def test_an_error_in_a_consumer_leaves_no_event(consumers: Callable[..., None]) -> None:
    consumers("rows", HANDLERS={"photo.rated": refuse})
    with pytest.raises(Refusal):
        append("photo-1", NO_STREAM, [rated()])
    with pytest.raises(Refusal):
        append_many([Append("photo-1", NO_STREAM, [rated()]), Append("photo-2", ANY, [rated()])])
    assert read_stream("photo-1") == []


def test_an_error_in_a_consumer_takes_the_callers_transaction_with_it(consumers: Callable[..., None]) -> None:
    consumers("rows", HANDLERS={"photo.rated": refuse})
    with transaction.atomic():
        append("photo-1", NO_STREAM, [NewEvent("photo.titled", {})])
        with pytest.raises(Refusal):
            append("photo-1", 1, [rated()])
    assert read_stream("photo-1") == [], "even when the caller swallows the error"


def test_a_replayed_append_tells_nobody(consumers: Callable[..., None], watcher: psycopg.Connection) -> None:
    heard: list[Event] = []
    consumers("rows", HANDLERS={"photo.rated": heard.append})
    event = rated()
    append("photo-1", NO_STREAM, [event])
    append("photo-1", NO_STREAM, [event])
    append_many([Append("photo-1", NO_STREAM, [event]), Append("photo-2", NO_STREAM, [rated()])])
    assert [event.stream_id for event in heard] == ["photo-1", "photo-2"]


def test_several_streams_are_told_in_the_order_of_positions(consumers: Callable[..., None]) -> None:
    heard: list[Event] = []
    consumers("rows", HANDLERS={"photo.rated": heard.append})
    append_many([Append("photo-b", ANY, [rated(), rated()]), Append("photo-a", ANY, [rated()])])
    assert [event.stream_id for event in heard] == ["photo-a", "photo-b", "photo-b"]


def test_an_event_that_a_consumer_appends_is_told_after_the_one_in_hand(consumers: Callable[..., None]) -> None:
    heard: list[tuple[str, str]] = []

    def follow(event: Event) -> None:
        heard.append(("first", event.type))
        append("photo-1", ANY, [NewEvent("photo.processed", {})])

    consumers(
        "first",
        HANDLERS={"photo.rated": follow, "photo.processed": lambda event: heard.append(("first", event.type))},
    )
    types = ("photo.rated", "photo.processed")
    consumers("second", HANDLERS=dict.fromkeys(types, lambda event: heard.append(("second", event.type))))
    append("photo-1", NO_STREAM, [rated()])
    assert heard == [
        ("first", "photo.rated"),
        ("second", "photo.rated"),
        ("first", "photo.processed"),
        ("second", "photo.processed"),
    ]


def test_handlers_leave_things_for_those_that_hear_of_the_same_append_and_for_nobody_else(
    consumers: Callable[..., None],
) -> None:
    seen: list[list[object]] = []

    def leave(event: Event) -> None:
        kept = told.kept()
        assert kept is not None
        seen.append(list(kept))
        kept[event.event_id] = True

    consumers("rows", HANDLERS={"photo.rated": leave})
    consumers("more", HANDLERS={"photo.rated": leave})
    first = append("photo-1", NO_STREAM, [rated(1), rated(2)]).events
    append("photo-1", 2, [rated(3)])
    ids = [event.event_id for event in first]
    assert seen[:5] == [[], ids[:1], ids[:1], ids, []], "and the next append begins anew"
    assert told.kept() is None


def test_nothing_is_kept_in_a_replay(consumers: Callable[..., None]) -> None:
    found: list[object] = []
    consumers("rows", HANDLERS={"photo.rated": lambda _: found.append(told.kept())}, TABLES=(StoredEvent,))
    append("photo-1", NO_STREAM, [rated()])
    [event] = read_stream("photo-1")
    with told.replaying():
        told.deliver(event, told.all_consumers())
    assert found == [{}, None]


def test_old_payloads_are_lifted_for_readers_and_consumers(
    consumers: Callable[..., None], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("lifts_of_the_test")
    vars(module)["LIFTS"] = {
        ("photo.rated", 1): lambda data: {**data, "scale": 5},
        ("photo.rated", 2): lambda data: {**data, "stars": data["stars"] * 2, "scale": 10},
    }
    monkeypatch.setitem(sys.modules, module.__name__, module)
    settings.EVENT_LIFTS = module.__name__
    heard: list[Event] = []
    consumers("rows", HANDLERS={"photo.rated": heard.append})

    append("photo-1", NO_STREAM, [NewEvent("photo.rated", {"stars": 4, "unknown": "kept"})])
    append("photo-1", 1, [NewEvent("photo.rated", {"stars": 9, "scale": 10}, schema_version=3)])
    old, new = read_stream("photo-1")
    assert heard == [old, new]
    assert (old.schema_version, old.data) == (3, {"stars": 8, "scale": 10, "unknown": "kept"})
    assert (new.schema_version, new.data) == (3, {"stars": 9, "scale": 10})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT schema_version, data->>'stars' FROM event WHERE stream_id = 'photo-1' ORDER BY version"
        )
        assert cursor.fetchone() == (1, "4"), "stored as it was"


def test_an_append_is_followed_by_a_pulse_and_a_rolled_back_one_is_not(watcher: psycopg.Connection) -> None:
    watcher.execute(f"LISTEN {CHANNEL}")
    with transaction.atomic():
        append("photo-1", NO_STREAM, [rated()])
        transaction.set_rollback(True)
    assert list(watcher.notifies(timeout=0.2)) == []
    append("photo-1", NO_STREAM, [rated()])
    assert len(list(watcher.notifies(timeout=60, stop_after=1))) == 1


def test_an_append_that_nobody_hears_is_one_prepared_statement_with_no_transaction_around_it(
    consumers: Callable[..., None], watcher: psycopg.Connection
) -> None:
    consumers("deaf", HANDLERS={"photo.titled": refuse})
    for _ in range(8):
        append("photo-1", ANY, [rated()])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()
        # One for each set of the parameters' types: other tests may have left some.
        cursor.execute(
            "SELECT count(*) > 0 FROM pg_prepared_statements WHERE statement LIKE '%%event_append_one(%%'"
        )
        assert cursor.fetchone() == (True,)
    append("photo-1", ANY, [rated()])
    last = "SELECT query LIKE '%%event_append_one(%%' FROM pg_stat_activity WHERE pid = %s"
    assert watcher.execute(last, pid).fetchone() == (True,), "not COMMIT"
