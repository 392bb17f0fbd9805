"""Turns new events into what the append function takes, and refuses what the log cannot hold."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from events.errors import EventIdConflict, EventTooLarge, MetaTooLarge, NotStorable, TooManyEvents
from events.event import Meta, NewEvent

MAX_EVENTS = 1_000
MAX_DATA_BYTES = 64 * 1024
MAX_META_BYTES = 8 * 1024
MAX_NAME = 255

# Made once: `json.dumps` with options makes one for each call.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class Encoded:
    """Events as the parallel arrays of the append function."""

    ids: list[UUID]
    types: list[str]
    schemas: list[int]
    data: list[str]


def encode(stream_id: str, events: Sequence[NewEvent]) -> Encoded:
    """The events of one stream as arrays.

    Raises ValueError for no events or a bad name, EventTooLarge, NotStorable, or EventIdConflict when an id is
    used twice.
    """
    _check_name("stream id", stream_id)
    if not events:
        raise ValueError(f"stream {stream_id}: nothing to append")
    ids = [event.event_id for event in events]
    if len(set(ids)) < len(ids):
        raise EventIdConflict(stream_id, tuple(one for one, times in Counter(ids).items() if times > 1))
    return Encoded(
        ids=ids,
        types=[_check_name("event type", event.type) for event in events],
        schemas=[_check_schema(event) for event in events],
        data=[_data_text(event) for event in events],
    )


def check_count(count: int) -> None:
    """Raise TooManyEvents when one call has more events than the log takes."""
    if count > MAX_EVENTS:
        raise TooManyEvents("one append", count, MAX_EVENTS, "events")


@lru_cache(maxsize=64)
def meta_text(meta: Meta) -> str:
    """The metadata as JSON text; raises MetaTooLarge or NotStorable."""
    text, size = _json_text("metadata", meta.as_json())
    if size > MAX_META_BYTES:
        raise MetaTooLarge("metadata", size, MAX_META_BYTES, "bytes")
    return text


def _data_text(event: NewEvent) -> str:
    if "$erased" in event.data:
        raise NotStorable(f'data of {event.type}: the key "$erased" is the tombstone\'s own')
    text, size = _json_text("data of " + event.type, event.data)
    if size > MAX_DATA_BYTES:
        raise EventTooLarge(f"data of {event.type}", size, MAX_DATA_BYTES, "bytes")
    return text


def _json_text(what: str, value: Mapping[str, Any]) -> tuple[str, int]:
    """Compact JSON that PostgreSQL takes as jsonb, and its bytes; raises NotStorable, saying what is wrong."""
    try:
        text = _ENCODER.encode(value if type(value) is dict else dict(value))
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise NotStorable(f"{what}: a lone surrogate, which is no Unicode text") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise NotStorable(f"{what}: {error}") from error
    # The escape also appears in the harmless text "\\u0000", hence the second, slower look.
    if "\\u0000" in text and _holds_nul(json.loads(text)):
        raise NotStorable(f"{what}: a NUL character, which PostgreSQL cannot keep in text")
    return text, size


def _holds_nul(value: Any) -> bool:
    match value:
        case str():
            return "\0" in value
        case dict():
            return any(_holds_nul(part) for pair in value.items() for part in pair)
        case list():
            return any(_holds_nul(part) for part in value)
        case _:
            return False


def _check_name(what: str, name: str) -> str:
    if not 0 < len(name) <= MAX_NAME or "\0" in name:
        raise ValueError(f"{what} must have 1 to {MAX_NAME} characters and no NUL: {name!r}")
    return name


def _check_schema(event: NewEvent) -> int:
    if event.schema_version < 1:
        raise ValueError(f"{event.type}: schema versions count from 1, not {event.schema_version}")
    return event.schema_version
