"""Subscriptions see every event once and in order, get over every loss, and are silent at rest."""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from events import pulse, subscriptions
from events.delivery import Delivery, Next
from events.errors import SubscriptionError
from events.event import Event
from events.fence import read_all
from events.lag import fence_holder, lag
from events.models import Checkpoint
from events.subscriptions import Subscription
from tests.events.following import add, following, seen_by, until
from tests.events.racing import race

pytestmark = pytest.mark.django_db(transaction=True)

APPEND = """
    SELECT * FROM event_append(
        'test-slow', NULL, ARRAY[gen_random_uuid()], ARRAY['a.b'], ARRAY[1], ARRAY['{}'], '{}'
    )
"""


def processes(watcher: psycopg.Connection, kind: str) -> list[int]:
    rows = watcher.execute(
        "SELECT pid FROM pg_stat_activity WHERE application_name LIKE %s AND datname = current_database()",
        [f"% {kind}"],
    )
    return [pid for (pid,) in rows]


def test_nothing_is_missed_or_doubled_while_writers_race_and_roll_back() -> None:
    seen: list[Event] = []

    def write(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(60):
            with transaction.atomic():
                add(f"test-{chance.randrange(5)}", chance.randrange(1, 4))
                if chance.random() < 0.3:
                    time.sleep(chance.random() * 0.02)
                if chance.random() < 0.3:
                    transaction.set_rollback(True)

    with following(Subscription("everything", seen.extend, batch=7)):
        assert race([lambda seed=seed: write(seed) for seed in range(4)]) == [None] * 4
        recorded = [event.position for event in read_all(limit=10_000)]
        until(lambda: len(seen) >= len(recorded))
        time.sleep(0.1)
    assert len(recorded) > 200
    assert seen_by(seen) == recorded


def test_an_event_behind_a_writer_that_rolls_back_is_seen_although_nobody_says_so(
    beside: Callable[[], psycopg.Connection],
) -> None:
    seen: list[Event] = []
    slow = beside()
    with following(Subscription("patient", seen.extend)):
        slow.execute("BEGIN")
        slow.execute(APPEND)
        [position] = add("test-quick")
        time.sleep(0.3)
        assert seen == []
        slow.execute("ROLLBACK")
        until(lambda: seen)
    assert seen_by(seen) == [position]


def test_partitions_share_the_streams_and_another_number_of_them_is_refused() -> None:
    for number in range(40):
        add(f"test-{number}", 2)
    seen: dict[int, list[Event]] = {0: [], 1: [], 2: []}
    for partition, into in seen.items():
        delivery = Delivery(Subscription("shared", into.extend, partitions=3, batch=10), partition)
        while delivery.step() is Next.MORE:
            pass
    streams = [{event.stream_id for event in events} for events in seen.values()]
    assert all(streams) and sum(map(len, streams)) == len(set.union(*streams)) == 40
    assert sum(map(len, seen.values())) == 80
    with pytest.raises(SubscriptionError):
        Delivery(Subscription("shared", list, partitions=2)).step()


def test_who_is_overtaken_between_reading_and_handling_handles_nothing_twice() -> None:
    seen: list[Event] = []
    other = Delivery(Subscription("raced", seen.extend))

    class Overtaken(Delivery):
        def _read(self, after: int, until: int) -> list[Event]:
            events = super()._read(after, until)
            other.step()
            return events

    positions = add("test-1", 3)
    late = Overtaken(Subscription("raced", seen.extend))
    assert late.step() is Next.MORE
    assert late.step() is Next.REST
    assert seen_by(seen) == positions


def test_trouble_with_the_database_is_tried_again_and_taken_for_no_poison(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls: list[int] = []
    seen: list[Event] = []

    def unlucky(events: Sequence[Event]) -> None:
        calls.append(len(events))
        if len(calls) < 3:
            raise OperationalError("the server closed the connection unexpectedly")
        seen.extend(events)

    positions = add("test-1", 2)
    with caplog.at_level(logging.WARNING), following(Subscription("unlucky", unlucky)):
        until(lambda: seen)
    assert seen_by(seen) == positions
    assert calls == [2, 2, 2]
    assert "waits for the database" in caplog.text
    assert Checkpoint.objects.get(name="unlucky").state == "running"


def test_a_terminated_connection_of_the_handler_costs_nothing(watcher: psycopg.Connection) -> None:
    seen: list[Event] = []

    def cut_off(events: Sequence[Event]) -> None:
        if not seen and not cut:
            cut.append(True)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                watcher.execute("SELECT pg_terminate_backend(%s)", cursor.fetchone())
                time.sleep(0.05)
                cursor.execute("SELECT 1")
        seen.extend(events)

    cut: list[bool] = []
    with following(Subscription("cut", cut_off)):
        positions = add("test-1", 3)
        until(lambda: seen)
    assert cut and seen_by(seen) == positions


def test_the_next_event_comes_soon_after_the_listening_connection_was_killed(watcher: psycopg.Connection) -> None:
    seen: list[Event] = []
    with following(Subscription("listening", seen.extend)):
        add("test-1")
        until(lambda: len(seen) == 1 and processes(watcher, "listener"))
        [pid] = processes(watcher, "listener")
        watcher.execute("SELECT pg_terminate_backend(%s)", [pid])
        add("test-1")
        until(lambda: len(seen) == 2)


def test_a_notification_that_never_came_is_healed_by_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []
    with following(Subscription("deaf", lambda events: seen.extend([time.monotonic()] * len(events))), sweep=1.0):
        add("test-1")
        until(lambda: len(seen) == 1)
        pulse.close()
        monkeypatch.setattr(pulse._Sender, "_send", lambda *_: None)
        # What was sent before may still be on its way to the first of these.
        for count in (2, 3, 4):
            add("test-1")
            until(lambda count=count: len(seen) == count)
    assert seen[3] - seen[2] >= 1, "nobody told it, and it does not poll"


def test_a_lost_lock_is_taken_again_and_work_goes_on(watcher: psycopg.Connection) -> None:
    seen: list[Event] = []
    with following(Subscription("locked", seen.extend)):
        add("test-1")
        until(lambda: len(seen) == 1)
        [pid] = processes(watcher, "runner")
        watcher.execute("SELECT pg_terminate_backend(%s)", [pid])
        add("test-1")
        until(lambda: len(seen) == 2)
        until(lambda: lag()[0].runner not in (None, pid))
    until(lambda: lag()[0].runner is None)


def test_a_second_runner_returns_at_once_when_it_shall_not_wait() -> None:
    first: list[Event] = []
    second: list[Event] = []
    add("test-1")
    with following(Subscription("alone", first.extend)):
        until(lambda: first)
        with following(Subscription("alone", second.extend), wait=False):
            add("test-1")
            until(lambda: len(first) == 2)
    assert second == []


def test_a_subscription_at_rest_runs_no_statement(watcher: psycopg.Connection) -> None:
    seen: list[Event] = []
    with following(Subscription("idle", seen.extend)):
        add("test-1")
        until(lambda: seen)
        pulse.close()
        statement = (
            "SELECT pid, query_start, state FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid() "
            # It has just been closed here; there its end may come a moment later.
            "AND application_name NOT LIKE '% pulse' ORDER BY pid"
        )
        for _ in range(10):  # what belongs to the start comes to an end
            before = watcher.execute(statement).fetchall()
            time.sleep(1.5)
            if watcher.execute(statement).fetchall() == before:
                break
        else:
            pytest.fail("it never falls silent")
        assert len(before) >= 3, "the runner's lock, its listener and its worker are there"
        assert {state for _, _, state in before} == {"idle"}


def test_lag_says_how_far_behind_and_who_holds_the_fence(beside: Callable[[], psycopg.Connection]) -> None:
    assert fence_holder() is None
    delivery = Delivery(Subscription("late", lambda _: None))
    delivery.step()
    add("test-1", 3)
    [late] = lag()
    assert (late.name, late.partition, late.behind, late.parked, late.runner) == ("late", 0, 3, (), None)
    assert late.seconds > 0
    delivery.step()
    [caught_up] = lag()
    assert (caught_up.behind, caught_up.seconds) == (0, 0.0)
    writer = beside()
    writer.execute("BEGIN")
    writer.execute("LOCK TABLE event IN ROW EXCLUSIVE MODE")
    holder = fence_holder()
    assert holder is not None
    assert (holder.pid, holder.prepared) == (writer.info.backend_pid, None)
    assert holder.application.endswith("beside") and holder.query_start and holder.began
    if writer.execute("SHOW max_prepared_transactions").fetchone() != ("0",):
        writer.execute("SELECT pg_current_xact_id()")
        writer.execute("PREPARE TRANSACTION 'left behind'")
        prepared = fence_holder()
        writer.execute("ROLLBACK PREPARED 'left behind'")
        assert prepared is not None
        assert (prepared.pid, prepared.prepared) == (None, "left behind") and prepared.began


def test_stopping_lets_the_batch_in_hand_finish() -> None:
    begun, finished = threading.Event(), threading.Event()

    def slow(events: Sequence[Event]) -> None:
        begun.set()
        time.sleep(0.4)
        finished.set()

    [position] = add("test-1")
    with following(Subscription("slow", slow)):
        assert begun.wait(60)
    assert finished.is_set()
    assert Checkpoint.objects.get(name="slow").position == position
    assert subscriptions.resume("slow") == 0
