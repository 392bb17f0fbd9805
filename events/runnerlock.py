"""Sees to it that one runner works for a name: an advisory lock held by a session of its own.

The lock ends with its session, so a killed runner needs no cleaning up. A runner that lost its session without
noticing does no harm either: checkpoints move by compare-and-swap.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from events import connecting, listener
from events.store import CHANNEL

# Those who stand by ask when events come, for without any there is nothing to run for: soon, then less and less
# often. One long wait inside the server would hold a snapshot, and with it vacuum.
_ASK_AGAIN, _ASK_SELDOM = 1.0, 90.0

_log = logging.getLogger(__name__)


def lock_key(name: str) -> int:
    """The advisory lock's number, as PostgreSQL's bigint."""
    return int.from_bytes(hashlib.sha256(f"events {name}".encode()).digest()[:8], "big", signed=True)


@asynccontextmanager
async def held(name: str, wait: bool) -> AsyncIterator[asyncio.Event | None]:
    """Hold the lock inside the block; yields an event that is set when the lock's session is lost.

    Yields None when somebody else holds the lock and `wait` is False.
    """
    session = await _acquired(name, wait)
    if session is None:
        yield None
        return
    loop, lost = asyncio.get_running_loop(), asyncio.Event()
    socket = session.fileno()

    def say_lost() -> None:
        # Nothing is ever asked here again, so whatever can be read is the session's end.
        loop.remove_reader(socket)
        lost.set()

    loop.add_reader(socket, say_lost)
    try:
        yield lost
    finally:
        loop.remove_reader(socket)
        await session.close()


async def _acquired(name: str, wait: bool) -> psycopg.AsyncConnection | None:
    """A session that holds the lock, or None; outages are waited for."""
    while True:
        session: psycopg.AsyncConnection | None = None
        try:
            session = await _connected()
            if await _ask(session, name) or (wait and await _stand_by(session, name)):
                kept, session = session, None
                return kept
            return None
        except psycopg.OperationalError as error:
            _log.warning("the runner of %s waits for the database: %s", name, str(error).strip())
            await asyncio.sleep(_ASK_AGAIN)
        finally:
            if session is not None:
                await session.close()


async def _connected() -> psycopg.AsyncConnection:
    return await psycopg.AsyncConnection.connect(**connecting.parameters("runner"), autocommit=True)


async def _ask(session: psycopg.AsyncConnection, name: str) -> bool:
    answer = await session.execute("SELECT pg_try_advisory_lock(%s)", [lock_key(name)])
    row = await answer.fetchone()
    return row is not None and bool(row[0])


async def _stand_by(session: psycopg.AsyncConnection, name: str) -> bool:
    """Return once the lock is held."""
    async with listener.shared().subscribe(CHANNEL) as wakings:
        pause = _ASK_AGAIN
        while not await _ask(session, name):
            await asyncio.sleep(_ASK_AGAIN)
            pause = _ASK_AGAIN if await _woken(wakings, pause) else min(pause * 2, _ASK_SELDOM)
    return True


async def _woken(wakings: listener.Subscription, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await wakings.wait()
    except TimeoutError:
        return False
    return True
