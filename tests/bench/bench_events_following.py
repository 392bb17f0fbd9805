"""How soon an event is applied by a subscription: at rest, beside a long transaction, and after losing the server.

A writer appends 200 events a second, each with the time on it; the clock is the machine's, the same for all
processes. An event counts as applied when the transaction that moved the checkpoint past it has committed.
"""

import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from statistics import median, quantiles
from typing import Any

import psycopg

from tests.bench.bar import Bar
from tests.bench.eventserver import Process, server, set_up

_RATE, _SECONDS, _LONG = 200, 8, 4
_PATIENCE = 30


def run() -> list[Bar]:
    """The bars of the subscription."""
    with server() as url:
        writer, follower = Process(_write, url), Process(_subscribe, url)
        writer.ask(1), follower.ask(1)
        rounds = [_delays(writer, follower, _SECONDS) for _ in range(3)]
        long = _beside_a_long_transaction(url, writer, follower)
        bars = [*_at_rest(rounds), Bar("events-lag-beside-4s-transaction-p99", _p99(long), "<=", 100, "ms")]
        bars.append(_listener_killed(url, writer, follower))
        for process in (writer, follower):
            process.end()
    return bars


def _delays(writer: Process, follower: Process, seconds: float) -> list[float]:
    """Milliseconds from the start of each append to its being applied; raises when one was lost or doubled."""
    count = int(_RATE * seconds)
    writer.send(count)
    applied = follower.ask(count)
    writer.receive()
    if len(applied) != count:
        raise RuntimeError(f"{count} events were appended and {len(applied)} applied")
    return [delay * 1000 for delay in applied]


def _at_rest(rounds: list[list[float]]) -> list[Bar]:
    p50, p99 = [median(delays) for delays in rounds], [_p99(delays) for delays in rounds]
    print(f"{_RATE} appends a second, until applied and committed, {len(rounds)} rounds of {_SECONDS} s:")
    print(f"  p50 {', '.join(f'{v:.1f}' for v in p50)} ms   p99 {', '.join(f'{v:.1f}' for v in p99)} ms")
    return [
        Bar("events-applied-p50", round(median(p50), 2), "<=", 4, "ms"),
        Bar("events-applied-p99", round(median(p99), 2), "<=", 10, "ms"),
    ]


def _beside_a_long_transaction(url: str, writer: Process, follower: Process) -> list[float]:
    """The same while another transaction, which has written elsewhere, stays open."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE elsewhere (n integer)")
        connection.commit()
        connection.execute("INSERT INTO elsewhere VALUES (1)")
        return _delays(writer, follower, _LONG)


def _listener_killed(url: str, writer: Process, follower: Process) -> Bar:
    """Seconds from an append right after the listening connection was cut to its being applied, the longest."""
    longest = 0.0
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(3):
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%listener%'"
            )
            longest = max(longest, *_delays(writer, follower, 1 / _RATE))
    return Bar("events-listener-killed", round(longest / 1000, 3), "<=", 2, "s")


def _p99(delays: list[float]) -> float:
    return round(quantiles(delays, n=100)[98], 2)


def _write(url: str, pipe: Connection) -> None:
    """A writing process: so many events, evenly spaced."""
    set_up(url)
    from events.event import NewEvent
    from events.store import ANY, append

    while count := pipe.recv():
        start = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, start + number / _RATE - time.monotonic()))
            append(f"bench-{number % 50}", ANY, [NewEvent("bench.done", {"at": time.monotonic()})])
        pipe.send(True)


def _subscribe(url: str, pipe: Connection) -> None:
    """A following process: asked for a number, it answers when so many were applied, with how long each took."""
    set_up(url)
    import asyncio

    from django.db import transaction

    from events.subscriptions import Subscription, run

    applied: list[float] = []

    def handle(events: Sequence[Any]) -> None:
        began = [event.data["at"] for event in events]
        transaction.on_commit(lambda: applied.extend(time.monotonic() - at for at in began))

    async def story() -> None:
        task = asyncio.create_task(run(Subscription("bench", handle)))
        while count := await asyncio.to_thread(pipe.recv):
            deadline = time.monotonic() + _PATIENCE
            while len(applied) < count and time.monotonic() < deadline:
                await asyncio.sleep(0.05)
            pipe.send(list(applied))
            applied.clear()
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(story())
