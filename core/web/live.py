"""Tells open pages that something changed: server-sent events that name what to fetch again, and no more.

A stream must never pass through GZip (a compressor holds small messages back) and must end when the server
wants to: a server that stops calls `end_streams`, for it waits for open answers otherwise.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_GET

from events import listener

Wait = Callable[[], Coroutine[Any, Any, object]]
Version = Callable[[], Coroutine[Any, Any, int | None]]
PHOTOS, JOBS = {"photos": "filmroll_events"}, {"jobs": "filmroll_jobs"}
# At most about three messages a second, the last one always: a page that fetches more often helps nobody.
MERGE_SECONDS = 0.33
HEARTBEAT_SECONDS = 15.0

_ends: set[asyncio.Event] = set()


@require_GET
async def live(request: HttpRequest) -> HttpResponseBase:
    """`photos` when photos changed and, for staff, `jobs` when jobs did."""
    account = await request.auser()
    if not account.is_authenticated:
        # Not the way to the sign-in: an EventSource would follow it and get a page in place of a stream.
        return HttpResponse(status=401)
    return await stream(PHOTOS | JOBS if account.is_staff else PHOTOS)


async def stream(
    channels: Mapping[str, str], version: Version | None = None, gather: float = 0.0
) -> StreamingHttpResponse:
    """A stream with one event name per channel of the database. The caller has checked who asks.

    With `version`, a quiet stream says a number now and then that is another one when anything has changed: a
    page that has missed a message sees it. `gather` are the seconds in which one thing more may happen before a
    page is told of both at once.
    """
    # The request's database connection would otherwise stay out of the pool for as long as the page is open.
    await sync_to_async(connections.close_all)()
    return StreamingHttpResponse(
        signals(channels, version, gather),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def end_streams() -> None:
    """End every stream of this process within a moment. Call it in the event loop when the server stops."""
    for end in list(_ends):
        end.set()


async def signals(
    channels: Mapping[str, str], version: Version | None = None, gather: float = 0.0
) -> AsyncIterator[bytes]:
    """The messages of one stream, until `end_streams` or until the reader goes away."""
    end = asyncio.Event()
    _ends.add(end)
    try:
        async with contextlib.AsyncExitStack() as held:
            heard = {
                name: await held.enter_async_context(listener.shared().subscribe(channel))
                for name, channel in channels.items()
            }
            waits: dict[str, Wait] = {"": end.wait, **{name: one.wait for name, one in heard.items()}}
            waiting: dict[asyncio.Task[object], str] = {}
            held.callback(_cancel, waiting)
            yield b"retry: 2000\n\n"
            while not end.is_set():
                names = await _next_names(waits, waiting)
                if gather and names and not end.is_set():
                    await asyncio.sleep(gather)
                    for name in names:
                        heard[name].rest()
                yield _message(names) or await _sign_of_life(version)
                await asyncio.sleep(MERGE_SECONDS)
    finally:
        _ends.discard(end)


async def _next_names(waits: Mapping[str, Wait], waiting: dict[asyncio.Task[object], str]) -> list[str]:
    """Wait for any of the named things; `waiting` keeps what is still being waited for until the next call.

    Empty when nothing happened for a while.
    """
    for name in set(waits) - set(waiting.values()):
        waiting[asyncio.create_task(waits[name]())] = name
    done, _ = await asyncio.wait(waiting, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    return sorted(name for name in (waiting.pop(task) for task in done) if name)


def _message(names: list[str]) -> bytes:
    return b"".join(f"event: {name}\ndata: changed\n\n".encode() for name in names)


async def _sign_of_life(version: Version | None) -> bytes:
    number = await version() if version else None
    return b": still here\n\n" if number is None else f"event: version\ndata: {number}\n\n".encode()


def _cancel(tasks: Mapping[asyncio.Task[object], str]) -> None:
    for task in tasks:
        task.cancel()
