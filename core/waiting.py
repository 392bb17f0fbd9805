"""Waits in the middle of a request for something that a worker does: woken by NOTIFY, never polling, for a while.

The waiting itself is done on the event loop, on the one connection that listens; the request's own thread rests,
and its database connection goes back to the pool meanwhile.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection

from events import listener

T = TypeVar("T")
_ends: set[asyncio.Event] = set()


def wait_for(channel: str, look: Callable[[], T | None], seconds: float) -> T | None:
    """What `look` says as soon as it says something: asked now, and after each notification of the channel.

    None when the time is over, or when the server ends. Not within a transaction: nobody would see its job.
    """
    _rest_connection()
    return async_to_sync(_wait)(channel, sync_to_async(lambda: _asked(look)), seconds)


def end_waits() -> None:
    """End everybody's waiting within a moment. Call it in the event loop when the server stops."""
    for end in list(_ends):
        end.set()


async def _wait(channel: str, look: Callable[[], Coroutine[Any, Any, T | None]], seconds: float) -> T | None:
    end = asyncio.Event()
    _ends.add(end)
    ended = asyncio.create_task(end.wait())
    until = time.monotonic() + seconds
    try:
        # The first waking comes once LISTEN is in effect, so nothing is missed between the look and the next.
        async with listener.shared().subscribe(channel) as wakings:
            while await _woken(wakings, ended, until):
                if (found := await look()) is not None:
                    return found
            return None
    finally:
        ended.cancel()
        _ends.discard(end)


async def _woken(wakings: listener.Subscription, ended: "asyncio.Task[bool]", until: float) -> bool:
    """Whether there is a reason to look; False when the time is over or the server ends."""
    woken = asyncio.create_task(wakings.wait())
    left = max(0.0, until - time.monotonic())
    done, _ = await asyncio.wait({woken, ended}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
    woken.cancel()
    return woken in done and ended not in done


def _asked(look: Callable[[], T | None]) -> T | None:
    try:
        return look()
    finally:
        _rest_connection()


def _rest_connection() -> None:
    if not connection.in_atomic_block:
        connection.close()
