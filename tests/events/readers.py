"""Readers of the whole log for tests, good ones and bad ones, and the judgement of what they saw."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import psycopg
from django.db import connection, transaction

from events import fence
from events.fence import Fence, Sight, read_between

APPEND = """
    SELECT position FROM event_append(%s, NULL, %s::uuid[], %s::text[], %s::int[], %s::text[], '{}')
"""


def append_by(writer: psycopg.Connection, stream_id: str | None = None, count: int = 1) -> int:
    """Append events on somebody else's connection; the position of the last."""
    ids = [uuid4() for _ in range(count)]
    rows = writer.execute(
        APPEND, [stream_id or f"test-{uuid4()}", ids, ["test.done"] * count, [1] * count, ["{}"] * count]
    ).fetchall()
    return int(rows[-1][0])


@dataclass
class Reader:
    """Reads on from its checkpoint, by the fence."""

    checkpoint: int
    fence: Fence = field(default_factory=Fence)
    seen: list[int] = field(default_factory=list)
    limit: int = 500

    def read(self) -> None:
        safe = self.fence.look().safe
        while True:
            events = read_between(self.checkpoint, safe, self.limit)
            self.seen += [event.position for event in events]
            if len(events) < self.limit:
                break
            self.checkpoint = events[-1].position
        self.checkpoint = max(self.checkpoint, safe)


@dataclass
class NaiveReader:
    """Reads on from the last position that it saw: the control, which must miss something."""

    connection: psycopg.Connection
    checkpoint: int
    seen: list[int] = field(default_factory=list)

    def read(self) -> None:
        sql = "SELECT position FROM event WHERE position > %s ORDER BY position"
        new = [position for (position,) in self.connection.execute(sql, [self.checkpoint])]
        self.seen += new
        self.checkpoint = max([self.checkpoint, *new])


class SnapshotReader(Reader):
    """Reads in REPEATABLE READ, the look and the reading in one snapshot; the store's refusal is turned off."""

    def read(self) -> None:
        with patch.object(fence, "_refuse_transaction"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            super().read()


class HoldersFirst(Fence):
    """Looks in the wrong order: a writer may come between the two steps."""

    def look(self) -> Sight:
        rows = fence.call(fence._HOLDERS)
        [(drawn, _, server)] = fence.call(fence._DRAWN)
        self._recognise(server, drawn)
        self._settle(drawn, {name for (name,) in rows})
        return Sight(self._safe, drawn)


class Unconcerned(Fence):
    """Goes on from what it knew, whatever has happened to the server meanwhile."""

    def _recognise(self, server: str, drawn: int) -> None:
        pass


class OverlooksPrepared(Fence):
    """Asks the server's processes alone who is writing."""

    def look(self) -> Sight:
        with patch.object(fence, "_HOLDERS", f"{fence._HOLDERS} AND pid IS NOT NULL"):
            return super().look()


@contextmanager
def interrupted(between: Callable[[], object]) -> Iterator[None]:
    """Let something happen before each statement of a fence reader."""
    real = fence.call

    def call(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        between()
        return real(statement, parameters)

    with patch.object(fence, "call", call):
        yield


@dataclass(frozen=True)
class Verdict:
    """What a reader got wrong, in numbers of events."""

    missed: int
    doubled: int
    misordered: int

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return any((self.missed, self.doubled, self.misordered))


def judge(seen: Sequence[int], log: Sequence[tuple[int, str, int]]) -> Verdict:
    """Compare what was seen with the log: rows of position, stream and version, in the order of positions.

    Out of order are events that were seen after one of a higher position, and those of which the stream's order
    is another than the log's.
    """
    recorded = {position for position, _, _ in log}
    versions: dict[str, int] = {}
    streams_misordered = 0
    for _, stream, version in log:
        streams_misordered += version != versions.get(stream, 0) + 1
        versions[stream] = version
    return Verdict(
        missed=len(recorded.difference(seen)),
        doubled=sum(times - 1 for times in Counter(seen).values()),
        misordered=sum(later <= earlier for earlier, later in pairwise(seen)) + streams_misordered,
    )


def recorded(watcher: psycopg.Connection, after: int = 0) -> list[tuple[int, str, int]]:
    """The log as it is: what `judge` compares with."""
    sql = "SELECT position, stream_id, version FROM event WHERE position > %s ORDER BY position"
    return watcher.execute(sql, [after]).fetchall()
