"""Tells whoever listens that something was committed: an empty NOTIFY, after the commit, seldom enough.

NOTIFY inside the writing transaction would hold a cluster-wide lock across the commit's fsync (measured:
1,847 against 10,033 appends a second). So it is sent afterwards, by one thread per process on a connection
of its own, at most once per interval and channel, and always once more after the last commit. Whoever commits
more often than that is given longer intervals: readers take more at once then. The payload is empty: a pulse
says "look", never what to see. A lost one costs delay, never data.
"""

import atexit
import logging
import math
import os
import threading
import time
from functools import partial

import psycopg
import psycopg.sql
from django.db import DEFAULT_DB_ALIAS, transaction

from events import connecting

# An event every five milliseconds is told at once; a process that writes all the time tells fifty times a second.
INTERVAL = 0.004
_MOST_STRETCH = 5
_IDLE_SECONDS = 30.0
_RETRY_SECONDS = (0.05, 0.2, 0.5, 1.0, 2.0)
_EXIT_SECONDS = 2.0

_log = logging.getLogger(__name__)


def pulse(channel: str, interval: float = INTERVAL, using: str = DEFAULT_DB_ALIAS) -> None:
    """Send an empty notification on `channel` once the current transaction has committed.

    Outside a transaction it is sent at once; after a rollback, never. Pulses of one process on one channel
    are at least `interval` seconds apart, up to five times as many while there are more commits than intervals:
    those in between become one, sent when the interval is over.
    """
    sender = _senders.of(using)
    connection = transaction.get_connection(using)
    if connection.in_atomic_block or not connection.autocommit:
        transaction.on_commit(partial(sender.want, channel, interval), using=using)
    else:
        sender.want(channel, interval)


def close() -> None:
    """Send what is still due, then close this process's sending connections (they open again by themselves)."""
    _senders.close()


class _Sender:
    """The thread that sends the pulses of this process to one database; it starts with the first of them."""

    def __init__(self, using: str) -> None:
        self.using = using
        self.changed = threading.Condition()
        self.due: dict[str, float] = {}
        self.sent: dict[str, float] = {}
        # Commits since the last pulse, and how many times the interval lasts.
        self.wanted: dict[str, int] = {}
        self.stretch: dict[str, int] = {}
        self.intervals: dict[str, float] = {}
        self.closing = False
        self.thread: threading.Thread | None = None

    def want(self, channel: str, interval: float) -> None:
        # Counted without the lock: one more or less makes no difference.
        self.wanted[channel] = self.wanted.get(channel, 0) + 1
        if channel in self.due and self.thread is not None and self.thread.is_alive():
            # Sent after this moment, and so after the commit: what is due is taken out before it is sent.
            return
        with self.changed:
            self.intervals[channel] = interval
            earliest = self.sent.get(channel, 0.0) + interval * self.stretch.get(channel, 1)
            at = max(time.monotonic(), earliest)
            alive = self.thread is not None and self.thread.is_alive()
            if alive and self.due.get(channel, math.inf) <= at:
                # The thread knows already; waking it for each of many commits would cost more than the pulse.
                return
            self.due[channel] = min(at, self.due.get(channel, at))
            if not alive:
                self.thread = threading.Thread(target=self._run, name="events-pulse", daemon=True)
                self.thread.start()
            self.changed.notify()

    def close(self) -> None:
        with self.changed:
            thread, self.closing = self.thread, True
            self.changed.notify()
        if thread is not None:
            thread.join(_EXIT_SECONDS)
        with self.changed:
            self.closing = False

    def _run(self) -> None:
        connection: psycopg.Connection | None = None
        failures = 0
        while channels := self._next():
            try:
                connection = connection or self._connect()
                self._send(connection, channels)
                failures = 0
            except psycopg.Error as error:
                _close(connection)
                connection = None
                failures += 1
                self._put_back(channels, failures, error)
        _close(connection)

    def _next(self) -> list[str]:
        """Wait for channels that are due and take them; empty when the thread may end."""
        with self.changed:
            idle_since = time.monotonic()
            while True:
                now = time.monotonic()
                ready = [channel for channel, at in self.due.items() if at <= now or self.closing]
                if ready:
                    # Taken before they are sent: a commit from here on earns a pulse of its own.
                    for channel in ready:
                        del self.due[channel]
                        self._pace(channel, now)
                    return ready
                if not self.due and (self.closing or now - idle_since >= _IDLE_SECONDS):
                    # Decided under the lock: a `want` after this starts a new thread.
                    self.thread = None
                    return []
                until = min(self.due.values(), default=idle_since + _IDLE_SECONDS)
                self.changed.wait(until - now)

    def _pace(self, channel: str, now: float) -> None:
        """While commits come closer together than intervals, the next one is twice as long; else the shortest."""
        interval, since = self.intervals[channel], now - self.sent.get(channel, 0.0)
        crowded = self.wanted.pop(channel, 0) * interval > since
        self.stretch[channel] = min(self.stretch.get(channel, 1) * 2, _MOST_STRETCH) if crowded else 1
        self.sent[channel] = now

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(**connecting.parameters("pulse", self.using), autocommit=True)

    def _send(self, connection: psycopg.Connection, channels: list[str]) -> None:
        # Straight to the server: a cursor would cost more than the notification.
        names = (psycopg.sql.Identifier(channel).as_bytes(connection) for channel in channels)
        result = connection.pgconn.exec_(b";".join(b"NOTIFY " + name for name in names))
        if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
            raise psycopg.OperationalError(connection.pgconn.get_error_message())

    def _put_back(self, channels: list[str], failures: int, error: psycopg.Error) -> None:
        """The server is away: keep what is due, and try again until it is back or the process ends."""
        if failures == 1:
            _log.warning("pulses wait for the database: %s", str(error).strip())
        with self.changed:
            if self.closing:
                return
            again = time.monotonic() + _RETRY_SECONDS[min(failures, len(_RETRY_SECONDS)) - 1]
            self.due.update(dict.fromkeys(channels, again))


def _close(connection: psycopg.Connection | None) -> None:
    if connection is not None:
        connection.close()


class _Senders:
    """One sender per database, in this process alone."""

    def __init__(self) -> None:
        self.by_alias: dict[str, _Sender] = {}

    def of(self, using: str) -> _Sender:
        return self.by_alias.setdefault(using, _Sender(using))

    def close(self) -> None:
        for sender in list(self.by_alias.values()):
            sender.close()

    def forget(self) -> None:
        # In a forked child the threads are gone and their locks may be held for ever.
        self.by_alias = {}


_senders = _Senders()
atexit.register(close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_senders.forget)
