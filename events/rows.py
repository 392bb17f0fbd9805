"""Rows of the log as events; their JSON is read, and lifted, when somebody asks for it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from events.event import TOMBSTONE, Event
from events.lifts import lift

# Data as text: what PostgreSQL stored is read by Python's own JSON, in the same way after an append, from a
# stream and in a replay, so that a consumer always sees the very same values.
COLUMNS = (
    "stream_id, type, schema_version, meta::text, position, version, event_id, recorded_at, data::text, "
    "data_hash, chain_hash"
)


class _Recorded(Event):
    """An event whose JSON is still text: most readers pass over most events, and need a type or a position."""

    __slots__ = ("_data", "_data_text", "_meta", "_meta_text", "_schema")
    _data: dict[str, Any] | None
    _data_text: str
    _meta: dict[str, Any] | None
    _meta_text: str
    _schema: int

    @property
    def meta(self) -> dict[str, Any]:
        """As in Event."""
        known = self._meta
        if known is None:
            known = json.loads(self._meta_text)
            _put(self, "_meta", known)
        return known

    @property
    def data(self) -> dict[str, Any]:
        """As in Event. An error of a lift comes through here, to whoever handles this event."""
        known = self._data
        return self._lift() if known is None else known

    @property
    def schema_version(self) -> int:
        """As in Event."""
        if self._data is None:
            self._lift()
        return self._schema

    def _lift(self) -> dict[str, Any]:
        """The data in their newest form; a tombstone is not lifted."""
        values: dict[str, Any] = json.loads(self._data_text)
        if values != TOMBSTONE:
            schema, values = lift(self.type, self._schema, values)
            _put(self, "_schema", schema)
        _put(self, "_data", values)
        return values


# Past the guard of the frozen dataclass, whose own way of filling it checks each field by its name.
_put = object.__setattr__


def from_row(row: Sequence[Any]) -> Event:
    """An event from the columns of COLUMNS."""
    return recorded(*row)


def recorded(
    stream_id: str,
    event_type: str,
    schema_version: int,
    meta: str,
    position: int,
    version: int,
    event_id: UUID,
    recorded_at: datetime,
    data: str,
    data_hash: bytes,
    chain_hash: bytes,
) -> Event:
    """An event from what was known before the append and what the append gave it; meta and data are JSON text."""
    event = object.__new__(_Recorded)
    _put(event, "position", position)
    _put(event, "stream_id", stream_id)
    _put(event, "version", version)
    _put(event, "category", stream_id.partition("-")[0])
    _put(event, "type", event_type)
    _put(event, "event_id", event_id)
    _put(event, "recorded_at", recorded_at.astimezone(UTC))
    _put(event, "data_hash", bytes(data_hash))
    _put(event, "chain_hash", bytes(chain_hash))
    _put(event, "_schema", schema_version)
    _put(event, "_data_text", data)
    _put(event, "_data", None)
    _put(event, "_meta_text", meta)
    _put(event, "_meta", None)
    return event
