"""Reads the events of one stream; whoever may read need not know how to append."""

from events import calling
from events.event import Event
from events.rows import COLUMNS, from_row


def read_stream(stream_id: str, after: int = 0, limit: int | None = None) -> list[Event]:
    """The events of a stream with a version greater than `after`, in order, lifted."""
    sql = f"SELECT {COLUMNS} FROM event WHERE stream_id = %s AND version > %s ORDER BY version LIMIT %s::bigint"  # noqa: S608
    return [from_row(row) for row in calling.call(sql, [stream_id, after, limit])]
