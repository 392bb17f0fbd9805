"""Where in the world a photo was taken: what is worked out from its position, and what a person says instead."""

from dataclasses import dataclass, fields
from typing import TypeAlias
from uuid import UUID, uuid5

from core.domain.facts import AboutFacts
from core.domain.personal import Personal

NAME_LIMIT = 200
_ROOT = UUID("5f0c6d1e-6f0b-5a52-9d0e-3c8a1b7e2f44")


@dataclass(frozen=True, slots=True)
class Names:
    """Country, region and town, from the large to the small; "" where there is none, or none is known."""

    country: str = ""
    region: str = ""
    city: str = ""

    def __bool__(self) -> bool:
        return any(self.parts)

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(getattr(self, one.name) for one in fields(self))


@dataclass(frozen=True, slots=True)
class PlaceFound(AboutFacts):
    """What a position means. `sea`: no country's; `zone`: whose clocks are valid there.

    It belongs to the position, not to the content: where the position changes, another place is found.
    """

    latitude: Personal[float]
    longitude: Personal[float]
    country: Personal[str]
    region: Personal[str]
    city: Personal[str]
    code: Personal[str]
    sea: bool
    zone: Personal[str]
    source: str
    source_version: str

    @property
    def names(self) -> Names:
        return Names(self.country, self.region, self.city)


@dataclass(frozen=True, slots=True)
class PlaceCorrected(AboutFacts):
    """Where it was taken in a person's words, whatever the position says; nothing: no place is to be shown."""

    country: Personal[str]
    region: Personal[str]
    city: Personal[str]


PlaceEvent: TypeAlias = PlaceFound | PlaceCorrected


def node_id(parent: UUID | None, name: str) -> UUID:
    """The identity of a place: its name and what it lies in, so that each of many a Paris is itself."""
    return uuid5(parent or _ROOT, name)


def path_of(names: Names) -> list[tuple[str, UUID, UUID | None, str]]:
    """(kind, id, parent, name) of each part that has a name, from the large to the small."""
    found: list[tuple[str, UUID, UUID | None, str]] = []
    parent: UUID | None = None
    for kind, name in zip(KINDS, names.parts, strict=True):
        if name:
            identity = node_id(parent, f"{kind}:{name}")
            found.append((kind, identity, parent, name))
            parent = identity
    return found


def finding_id(photo: UUID, asked: int, source_version: str) -> UUID:
    """The id of the event that says what a position means; `asked` is the event by which it came to be there."""
    return uuid5(photo, f"place:{asked}:{source_version}")


KINDS = ("country", "region", "city")
