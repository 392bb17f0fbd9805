"""Reads the events of one stream; whoever may read need not know how to append."""

from events import calling
from events.event import Event
from events.rows import COLUMNS, from_row

_LAST_VERSION = 2**31 - 1


def read_stream(stream_id: str, after: int = 0, limit: int | None = None) -> list[Event]:
    """The events of a stream with a version greater than `after`, in order, lifted."""
    # Versions have no gaps, so a limit is a range. As LIMIT it would be guesswork for the planner, which knows the
    # versions of all streams together: for a page of a long stream it may read the whole rest and sort it.
    first = max(after, 0)
    last = _LAST_VERSION if limit is None else min(first + limit, _LAST_VERSION)
    sql = f"SELECT {COLUMNS} FROM event WHERE stream_id = %s AND version > %s AND version <= %s ORDER BY version"  # noqa: S608
    return [from_row(row) for row in calling.call(sql, [stream_id, first, last])]
