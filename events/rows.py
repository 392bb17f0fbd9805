"""Rows of the log as events, their data lifted."""

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


def from_row(row: Sequence[Any]) -> Event:
    """An event from the columns of COLUMNS."""
    stream_id, event_type, schema_version, meta, *rest = row
    return recorded(stream_id, event_type, schema_version, json.loads(meta), *rest)


def recorded(
    stream_id: str,
    event_type: str,
    schema_version: int,
    meta: dict[str, Any],
    position: int,
    version: int,
    event_id: UUID,
    recorded_at: datetime,
    data: str,
    data_hash: bytes,
    chain_hash: bytes,
) -> Event:
    """An event from what was known before the append and what the append gave it; a tombstone is not lifted."""
    values = json.loads(data)
    if values != TOMBSTONE:
        schema_version, values = lift(event_type, schema_version, values)
    return Event(
        position=position,
        stream_id=stream_id,
        version=version,
        category=stream_id.split("-", 1)[0],
        type=event_type,
        schema_version=schema_version,
        event_id=event_id,
        data=values,
        meta=meta,
        recorded_at=recorded_at.astimezone(UTC),
        data_hash=bytes(data_hash),
        chain_hash=bytes(chain_hash),
    )
