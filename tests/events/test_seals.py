"""Complete blocks of the log are sealed, each seal tied to the one before."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from events.erasure import erase
from events.models import Seal, StoredEvent
from events.seals import BLOCK, seal_blocks
from events.store import read_stream
from events.subscriptions import Subscription
from tests.events.following import add, following, until

pytestmark = pytest.mark.django_db


def go_on_at(position: int) -> None:
    """The next event gets this position: gaps are ordinary, and this one saves time."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE event ALTER COLUMN position RESTART WITH {position}")


def seal_all() -> None:
    from events.fence import read_between

    seal_blocks(read_between(0, 2**62, 100_000))


def test_a_block_is_sealed_once_all_its_positions_are_final() -> None:
    go_on_at(BLOCK * 7 - 2)
    add("photo-1", 3)
    seal_all()
    [seal] = Seal.objects.all()
    assert (seal.number, seal.first_position, seal.last_position, seal.events) == (1, 1, BLOCK * 7, 3)
    add("photo-1", 2)
    seal_all()
    assert Seal.objects.count() == 1, "the next block is not complete"
    go_on_at(BLOCK * 9 + 5)
    add("photo-2", 1)
    seal_all()
    first, second = Seal.objects.all()
    assert (second.first_position, second.last_position, second.events) == (BLOCK * 7 + 1, BLOCK * 8, 2)
    assert bytes(second.previous_root) == bytes(first.root)


def test_a_root_is_what_the_documentation_says_and_stays_so_after_an_erasure() -> None:
    go_on_at(BLOCK - 1)
    add("photo-1", 2, title="Oma")
    erase([read_stream("photo-1")[0].event_id], actor="me", reason="asked to")
    seal_all()
    [seal] = Seal.objects.all()
    leaves = b""
    for row in StoredEvent.objects.all():
        moment = round(row.recorded_at.timestamp() * 1_000_000)
        meta = json.dumps(row.meta).encode()
        leaves += row.position.to_bytes(8, "big") + moment.to_bytes(8, "big")
        leaves += hashlib.sha256(meta).digest() + bytes(row.chain_hash)
    numbers = b"".join(number.to_bytes(8, "big") for number in (1, 1, BLOCK, 2))
    root = hashlib.sha256(bytes(32) + numbers + hashlib.sha256(leaves).digest()).digest()
    assert bytes(seal.root) == root


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE event_seal SET events = 0",
        "DELETE FROM event_seal",
        "TRUNCATE event_seal",
        "INSERT INTO event_seal VALUES (9, 1, 2, 0, '', '', now())",
    ],
)
def test_seals_are_immutable(change: str) -> None:
    with pytest.raises(DatabaseError, match="refused"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


@pytest.mark.django_db(transaction=True)
def test_the_sealer_is_a_subscription_that_catches_up_and_goes_on(watcher: Any) -> None:
    add("photo-1", 1)
    [start] = read_stream("photo-1")
    block = (start.position // BLOCK + 2) * BLOCK
    go_on_at(block)
    add("photo-1", 3)
    with following(Subscription("seals", seal_blocks, linger=0.01)):
        until(lambda: Seal.objects.count() == 2)
        go_on_at(block + BLOCK)
        add("photo-1", 1)
        until(lambda: Seal.objects.count() == 3)
    assert [seal.last_position for seal in Seal.objects.all()][1:] == [block, block + BLOCK]


@pytest.mark.django_db(transaction=True)
def test_events_gather_for_a_handler_in_no_hurry() -> None:
    seen: list[int] = []
    slow = Subscription("slow", lambda events: seen.append(len(events)), linger=0.3)
    with following(slow):
        add("photo-1", 1)
        until(lambda: seen == [1])
        for _ in range(5):
            add("photo-1", 1)
        until(lambda: sum(seen) == 6)
    assert len(seen) <= 4


@pytest.mark.django_db(transaction=True)
def test_who_stands_by_asks_nothing_while_nothing_happens_and_takes_over_when_there_is_work(
    monkeypatch: pytest.MonkeyPatch, beside: Callable[[], Any]
) -> None:
    from events import runnerlock

    monkeypatch.setattr(runnerlock, "_ASK_AGAIN", 0.01)
    asked: list[str] = []
    ask = runnerlock._ask

    async def counted(session: Any, name: str) -> bool:
        asked.append(name)
        return await ask(session, name)

    monkeypatch.setattr(runnerlock, "_ask", counted)
    holder = beside()
    holder.execute("SELECT pg_advisory_lock(%s)", [runnerlock.lock_key("alone/0")])
    seen: list[int] = []
    with following(Subscription("alone", lambda events: seen.append(len(events)))):
        until(lambda: len(asked) >= 3)
        # Its pauses double: 0.01 s after the start it asks ten times in the first 10 s, not a thousand.
        holder.close()
        add("photo-1", 1)
        until(lambda: seen == [1])
    assert len(asked) < 20
