"""Writers at the same time: one wins, nobody deadlocks, the same append is recorded once."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import transaction

from events.errors import EventIdConflict, VersionConflict
from events.event import Append, Appended, NewEvent
from events.store import ANY, NO_STREAM, append, append_many, read_stream
from tests.events.racing import race

pytestmark = pytest.mark.django_db(transaction=True)

BY_HAND = """
    SELECT outcome, version
    FROM event_append(%s, %s::bigint, %s::uuid[], %s::text[], %s::int[], %s::text[], '{}')
"""


def rated(stars: int = 5) -> NewEvent:
    return NewEvent("photo.rated", {"stars": stars})


def by_hand(connection: psycopg.Connection, stream_id: str, expected: int | None, *events: NewEvent) -> Any:
    """The function called on a connection of one's own, in a transaction that stays open."""
    count = len(events)
    ids, types = [event.event_id for event in events], [event.type for event in events]
    data = [f'{{"stars": {event.data["stars"]}}}' for event in events]
    return connection.execute(BY_HAND, [stream_id, expected, ids, types, [1] * count, data]).fetchall()


def waits(pid: int, watcher: psycopg.Connection) -> None:
    """Return when a server process waits for a lock."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        [(waiting,)] = watcher.execute(
            "SELECT coalesce(wait_event_type = 'Lock', false) FROM pg_stat_activity WHERE pid = %s", [pid]
        )
        if waiting:
            return
        time.sleep(0.005)
    raise AssertionError("it does not wait for any lock")


def test_of_writers_that_expect_the_same_version_exactly_one_wins() -> None:
    for version in range(10):
        results = race([partial(append, "photo-1", version, [rated()]) for _ in range(6)])
        won = [result for result in results if isinstance(result, Appended)]
        lost = [result for result in results if isinstance(result, VersionConflict)]
        assert (len(won), len(lost)) == (1, 5), results
        assert {error.actual for error in lost} == {version + 1}
    assert [event.version for event in read_stream("photo-1")] == list(range(1, 11))


def test_writers_in_any_mode_all_win_and_the_streams_order_is_the_order_of_positions() -> None:
    results = race([partial(append, "photo-1", ANY, [rated(), rated()]) for _ in range(10)])
    assert all(isinstance(result, Appended) for result in results), results
    events = read_stream("photo-1")
    assert [event.version for event in events] == list(range(1, 21))
    positions = [event.position for event in events]
    assert positions == sorted(positions)


def test_the_same_append_at_the_same_time_is_recorded_once() -> None:
    for number, expected in enumerate([ANY, NO_STREAM] * 5):
        events = [rated(1), rated(2)]
        results = race([partial(append, f"photo-{number}", expected, events) for _ in range(6)])
        assert Counter(result.replayed for result in results) == {True: 5, False: 1}
        assert len({result.positions for result in results}) == 1
        assert len(read_stream(f"photo-{number}")) == 2


def test_the_same_id_at_the_same_time_with_other_content_has_one_winner() -> None:
    for number in range(5):
        event = rated()
        others = [NewEvent("photo.rated", {"stars": stars}, event_id=event.event_id) for stars in range(4)]
        results = race([partial(append, f"photo-{number}", ANY, [other]) for other in others])
        assert Counter(type(result) for result in results) == {Appended: 1, EventIdConflict: 3}, results


@pytest.mark.parametrize(
    ("ending", "expected"), [("ROLLBACK", ("appended", 1)), ("COMMIT", ("version conflict", 1))]
)
def test_who_waits_for_a_racer_gets_the_place_only_if_that_one_rolls_back(
    ending: str, expected: Any, beside: Callable[[], psycopg.Connection], watcher: psycopg.Connection
) -> None:
    first, second = beside(), beside()
    first.execute("BEGIN")
    by_hand(first, "photo-1", NO_STREAM, rated(1))
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.extend(by_hand(second, "photo-1", NO_STREAM, rated(2))))
    waiting.start()
    waits(second.info.backend_pid, watcher)
    first.execute(ending)
    waiting.join()
    assert answers == [expected]


def test_any_mode_goes_on_top_of_a_racer_that_named_its_version(
    beside: Callable[[], psycopg.Connection], watcher: psycopg.Connection
) -> None:
    first, second = beside(), beside()
    first.execute("BEGIN")
    by_hand(first, "photo-1", NO_STREAM, rated(1))
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.extend(by_hand(second, "photo-1", None, rated(2), rated(3))))
    waiting.start()
    waits(second.info.backend_pid, watcher)
    first.execute("COMMIT")
    waiting.join()
    assert answers == [("appended", 2), ("appended", 3)]
    assert [event.data["stars"] for event in read_stream("photo-1")] == [1, 2, 3]


def test_batches_over_the_same_streams_in_opposite_orders_do_not_deadlock() -> None:
    streams = [f"photo-{number}" for number in range(12)]

    def batch(order: list[str]) -> None:
        for _ in range(8):
            append_many([Append(stream_id, ANY, [rated()]) for stream_id in order])

    results = race([partial(batch, order) for order in (streams, streams[::-1]) * 3])
    assert results == [None] * 6
    assert {len(read_stream(stream_id)) for stream_id in streams} == {48}


def test_a_conflict_met_in_a_race_leaves_the_callers_transaction_usable() -> None:
    def writer(number: int) -> int:
        with transaction.atomic():
            append(f"photo-own-{number}", NO_STREAM, [rated()])
            try:
                append("photo-shared", NO_STREAM, [rated()])
            except VersionConflict:
                return 0
        return 1

    results = race([partial(writer, number) for number in range(6)])
    assert sorted(results) == [0, 0, 0, 0, 0, 1]
    assert [len(read_stream(f"photo-own-{number}")) for number in range(6)] == [1] * 6
