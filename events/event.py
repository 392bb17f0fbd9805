"""What an event is: plain values, with no database and no Django."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from uuid_utils.compat import uuid7

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

# What an erased event holds in place of its data.
TOMBSTONE: dict[str, Any] = {"$erased": True}


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A fact to be recorded.

    `type` is a written-down name, lower-case `noun.past_tense`. `data` is JSON, 64 KiB at most. The id makes
    the append idempotent: a job that may run twice derives it from its cause, so that the fact is recorded once.
    """

    type: str
    data: Mapping[str, Any]
    schema_version: int = 1
    event_id: UUID = field(default_factory=uuid7)


@dataclass(frozen=True, slots=True)
class Event:
    """A recorded fact, its data lifted to the newest schema version.

    `position` orders all events and has gaps; `version` counts the events of one stream from 1, without gaps.
    """

    position: int
    stream_id: str
    version: int
    category: str
    type: str
    schema_version: int
    event_id: UUID
    data: dict[str, Any]
    meta: dict[str, Any]
    recorded_at: datetime
    data_hash: bytes
    chain_hash: bytes

    @property
    def name(self) -> str:
        """The type with its schema version, as shown to people: `photo.rated.v1`."""
        return f"{self.type}.v{self.schema_version}"

    @property
    def erased(self) -> bool:
        """Whether the data were erased for good, and a tombstone stands in their place."""
        return self.data == TOMBSTONE


@dataclass(frozen=True, slots=True)
class Meta:
    """Who and what caused the events of one append; kept as JSON, 8 KiB at most."""

    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    command_id: UUID | None = None
    actor: str = "system"
    source: str = ""
    code_version: str = ""

    def as_json(self) -> dict[str, str]:
        """What is known, as a JSON object; what is not known is left out."""
        named = {name: getattr(self, name) for name in self.__slots__}
        return {name: str(value) for name, value in named.items() if value not in (None, "")}


@dataclass(frozen=True, slots=True)
class Append:
    """Events for one stream, as one part of an append to many streams.

    `expected` is the version that the stream must have: n exactly n, 0 no stream yet, None any.
    """

    stream_id: str
    expected: int | None
    events: Sequence[NewEvent]


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append did: the events as recorded, and the stream's version after them.

    `replayed` means that the same ids had been recorded before: these are the events of then, nothing was added.
    """

    positions: tuple[int, ...]
    version: int
    replayed: bool
    events: tuple[Event, ...]
