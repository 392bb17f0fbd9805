"""Live signals: what a stream says, how often, when it ends, and that it keeps nothing from anybody."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection
from django.test import AsyncClient, Client

from core.accounts import Account
from core.web import live
from events.pulse import pulse

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quicker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MERGE_SECONDS", 0.2)
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.5)


def run(scenario):  # type: ignore[no-untyped-def]
    """A test's coroutine, within a minute."""

    async def limited() -> None:
        async with asyncio.timeout(60):
            await scenario()

    async_to_sync(limited)()


@contextlib.asynccontextmanager
async def reading(channels: dict[str, str], gather: float = 0.0) -> AsyncIterator[AsyncIterator[bytes]]:
    stream = live.signals(channels, gather=gather)
    try:
        assert await anext(stream) == b"retry: 2000\n\n"
        yield stream
    finally:
        await stream.aclose()


def test_a_new_stream_tells_at_once_so_that_nothing_is_missed_in_between() -> None:
    async def scenario() -> None:
        async with reading(live.PHOTOS) as stream:
            assert await anext(stream) == b"event: photos\ndata: changed\n\n"

    run(scenario)


def test_a_change_is_told_on_its_own_channel_only() -> None:
    async def scenario() -> None:
        async with reading(live.PHOTOS | live.JOBS) as stream:
            first = await anext(stream)
            if b"photos" not in first or b"jobs" not in first:
                await anext(stream)
            await sync_to_async(pulse)("filmroll_jobs")
            assert await anext(stream) == b"event: jobs\ndata: changed\n\n"

    run(scenario)


def test_many_changes_are_few_messages_and_the_last_change_is_always_told() -> None:
    async def scenario() -> None:
        async with reading(live.PHOTOS) as stream:
            await anext(stream)
            started = time.monotonic()
            told = asyncio.get_running_loop().create_task(count(stream))
            for _ in range(50):
                await sync_to_async(pulse)("filmroll_events")
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.5)
            told.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await told
            assert 3 <= len(messages) <= (time.monotonic() - started) / live.MERGE_SECONDS + 1

    messages: list[bytes] = []

    async def count(stream: AsyncIterator[bytes]) -> None:
        async for message in stream:
            messages.extend([message] if message.startswith(b"event") else [])

    run(scenario)


def test_one_thing_more_that_happens_at_once_is_told_with_the_first() -> None:
    async def scenario() -> None:
        async with reading(live.JOBS, gather=3.0) as stream:
            await anext(stream)
            told = asyncio.ensure_future(anext(stream))
            await sync_to_async(pulse)("filmroll_jobs")
            await asyncio.sleep(0.3)
            assert not told.done()
            await sync_to_async(pulse)("filmroll_jobs")
            assert await told == b"event: jobs\ndata: changed\n\n"
            assert await anext(stream) == b": still here\n\n"

    run(scenario)


def test_a_quiet_stream_shows_that_it_lives() -> None:
    async def scenario() -> None:
        async with reading(live.PHOTOS) as stream:
            await anext(stream)
            assert await anext(stream) == b": still here\n\n"

    run(scenario)


def test_streams_end_promptly_when_the_server_stops() -> None:
    async def scenario() -> None:
        async with reading(live.PHOTOS) as stream:
            await anext(stream)
            asyncio.get_running_loop().call_later(0.1, live.end_streams)
            async with asyncio.timeout(30):
                assert [message async for message in stream if message.startswith(b"event")] == []

    run(scenario)


def test_a_stream_that_ended_leaves_no_task_and_no_listener_behind() -> None:
    async def scenario() -> None:
        before = asyncio.all_tasks()
        async with reading(live.PHOTOS) as stream:
            await anext(stream)
        while asyncio.all_tasks() != before or live._ends:
            await asyncio.sleep(0.01)

    run(scenario)


def test_the_answer_is_never_kept_nor_held_back(owner: Account) -> None:
    async def scenario() -> None:
        client = AsyncClient()
        await client.aforce_login(owner)
        answer = await client.get("/live/", headers={"Accept-Encoding": "gzip"})
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Accel-Buffering"] == "no"
        assert "Content-Encoding" not in answer.headers
        stream = answer.streaming_content
        assert await anext(stream) == b"retry: 2000\n\n"
        await stream.aclose()
        answer.close()

    run(scenario)


def test_an_open_stream_holds_no_connection_of_the_pool(owner: Account) -> None:
    async def scenario() -> None:
        client = AsyncClient()
        await client.aforce_login(owner)
        answer = await client.get("/live/")
        stream = answer.streaming_content
        await anext(stream)
        assert await sync_to_async(lambda: connection.connection)() is None
        await stream.aclose()
        answer.close()

    run(scenario)


def test_jobs_are_told_to_staff_alone(page: Client, owner: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, str]] = []

    async def remember(channels: dict[str, str]):  # type: ignore[no-untyped-def]
        from django.http import HttpResponse

        asked.append(channels)
        return HttpResponse()

    monkeypatch.setattr(live, "stream", remember)
    page.get("/live/")
    Account.objects.update(is_staff=True)
    page.get("/live/")
    assert [sorted(channels) for channels in asked] == [["photos"], ["jobs", "photos"]]
