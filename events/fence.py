"""Reads all events in order and misses none: the lock-holder fence.

A position is drawn at the insert and becomes visible at the commit. A reader that goes on from "the last
position that I saw" therefore loses every event whose writer commits after a later one. The fence finds a
position below which nothing can appear any more, by the rule on which CREATE INDEX CONCURRENTLY relies:

1. read the last position S that was drawn;
2. then see which transactions hold RowExclusiveLock on the table. A writer takes that lock before it draws
   and keeps it until its transaction has ended and is visible, so whoever drew S or less is among them or done;
3. once all of these have ended, S is safe. Then, in a new snapshot, read what is there.

Writers take no lock for this, a reader stalls behind writers of events alone, and the checkpoint is one number.

It holds because positions are GENERATED ALWAYS by an identity with CACHE 1, writers insert through the
functions alone, and reading happens on the primary, each of the three steps as a transaction of its own.
tests/events/test_preconditions.py turns each of these off.
"""

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

from django.db import connection

from events.calling import call
from events.errors import FenceError
from events.event import Event
from events.rows import COLUMNS, from_row

_DRAWN = """
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END,
           pg_is_in_recovery(),
           concat_ws(' ', extract(epoch FROM pg_postmaster_start_time()), current_database(), tableoid)
    FROM event_position_seq
"""
# Fast-path locks are in this view as well. A prepared transaction holds its locks without a process, under the
# name that it had before (since PostgreSQL 14.1).
_HOLDERS = """
    SELECT virtualtransaction
    FROM pg_locks
    WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND relation = to_regclass('event')
"""
# A planner that has no statistics yet takes few rows to be between two ends or of a category, and then reads and
# sorts all that is left of the log for each batch. With one end alone (OFFSET 0 keeps it so) it follows the key,
# and what is left to sort is one batch in order; coalesce is a condition that it takes to be often true.
_BETWEEN = f"""
    SELECT {COLUMNS} FROM (
        SELECT * FROM (SELECT * FROM event WHERE position > %s ORDER BY position OFFSET 0) AS all_following
        WHERE coalesce(category = ANY (%s::text[]), true)
        LIMIT %s::bigint
    ) AS following
    WHERE position <= %s ORDER BY position
"""  # noqa: S608
# Enough that some candidate is always about to become safe, however busy the writers are.
_CANDIDATES = 8


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look gave: everything up to `safe` is final; `drawn` is the last position given out by then."""

    safe: int
    drawn: int


@dataclass(frozen=True, slots=True)
class _Candidate:
    drawn: int
    holders: frozenset[str]


class Fence:
    """Remembers, from look to look, which writers must end before a drawn position is safe.

    One look costs two short statements, waits for nobody, and never takes back what was safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server = ""
        self._sessions: WeakSet[Any] = WeakSet()
        self._drawn = 0
        self._safe = 0
        self._candidates: list[_Candidate] = []

    def look(self) -> Sight:
        """The highest position known to be safe now. Raises FenceError inside a transaction or on a standby."""
        _refuse_transaction()
        with self._lock:
            [(drawn, standby, server)] = call(_DRAWN)
            if standby:
                raise FenceError("a standby does not know who is writing: read the log on the primary")
            self._recognise(server, drawn)
            self._settle(drawn, {name for (name,) in call(_HOLDERS)})
            return Sight(self._safe, drawn)

    def _recognise(self, server: str, drawn: int) -> None:
        """Forget everything unless this is surely the same server, running without a break since the last look.

        When one of its processes is killed, PostgreSQL ends all sessions and recovers from its log, in which what
        was drawn last may be missing; and transactions get other names. So a session proves that nothing of the
        kind has happened since its first look. A restore in place shows by the numbers, or by a new table.
        """
        session = connection.connection
        if server != self._server or drawn < self._drawn or session not in self._sessions:
            self._server, self._safe = server, 0
            self._candidates.clear()
        self._sessions.add(session)
        self._drawn = drawn

    def _settle(self, drawn: int, holding: Collection[str]) -> None:
        self._candidates.append(_Candidate(drawn, frozenset(holding)))
        ended = (one.drawn for one in self._candidates if one.holders.isdisjoint(holding))
        self._safe = max(self._safe, *ended, 0)
        self._candidates = [one for one in self._candidates if one.drawn > self._safe]
        if len(self._candidates) > _CANDIDATES:
            # The oldest will be safe first, the newest reaches farthest; the one before the newest can go.
            del self._candidates[-2]


_fence = Fence()


def safe_position(wait: float = 1.0) -> int:
    """A position at or below which no event can appear any more.

    It covers everything committed before the call, unless a transaction that appends stays open for longer than
    `wait` seconds; then it is the highest position that this process knows to be safe, possibly 0.
    Raises FenceError inside a transaction or on a standby.
    """
    deadline = time.monotonic() + wait
    sight = _fence.look()
    wanted, pause = sight.drawn, 0.0005
    while sight.safe < wanted and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
        sight = _fence.look()
    return sight.safe


def read_all(
    after: int = 0, limit: int = 500, categories: Collection[str] | None = None, wait: float = 1.0
) -> list[Event]:
    """The next events after a position, in order, lifted; of some categories alone when these are given.

    None will ever appear between two of them. Raises FenceError inside a transaction or on a standby.
    """
    return read_between(after, safe_position(wait), limit, categories)


def read_between(after: int, until: int, limit: int, categories: Collection[str] | None = None) -> list[Event]:
    """Events with after < position <= until, in order, lifted. Whether `until` is safe is the caller's concern."""
    named = None if categories is None else list(categories)
    return [from_row(row) for row in call(_BETWEEN, [after, named, limit, until])]


def _refuse_transaction() -> None:
    """One snapshot for all three steps, or a lock of the reader's own, would make the fence blind or stuck."""
    if connection.in_atomic_block or not connection.get_autocommit():
        raise FenceError("read the log outside of any transaction: each step needs a snapshot of its own")
