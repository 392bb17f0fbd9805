"""Listeners wake whoever waits, get over every loss, and are silent at rest."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections

from core import database
from events import connecting
from events.listener import Listener, shared
from tests.events.following import until

TELL = "SELECT pg_notify(%s, '')"


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 200))


async def woken(subscription: Any, seconds: float = 60) -> bool:
    try:
        await asyncio.wait_for(subscription.wait(), seconds)
    except TimeoutError:
        return False
    return True


def listeners(watcher: psycopg.Connection) -> list[tuple[int, str, float]]:
    """Server processes that listen for us: number, last statement, seconds since it began."""
    return watcher.execute(
        "SELECT pid, query, extract(epoch FROM clock_timestamp() - query_start)::float FROM pg_stat_activity "
        "WHERE application_name LIKE '% listener' AND datname = current_database()"
    ).fetchall()


def test_the_first_waking_comes_when_listening_and_then_one_for_each_notification(
    watcher: psycopg.Connection,
) -> None:
    async def story() -> None:
        async with Listener().subscribe("room") as wakings:
            assert await woken(wakings)
            assert not await woken(wakings, 0.2)
            watcher.execute(TELL, ["room"])
            assert await woken(wakings)
            watcher.execute(TELL, ["elsewhere"])
            assert not await woken(wakings, 0.2)

    run(story())


def test_subscriptions_share_one_connection_and_only_their_own_channel_wakes_them(
    watcher: psycopg.Connection,
) -> None:
    async def story() -> None:
        assert shared() is shared()
        async with shared().subscribe("a") as a, shared().subscribe("b") as b:
            assert await woken(a) and await woken(b)
            async with shared().subscribe("a") as late:
                assert await woken(late), "it listens already, so the first waking is immediate"
                assert len(listeners(watcher)) == 1
                watcher.execute(TELL, ["a"])
                assert await woken(a) and await woken(late)
                assert not await woken(b, 0.2)
        assert shared().connected is False

    run(story())
    until(lambda: not listeners(watcher))


def test_an_async_for_loop_sees_a_burst_as_few_wakings(watcher: psycopg.Connection) -> None:
    async def story() -> None:
        seen = 0
        async with Listener().subscribe("burst") as wakings:
            async for _ in wakings:
                seen += 1
                if seen == 1:
                    for _ in range(100):
                        watcher.execute(TELL, ["burst"])
                if seen >= 2:
                    break
            await asyncio.sleep(0.2)
            assert seen == 2

    run(story())


def test_a_listener_at_rest_runs_no_statement(watcher: psycopg.Connection) -> None:
    async def story() -> None:
        async with Listener().subscribe("quiet") as wakings:
            assert await woken(wakings)
            [(pid, _, _)] = listeners(watcher)
            await asyncio.sleep(1.5)
            [(same, query, age)] = listeners(watcher)
            assert same == pid
            assert query == 'LISTEN "quiet"'
            assert age >= 1.4

    run(story())


def test_a_killed_connection_is_replaced_and_everybody_is_woken(watcher: psycopg.Connection) -> None:
    async def story() -> None:
        listener = Listener()
        async with listener.subscribe("one") as one, listener.subscribe("two") as two:
            assert await woken(one) and await woken(two)
            [(pid, _, _)] = listeners(watcher)
            watcher.execute("SELECT pg_terminate_backend(%s)", [pid])
            assert await woken(one) and await woken(two), "woken with no notification sent"
            watcher.execute(TELL, ["two"])
            assert await woken(two)

    run(story())


@pytest.fixture
def other_server(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> database.Embedded:
    """A server that a test may stop, behind the database alias "other"."""
    tmp_path.chmod(0o755)
    monkeypatch.delenv("DATABASE_URL")
    server = database.Embedded(tmp_path, fsync="off")
    server.prepare()
    server.start()
    server.wait_until_ready()
    entry = connections.settings["default"] | database.configuration(tmp_path)
    monkeypatch.setitem(connections.settings, "other", entry)
    yield server  # type: ignore[misc]
    server.stop()


def test_a_server_restart_is_survived_and_everybody_is_woken(other_server: database.Embedded) -> None:
    async def story() -> None:
        async with Listener("other").subscribe("room") as wakings:
            assert await woken(wakings)
            await asyncio.to_thread(other_server.stop)
            await asyncio.sleep(1)
            assert not await woken(wakings, 0.1)
            other_server.start()
            await asyncio.to_thread(other_server.wait_until_ready)
            assert await woken(wakings)
            with psycopg.connect(**connecting.parameters("watcher", "other"), autocommit=True) as watcher:
                watcher.execute(TELL, ["room"])
            assert await woken(wakings)

    run(story())
