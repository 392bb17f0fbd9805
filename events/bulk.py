"""Appends many events of many streams at once, by COPY: for imports, where one append each would take too long.

    append_bulk([Append(f"photo-{n}", NO_STREAM, [NewEvent("photo.imported", {...})]) for n in range(50_000)])

The guarantees are those of `append_many`. A call is one transaction and holds readers of the log back until it
ends, so somebody who imports millions makes many calls.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from events import calling, consumers, encoding
from events.errors import EventIdConflict, TooManyEvents
from events.event import Append, Meta
from events.pulse import pulse
from events.rows import COLUMNS, from_row
from events.store import CHANNEL

MAX_EVENTS = 100_000
# So many fit into the memory in which the server sorts them.
_CHUNK = 10_000

# What was replayed has left the table, so these are the new ones.
_NEW = f"""
    SELECT {COLUMNS} FROM event
    WHERE event_id IN (SELECT i.event_id FROM pg_temp.event_incoming i) ORDER BY position
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class BulkAppended:
    """What a bulk append did: how many events are new, and which streams had theirs already."""

    appended: int
    replayed: frozenset[str]


def append_bulk(appends: Sequence[Append], meta: Meta | None = None) -> BulkAppended:
    """Record events in many streams, all or nothing, and let the consumers hear of them in the same transaction.

    Positions follow the streams' ids in byte order. A stream whose events were recorded before, by the same ids
    with the same content, is left as it is. Raises what `append_many` raises; the limit is 100,000 events.
    """
    consumers.refuse_in_replay()
    _check(appends)
    said = encoding.meta_text(meta or Meta())
    # A savepoint when nested: other streams have been written when a conflict shows.
    with transaction.atomic():
        done = [_store(chunk, said) for chunk in _chunks(appends)]
        if any(one.appended for one in done):
            pulse(CHANNEL)
    return BulkAppended(sum(one.appended for one in done), frozenset().union(*(one.replayed for one in done)))


def _check(appends: Sequence[Append]) -> None:
    """Raise for what only shows when all streams are seen together."""
    if len({part.stream_id for part in appends}) < len(appends):
        raise ValueError("a stream is named twice in one append")
    count = sum(len(part.events) for part in appends)
    if count > MAX_EVENTS:
        raise TooManyEvents("one bulk append", count, MAX_EVENTS, "events")
    seen: set[UUID] = set()
    for part in appends:
        ids = {event.event_id for event in part.events}
        if not seen.isdisjoint(ids):
            raise EventIdConflict(part.stream_id, tuple(seen & ids))
        seen |= ids


def _chunks(appends: Sequence[Append]) -> Iterator[list[Append]]:
    """The streams in byte order, in pieces of about _CHUNK events; a stream stays whole."""
    chunk: list[Append] = []
    count = 0
    for part in sorted(appends, key=lambda part: part.stream_id.encode()):
        chunk.append(part)
        count += len(part.events)
        if count >= _CHUNK:
            yield chunk
            chunk, count = [], 0
    if chunk:
        yield chunk


def _store(chunk: Sequence[Append], meta: str) -> BulkAppended:
    calling.call(calling.BULK_OPEN)
    calling.copy(calling.BULK_COPY, _rows(chunk))
    [(appended, replayed)] = calling.call(calling.APPEND_BULK, [meta])
    if appended and consumers.heard_by_any({event.type for part in chunk for event in part.events}):
        consumers.tell(from_row(row) for row in calling.call(_NEW))
    return BulkAppended(appended, frozenset(replayed))


def _rows(chunk: Sequence[Append]) -> Iterator[tuple[Any, ...]]:
    for number, part in enumerate(chunk):
        encoded = encoding.encode(part.stream_id, part.events)
        each = zip(encoded.ids, encoded.types, encoded.schemas, encoded.data, strict=True)
        for ordinal, values in enumerate(each, 1):
            yield (number, part.stream_id, part.expected, ordinal, *values)
