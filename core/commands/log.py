"""How commands read and write the event log; nothing else appends to it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from uuid import UUID

from core.domain import codec, libraries, photos
from core.domain.forgetting import FORGOTTEN
from core.domain.streams import photo_stream
from events.event import Append, Appended, Event, Meta, NewEvent
from events.store import ANY, append, append_many, read_stream

# Events in one append at most; the store takes a few more.
_BATCH = 500

try:
    CODE_VERSION = version("filmroll")
except PackageNotFoundError:  # run from a checkout
    CODE_VERSION = "0.1.0"


@dataclass(frozen=True, slots=True)
class News:
    """What is to be appended to a stream that was `seen` at this version; `ids` names the first events."""

    stream: str
    seen: int
    events: Sequence[codec.DomainEvent]
    ids: Sequence[UUID] = ()


def load_photo(photo_id: UUID) -> photos.Photo:
    """A photo's state as committed; one that has no events yet does not `exists`."""
    return photo_of(read_stream(photo_stream(photo_id)))


def photo_of(stored: Iterable[Event]) -> photos.Photo:
    """A photo's state after these events of its stream."""
    facts = (codec.decode(event) for event in stored if not event.erased)
    return photos.fold(facts)  # type: ignore[arg-type]  # a photo's stream holds no other


def photo_events(photo_id: UUID) -> Sequence[Event]:
    """All events of a photo. Raises PhotoNotFound, also for one that was forgotten."""
    stored = told(read_stream(photo_stream(photo_id)))
    if not stored:
        raise photos.PhotoNotFound(str(photo_id))
    return stored


def told(stored: Sequence[Event]) -> list[Event]:
    """Those of a stream's events that say something still; none of a photo that was forgotten."""
    known = [event for event in stored if not event.erased]
    return [] if any(event.type == FORGOTTEN for event in known) else known


def named(stored: Iterable[Event]) -> list[tuple[UUID, object]]:
    """What the events of a stream say, each with its id."""
    return [(event.event_id, codec.decode(event)) for event in stored if not event.erased]


def library_of(library_id: UUID, stored: Iterable[Event]) -> libraries.Library:
    """A library's state after these events of its stream."""
    facts = (codec.decode(event) for event in stored)
    return libraries.fold(library_id, facts)  # type: ignore[arg-type]  # a library's stream holds no other


def write(
    stream: str,
    events: Sequence[codec.DomainEvent],
    *,
    actor: str,
    expected: int | None = ANY,
    ids: Sequence[UUID] = (),
) -> Appended | None:
    """Append domain events; `ids` names the first ones, so that saying them twice is saying them once.

    None where there was nothing to append. Raises what `events.store.append` raises.
    """
    if not events:
        return None
    news = [_new(event, ids[at : at + 1]) for at, event in enumerate(events)]
    return append(stream, expected, news, _meta(actor))


def state_after(
    photo_id: UUID, seen: photos.Photo, news: Sequence[photos.PhotoEvent], done: Appended | None
) -> photos.Photo:
    """A photo's state after an append: from what was seen before, or read where others have written in between."""
    if done is None or done.replayed or done.version != seen.version + len(news):
        return load_photo(photo_id)
    state = seen
    for event in news:
        state = photos.evolve(state, event)
    return replace(state, version=done.version)


def write_many(news: Sequence[tuple[str, codec.DomainEvent]], *, actor: str) -> None:
    """Append domain events to many streams, whatever their versions: observations, in large batches."""
    for start in range(0, len(news), _BATCH):
        by_stream: dict[str, list[NewEvent]] = {}
        for stream, event in news[start : start + _BATCH]:
            by_stream.setdefault(stream, []).append(_new(event, ()))
        append_many([Append(stream, ANY, events) for stream, events in by_stream.items()], _meta(actor))


def write_together(news: Iterable[News], *, actor: str) -> bool:
    """Append to several streams at the versions that were seen, all or none; whether there was anything.

    Raises what `events.store.append_many` raises.
    """
    appends = [
        Append(one.stream, one.seen, [_new(event, one.ids[at : at + 1]) for at, event in enumerate(one.events)])
        for one in news
        if one.events
    ]
    if len(appends) == 1:
        [alone] = appends  # costs no savepoint
        append(alone.stream_id, alone.expected, alone.events, _meta(actor))
    elif appends:
        append_many(appends, _meta(actor))
    return bool(appends)


def _new(event: codec.DomainEvent, named: Sequence[UUID]) -> NewEvent:
    type_, data = codec.encode(event)
    version = codec.newest_version(type_)
    return NewEvent(type_, data, version, named[0]) if named else NewEvent(type_, data, version)


def _meta(actor: str) -> Meta:
    return Meta(actor=actor, source=actor.split(":", 1)[0], code_version=CODE_VERSION)
