"""What a person says of a photo in Filmroll itself, and how each such word is taken back."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from core.domain.clocks import is_offset
from core.domain.facts import AboutFacts as AboutFacts
from core.domain.looks import StyleCorrected, style_fact
from core.domain.personal import Personal
from core.domain.places import NAME_LIMIT, PlaceCorrected
from core.domain.styles import Style

STARS = range(6)
TEXT_LIMIT = 1000
KEYWORD_LIMIT = 200
KEYWORD_LENGTH = 200


@dataclass(frozen=True, slots=True)
class PhotoRated(AboutFacts):
    """Stars from 0 to 5; None takes them away, also those that the file says."""

    rating: int | None


@dataclass(frozen=True, slots=True)
class PhotoFavoured(AboutFacts):
    """Made a favourite, or none any longer."""

    favourite: bool


@dataclass(frozen=True, slots=True)
class PhotoTitled(AboutFacts):
    """A title; "" takes it away."""

    title: Personal[str]


@dataclass(frozen=True, slots=True)
class PhotoCaptioned(AboutFacts):
    """A caption; "" takes it away."""

    caption: Personal[str]


@dataclass(frozen=True, slots=True)
class KeywordsChanged(AboutFacts):
    """All keywords that the photo has from now on."""

    keywords: Personal[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class PhotoPlaced(AboutFacts):
    """A position in degrees, altitude in metres; None takes it away."""

    latitude: Personal[float | None]
    longitude: Personal[float | None]
    altitude: Personal[float | None] = None


@dataclass(frozen=True, slots=True)
class PhotoDated(AboutFacts):
    """The wall time at which it was taken, and its offset when known."""

    taken_at: Personal[str]
    taken_offset: str = ""


@dataclass(frozen=True, slots=True)
class ChangeUndone(AboutFacts):
    """An earlier change, or an earlier undoing, counts no longer.

    What the person says of the facts in question from now on is in `facts`; of those in `silent` nothing any more.
    """

    event: UUID
    facts: Personal[dict[str, Any]]
    silent: tuple[str, ...] = ()


Edit: TypeAlias = (
    PhotoRated
    | PhotoFavoured
    | PhotoTitled
    | PhotoCaptioned
    | KeywordsChanged
    | PhotoPlaced
    | PhotoDated
    | PlaceCorrected
    | StyleCorrected
)
EditEvent: TypeAlias = Edit | ChangeUndone
EDITS = (
    *(PhotoRated, PhotoFavoured, PhotoTitled, PhotoCaptioned, KeywordsChanged),
    *(PhotoPlaced, PhotoDated, PlaceCorrected, StyleCorrected),
)


class BadValue(ValueError):
    """A value that cannot be; the text says why, for the person who gave it."""


class NotUndoable(ValueError):
    """The event is no change by a person, or was undone already."""


class ChangedMeanwhile(ValueError):
    """Somebody else changed the same fact after the page was made."""


def words_of(edit: Edit) -> dict[str, Any]:
    """Fact → value, as a person says it here; None means: nothing is to be said."""
    match edit:
        case PhotoRated(rating=rating):
            return {"rating": rating}
        case PhotoFavoured(favourite=favourite):
            return {"favourite": favourite}
        case PhotoTitled(title=title):
            return {"title": title or None}
        case PhotoCaptioned(caption=caption):
            return {"caption": caption or None}
        case KeywordsChanged(keywords=keywords):
            return {"keywords": list(keywords) or None, "keyword_paths": None}
        case PhotoPlaced(latitude=latitude, longitude=longitude, altitude=altitude):
            place = {"latitude": latitude, "longitude": longitude}
            return place if altitude is None and latitude is not None else {**place, "altitude": altitude}
        case PhotoDated(taken_at=taken_at, taken_offset=offset):
            return {"taken_at": taken_at, "taken_offset": offset or None}
        case PlaceCorrected(country=country, region=region, city=city):
            # A list, from the large to the small, as facts are compared by.
            return {"place": [country, region, city] if country or region or city else None}
        case StyleCorrected(style=style, has=has):
            return {style_fact(style): has}


def apply(words: Mapping[str, Any], event: EditEvent) -> dict[str, Any]:
    """What a person says of a photo after one more event."""
    if isinstance(event, ChangeUndone):
        return {name: value for name, value in words.items() if name not in event.silent} | event.facts
    return {**words, **words_of(event)}


def decide_edit(words: Mapping[str, Any], edit: Edit) -> list[EditEvent]:
    """A change that says what was said already is no news. Raises BadValue."""
    checked = _checked(edit)
    return [] if apply(words, checked) == dict(words) else [checked]


def decide_undo(history: Sequence[tuple[UUID, object]], event: UUID) -> list[EditEvent]:
    """The event that takes an earlier one back. Raises NotUndoable."""
    known = {identity: fact for identity, fact in history if isinstance(fact, (*EDITS, ChangeUndone))}
    target = known.get(event)
    if target is None:
        raise NotUndoable("This is not a change that can be undone")
    counting = counting_events(history)
    if event not in counting:
        raise NotUndoable("This change was undone already")
    after = _words_after([*history, (UUID(int=0), ChangeUndone(event, {}))])
    touched = _touched(known, target)
    facts = {name: after[name] for name in touched if name in after}
    return [ChangeUndone(event, facts, tuple(name for name in touched if name not in after))]


def counting_events(history: Iterable[tuple[UUID, object]]) -> frozenset[UUID]:
    """The changes and undoings that count: those that no counting undoing names."""
    counting: set[UUID] = set()
    undone: set[UUID] = set()
    for identity, fact in reversed(list(history)):
        if isinstance(fact, (*EDITS, ChangeUndone)) and identity not in undone:
            counting.add(identity)
            if isinstance(fact, ChangeUndone):
                undone.add(fact.event)
    return frozenset(counting)


def touches(fact: object) -> set[str]:
    """The facts that an event is about, when a person said it."""
    if isinstance(fact, ChangeUndone):
        return {*fact.facts, *fact.silent}
    return set(words_of(fact)) if isinstance(fact, EDITS) else set()


def _words_after(history: Sequence[tuple[UUID, object]]) -> dict[str, Any]:
    counting = counting_events(history)
    words: dict[str, Any] = {}
    for identity, fact in history:
        if identity in counting and isinstance(fact, EDITS):
            words |= words_of(fact)
    return words


def _touched(known: Mapping[UUID, object], target: object) -> list[str]:
    while isinstance(target, ChangeUndone):
        target = known.get(target.event)
    return list(words_of(target)) if isinstance(target, EDITS) else []


def _checked(edit: Edit) -> Edit:
    """The change in its proper form. Raises BadValue."""
    match edit:
        case PhotoRated(rating=rating):
            _require(rating is None or rating in STARS, "Stars go from 0 to 5.")
        case PhotoTitled(title=title):
            return PhotoTitled(_text(title))
        case PhotoCaptioned(caption=caption):
            return PhotoCaptioned(_text(caption))
        case KeywordsChanged(keywords=keywords):
            words = tuple(dict.fromkeys(filter(None, map(_text, keywords))))
            _require(len(words) <= KEYWORD_LIMIT, f"A photo has at most {KEYWORD_LIMIT} keywords.")
            _require(
                all(len(w) <= KEYWORD_LENGTH for w in words), f"Keywords have {KEYWORD_LENGTH} letters at most."
            )
            return KeywordsChanged(words)
        case PhotoPlaced():
            _check_place(edit)
        case PlaceCorrected(country=country, region=region, city=city):
            names = tuple(" ".join(_text(name).split()) for name in (country, region, city))
            _require(all(len(name) <= NAME_LIMIT for name in names), f"Places have {NAME_LIMIT} letters at most.")
            return PlaceCorrected(*names)
        case PhotoDated():
            _check_date(edit)
        case StyleCorrected(style=style):
            _require(style in list(Style), f"There is no style {style}.")
    return edit


def _check_place(place: PhotoPlaced) -> None:
    latitude, longitude, altitude = place.latitude, place.longitude, place.altitude
    if latitude is None or longitude is None:
        _require(latitude is longitude and altitude is None, "A position has a latitude and a longitude.")
        return
    _require(math.isfinite(latitude) and abs(latitude) <= 90, "Latitudes go from -90 to 90 degrees.")
    _require(math.isfinite(longitude) and abs(longitude) <= 180, "Longitudes go from -180 to 180 degrees.")
    _require(altitude is None or -12_000 <= altitude <= 100_000, "That altitude is not on or near the Earth.")


def _check_date(date: PhotoDated) -> None:
    try:
        wall = datetime.fromisoformat(date.taken_at)
    except ValueError:
        raise BadValue("That is no date and time; write it as 2024-05-01T12:30:00.") from None
    _require(wall.tzinfo is None, "The time is the clock's on the wall; the offset from UTC has its own field.")
    offset = date.taken_offset
    _require(not offset or is_offset(offset), "An offset from UTC is written as +02:00.")


def _text(text: str) -> str:
    clean = "".join(c for c in text if c in "\n\t" or c.isprintable()).strip()
    _require(len(clean) <= TEXT_LIMIT, f"Texts have {TEXT_LIMIT:,} letters at most.")
    return clean


def _require(fine: bool, reason: str) -> None:
    if not fine:
        raise BadValue(reason)
