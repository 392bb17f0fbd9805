"""Wakes coroutines when their channel is notified: one listening connection per event loop, shared by all.

    async with listener.shared().subscribe("filmroll_events") as wakings:
        async for _ in wakings:
            ...read whatever is new...

The first waking comes once LISTEN is in effect, so the first read misses nothing that is committed after it.
A waking says "look", not what happened: several notifications may be one waking, and after each reconnect
everybody is woken, since a notification may have been lost in between. Nobody is woken by a timer, and an
idle listener runs no statement: it waits for its socket.
"""

import asyncio
import logging
import random
from collections import Counter
from types import TracebackType
from weakref import WeakKeyDictionary

import psycopg
from django.db import DEFAULT_DB_ALIAS
from psycopg import sql

from events import connecting

_FIRST_RETRY, _LAST_RETRY = 0.05, 2.0

_log = logging.getLogger(__name__)


class Subscription:
    """A place to wait for one channel; made by `Listener.subscribe`, used as an async context manager."""

    def __init__(self, listener: "Listener", channel: str) -> None:
        self.channel = channel
        self._listener = listener
        self._woken = asyncio.Event()

    async def wait(self) -> None:
        """Return at the next waking, at once if there was one since the last call."""
        await self._woken.wait()
        self._woken.clear()

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> None:
        await self.wait()

    def wake(self) -> None:
        """Let the next `wait` return; may be called by the subscriber's own code too, to look once more."""
        self._woken.set()

    def rest(self) -> None:
        """Forget a waking that nobody has waited for: whoever calls this looks afterwards anyway."""
        self._woken.clear()

    async def __aenter__(self) -> "Subscription":
        self._listener.add(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._listener.remove(self)


class Listener:
    """One connection that listens to the channels of its subscriptions, for as long as there are any.

    It belongs to the event loop in which its first subscription was entered.
    """

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self.using = using
        self.connected = False
        self._subscriptions: set[Subscription] = set()
        self._listening: set[str] = set()
        self._heard: Counter[str] = Counter()
        self._stirred = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def subscribe(self, channel: str) -> Subscription:
        """A subscription to `channel`; enter it with `async with`."""
        return Subscription(self, channel)

    def heard(self, channel: str) -> int | None:
        """How often this channel has woken somebody; None while it is not listened to. For any thread."""
        return self._heard[channel] if channel in self._listening else None

    def add(self, subscription: Subscription) -> None:
        self._subscriptions.add(subscription)
        if subscription.channel in self._listening:
            subscription.wake()
        self._stirred.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="events-listener")
            self._task.add_done_callback(_surface)

    async def remove(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)
        self._stirred.set()
        if not self._subscriptions and self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            await asyncio.wait([task])
            # An event that was waited for holds its loop; a listener at rest holds none.
            self._stirred = asyncio.Event()

    async def _run(self) -> None:
        """Connect, follow, and after a loss connect again, until cancelled."""
        delay = _FIRST_RETRY
        while True:
            try:
                async with await self._connect() as connection:
                    delay = _FIRST_RETRY
                    await self._follow(connection)
            except (psycopg.Error, OSError) as error:
                _log.warning("the listener lost the database and will be back: %s", str(error).strip())
            # Jitter, so that after a restart the processes do not all knock at once.
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))
            delay = min(delay * 2, _LAST_RETRY)

    async def _connect(self) -> psycopg.AsyncConnection:
        wanted = connecting.parameters("listener", self.using)
        return await psycopg.AsyncConnection.connect(**wanted, autocommit=True)

    async def _follow(self, connection: psycopg.AsyncConnection) -> None:
        """Pass on notifications until the connection breaks (psycopg.Error) or the task is cancelled."""
        # Called for what arrives while a LISTEN runs; what arrives at rest is read in `_drain`.
        connection.add_notify_handler(lambda notify: self._wake(notify.channel))
        self._listening = set()
        self.connected = True
        try:
            while True:
                self._stirred.clear()
                await self._listen(connection)
                self._drain(connection)
                await self._stir(connection)
        finally:
            self.connected = False
            self._listening = set()

    async def _listen(self, connection: psycopg.AsyncConnection) -> None:
        """LISTEN to what is newly wanted, and wake its subscribers; UNLISTEN what nobody wants any more."""
        wanted = {subscription.channel for subscription in self._subscriptions}
        for channel in sorted(self._listening - wanted):
            self._listening.discard(channel)
            await connection.execute(sql.SQL("UNLISTEN {}").format(sql.Identifier(channel)))
        for channel in sorted(wanted - self._listening):
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            self._listening.add(channel)
            self._wake(channel)

    async def _stir(self, connection: psycopg.AsyncConnection) -> None:
        """Rest until the socket has something to read, its end included, or the subscriptions change."""
        loop, socket = asyncio.get_running_loop(), connection.fileno()
        loop.add_reader(socket, self._stirred.set)
        try:
            await self._stirred.wait()
        finally:
            loop.remove_reader(socket)

    def _drain(self, connection: psycopg.AsyncConnection) -> None:
        # Straight from libpq: psycopg's own `notifies()` looks at the clock ten times a second.
        connection.pgconn.consume_input()
        while notify := connection.pgconn.notifies():
            self._wake(notify.relname.decode())

    def _wake(self, channel: str) -> None:
        self._heard[channel] += 1
        for subscription in self._subscriptions:
            if subscription.channel == channel:
                subscription.wake()


def _surface(task: "asyncio.Task[None]") -> None:
    """Hand an error that nobody foresaw to the loop's exception handler instead of keeping it in silence."""
    if not task.cancelled():
        task.result()


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, Listener] = WeakKeyDictionary()


def shared() -> Listener:
    """The listener of the running event loop: in a web or worker process, the one of the process."""
    loop = asyncio.get_running_loop()
    return _shared.setdefault(loop, Listener())
