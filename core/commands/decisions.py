"""Load, decide, append: how a command adds to streams whose past it has to know."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from core.commands.log import News, told, write_together
from core.domain import codec
from core.domain.photos import PhotoNotFound
from core.domain.streams import photo_stream
from events.event import Event
from events.store import NO_STREAM, VersionConflict, read_stream

# How often somebody else may come in between.
_RACES = 5


def _unnamed(_: Sequence[codec.DomainEvent]) -> Sequence[UUID]:
    return ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one stream: `decide` is given all its events and answers what is new.

    `name` gives ids to the first of those, so that saying them twice is saying them once. `missing` is raised for
    a stream that has no events.
    """

    stream: str
    decide: Callable[[Sequence[Event]], Sequence[codec.DomainEvent]]
    missing: LookupError | None = None
    name: Callable[[Sequence[codec.DomainEvent]], Sequence[UUID]] = _unnamed


def of_photo(
    photo_id: UUID,
    decide: Callable[[Sequence[Event]], Sequence[codec.DomainEvent]],
    name: Callable[[Sequence[codec.DomainEvent]], Sequence[UUID]] = _unnamed,
) -> Decision:
    """A decision about a photo that must be there: else PhotoNotFound is raised."""
    return Decision(photo_stream(photo_id), decide, PhotoNotFound(str(photo_id)), name)


def noting(ids: list[UUID]) -> Callable[[Sequence[codec.DomainEvent]], Sequence[UUID]]:
    """Ids for what is new, noted in this list: what others write at the same moment is not among them."""

    def name(news: Sequence[codec.DomainEvent]) -> Sequence[UUID]:
        ids[:] = [uuid4() for _ in news]  # decided on again, only the last time counts
        return tuple(ids)

    return name


def settle(decision: Decision, *, actor: str) -> bool:
    """Append what is decided, at the version that was seen; whether there was something new."""
    return settle_all([decision], actor=actor)


def settle_all(decisions: Iterable[Decision], *, actor: str) -> bool:
    """Decide on each, append to all of them or to none; whether there was something new.

    Raises what deciding raises.
    Somebody else's write in between means: load and decide again. All streams come first, in one order, then what
    follows from their events: so two who write to the same photos wait for one another, and never in a circle.
    """
    asked = list(decisions)
    for race in range(_RACES):
        news = [_news_of(one) for one in asked]
        try:
            return write_together(news, actor=actor)
        except VersionConflict:
            if race == _RACES - 1:
                raise
    return False


def _news_of(decision: Decision) -> News:
    stored = read_stream(decision.stream)
    if decision.missing and not told(stored):
        raise decision.missing
    events = decision.decide(told(stored) if decision.missing else stored)
    seen = stored[-1].version if stored else NO_STREAM
    return News(decision.stream, seen, events, decision.name(events))
