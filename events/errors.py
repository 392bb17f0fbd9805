"""What may go wrong with events, each with what a caller needs to go on."""

from uuid import UUID


class EventError(Exception):
    """Any refusal by the event store."""


class VersionConflict(EventError):
    """The stream is not at the version that the append expected: load it again and decide anew."""

    def __init__(self, stream_id: str, expected: int, actual: int) -> None:
        super().__init__(f"stream {stream_id} is at version {actual}, not at {expected}")
        self.stream_id = stream_id
        self.expected = expected
        self.actual = actual


class EventIdConflict(EventError):
    """An event id is taken by an event of other content, of another stream, or by a part of another append."""

    def __init__(self, stream_id: str, event_ids: tuple[UUID, ...]) -> None:
        named = ", ".join(str(event_id) for event_id in event_ids)
        super().__init__(f"stream {stream_id}: event ids already used for something else: {named}")
        self.stream_id = stream_id
        self.event_ids = event_ids


class LimitExceeded(EventError):
    """Something is larger than the log takes; nothing was recorded."""

    def __init__(self, what: str, size: int, limit: int, unit: str) -> None:
        super().__init__(f"{what}: {size:,} {unit}, more than the {limit:,} allowed")
        self.size = size
        self.limit = limit


class EventTooLarge(LimitExceeded):
    """The data of one event exceed 64 KiB."""


class MetaTooLarge(LimitExceeded):
    """The metadata of an append exceed 8 KiB."""


class TooManyEvents(LimitExceeded):
    """More than 1,000 events in one call."""


class NotStorable(EventError):
    """Data that are no JSON in PostgreSQL's sense: a NUL, a lone surrogate, NaN, or another Python type."""


class FenceError(EventError):
    """The log cannot be read safely from here: inside a transaction, or from a standby."""


class ReplayError(EventError):
    """A read model could not apply an event; the replay was undone."""


class ErasureError(EventError):
    """An event to be erased does not exist."""


class SubscriptionError(EventError):
    """A subscription cannot run or be resumed as asked."""
