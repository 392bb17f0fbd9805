"""Appends events and reads them back: the store's front door."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import groupby
from typing import Any

from django.db import transaction

from events import calling, consumers, encoding
from events.encoding import Encoded
from events.errors import EventError, EventIdConflict, VersionConflict
from events.event import Append, Appended, Event, Meta, NewEvent
from events.fence import read_all, safe_position
from events.pulse import pulse
from events.reading import read_stream
from events.rows import COLUMNS, from_row, recorded

__all__ = [
    "ANY",
    "CHANNEL",
    "NO_STREAM",
    "EventIdConflict",
    "VersionConflict",
    "append",
    "append_many",
    "read_all",
    "read_stream",
    "safe_position",
]

ANY = None
NO_STREAM = 0
# Notified after every commit that added events.
CHANNEL = "filmroll_events"

_NO_META = Meta()


def append(stream_id: str, expected: int | None, events: Sequence[NewEvent], meta: Meta = _NO_META) -> Appended:
    """Record events at the end of a stream, and let the consumers hear of them, in one transaction.

    `expected` is the version that the stream must have: n exactly n, NO_STREAM no events yet, ANY whatever it has.
    The same event ids with the same content again add nothing and give the first result.

    Raises VersionConflict or EventIdConflict, before anything is written: the caller's transaction stays usable.
    Raises EventTooLarge, MetaTooLarge, TooManyEvents or NotStorable for what the log does not take. An error in a
    consumer comes through, and takes the caller's transaction with it.
    """
    consumers.refuse_in_replay()
    encoding.check_count(len(events))
    encoded = encoding.encode(stream_id, events)
    columns: tuple[Any, ...] = (encoded.ids, encoded.types, encoded.schemas, encoded.data)
    statement = calling.APPEND
    if len(events) == 1:
        # Single values cost less than arrays of one, here and on the server.
        statement, columns = calling.APPEND_ONE, tuple(array[0] for array in columns)
    with _transaction(encoded.types):
        said = encoding.meta_text(meta)
        rows = calling.call(statement, (stream_id, expected, *columns, said))
        result = _result(stream_id, expected, encoded, said, rows)
        if isinstance(result, Appended):
            _tell([result])
    if isinstance(result, EventError):
        raise result
    return result


def append_many(appends: Sequence[Append], meta: Meta = _NO_META) -> tuple[Appended, ...]:
    """Record events in several streams, all or nothing; the results are in the order of `appends`.

    Positions follow the streams' ids in byte order, whatever the order given here: so two calls cannot deadlock.
    Raises what `append` raises, and ValueError when a stream is named twice.
    """
    consumers.refuse_in_replay()
    if len({part.stream_id for part in appends}) < len(appends):
        raise ValueError("a stream is named twice in one append")
    if not appends:
        return ()
    parts = [encoding.encode(part.stream_id, part.events) for part in appends]
    encoding.check_count(sum(len(part.ids) for part in parts))
    # A savepoint when nested: another stream may have been written when a conflict shows.
    with transaction.atomic():
        said = encoding.meta_text(meta)
        rows = calling.call(calling.APPEND_MANY, _many_parameters(appends, parts, said))
        results = _many_results(appends, parts, said, rows)
        _tell(results)
    return results


def _transaction(types: Iterable[str]) -> AbstractContextManager[Any]:
    """A transaction for event and consumers; none when nobody listens, since the append is one statement."""
    if consumers.heard_by_any(types):
        # No savepoint: an error in a consumer must not leave the caller's transaction half done.
        return transaction.atomic(savepoint=False)
    return nullcontext()


def _result(
    stream_id: str, expected: int | None, encoded: Encoded, said: str, rows: Sequence[tuple[Any, ...]]
) -> Appended | EventError:
    """What the append function's rows mean."""
    outcome, last_version = rows[-1][0], rows[-1][2]
    match outcome:
        case "appended":
            events = tuple(
                recorded(stream_id, name, schema, said, *row[1:])
                for row, name, schema in zip(rows, encoded.types, encoded.schemas, strict=True)
            )
        case "replayed":
            events = tuple(_read_ids(encoded.ids))
        case "version conflict":
            return VersionConflict(stream_id, expected or 0, last_version)
        case _:
            return EventIdConflict(stream_id, tuple(row[3] for row in rows))
    return Appended(tuple(event.position for event in events), last_version, outcome == "replayed", events)


def _read_ids(ids: Sequence[Any]) -> list[Event]:
    sql = f"SELECT {COLUMNS} FROM event WHERE event_id = ANY (%s) ORDER BY version"  # noqa: S608
    return [from_row(row) for row in calling.call(sql, [list(ids)])]


def _many_parameters(appends: Sequence[Append], parts: Sequence[Encoded], said: str) -> tuple[Any, ...]:
    return (
        [part.stream_id for part in appends],
        [part.expected for part in appends],
        [len(part.ids) for part in parts],
        [one for part in parts for one in part.ids],
        [one for part in parts for one in part.types],
        [one for part in parts for one in part.schemas],
        [one for part in parts for one in part.data],
        said,
    )


def _many_results(
    appends: Sequence[Append], parts: Sequence[Encoded], said: str, rows: Sequence[tuple[Any, ...]]
) -> tuple[Appended, ...]:
    found: dict[int, Appended] = {}
    for number, group in groupby(rows, key=lambda row: row[0]):
        part = appends[number - 1]
        result = _result(part.stream_id, part.expected, parts[number - 1], said, [row[1:] for row in group])
        if isinstance(result, EventError):
            raise result
        found[number - 1] = result
    return tuple(found[index] for index in range(len(appends)))


def _tell(results: Sequence[Appended]) -> None:
    """Let the consumers hear of what is new, in the order that a replay has, and wake the readers."""
    new = [event for result in results if not result.replayed for event in result.events]
    if new:
        consumers.tell(sorted(new, key=lambda event: event.position))
        pulse(CHANNEL)
