"""By what photos can be looked for: one entry each. All that are asked for together must hold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from django.db.models import Q

from core.accounts import Account
from core.domain.exposure import MEASURES, range_in_words
from core.domain.searching import any_of, term, text_query
from core.readmodels import conditions
from core.readmodels.analysis import photos_with_label, photos_with_scene
from core.readmodels.conditions import KINDS, STATES, BadFilter

Asked: TypeAlias = Sequence[tuple[str, str]]  # (filter, value), in the order of the address
MOST = 20


@dataclass(frozen=True, slots=True)
class Filter:
    """One way to narrow a search: what it is called, its icon, the condition of a value, and the value in words.

    `words` is the condition where it is one on the index of words: those of several filters are asked at once.
    """

    title: str
    icon: str
    condition: Callable[[Account, str], Q] | None = None
    words: Callable[[str], str] | None = None
    shown: Callable[[Account, str], str] = lambda _, value: value


def _exactly(kind: str) -> Callable[[str], str]:
    return lambda value: any_of([term(kind, value)])


def _exposure(name: str, icon: str) -> Filter:
    return Filter(
        MEASURES[name].title, icon, conditions.exposed(name), shown=lambda _, value: range_in_words(name, value)
    )


FILTERS: dict[str, Filter] = {
    "q": Filter("Text", "magnifying-glass", words=text_query),
    "label": Filter("Thing", "tag", lambda _, value: Q(id__in=photos_with_label([value]))),
    "scene": Filter("Shows", "eye", lambda _, value: Q(id__in=photos_with_scene([value]))),
    "person": Filter("Person", "user", conditions.person, shown=conditions.person_shown),
    "place": Filter("Place", "map-pin", conditions.place, shown=conditions.place_shown),
    "date": Filter("Date", "calendar-days", conditions.date, shown=conditions.date_shown),
    "colour": Filter("Colour", "swatch", conditions.colour),
    "style": Filter("Style", "sparkles", conditions.style),
    "album": Filter(
        "Album", "rectangle-stack", conditions.album, shown=lambda one, value: conditions.album_of(one, value).name
    ),
    "keyword": Filter("Keyword", "hashtag", words=_exactly("keyword")),
    "camera": Filter("Camera", "camera", words=_exactly("camera")),
    "lens": Filter("Lens", "viewfinder-circle", words=_exactly("lens")),
    "aperture": _exposure("aperture", "sun"),
    "shutter": _exposure("shutter", "bolt"),
    "iso": _exposure("iso", "adjustments-horizontal"),
    "focal": _exposure("focal", "arrows-right-left"),
    "focal35": _exposure("focal35", "arrows-right-left"),
    "path": Filter("Path", "folder", words=conditions.path),
    "rating": Filter("Rating", "star", words=conditions.rating, shown=conditions.rating_shown),
    "favourite": Filter("Favourite", "heart", words=lambda _: any_of([term("favourite", "yes")])),
    "kind": Filter("Kind", "film", words=_exactly("kind"), shown=lambda _, v: KINDS.get(v, v.upper())),
    "state": Filter("State", "cog-6-tooth", conditions.state, shown=lambda _, v: STATES.get(v, v)),
}


def asked_in(given: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """The filters in an address's parameters, in the order of FILTERS, each value once. Raises BadFilter."""
    asked = [
        (name, value)
        for name in FILTERS
        for value in dict.fromkeys(one.replace("\0", "").strip()[:200] for one in given.get(name, ()))
        if value
    ]
    if len(asked) > MOST:
        raise BadFilter(f"A search has {MOST} filters at most.")
    return asked


def expanded(account: Account, asked: Asked, above: Sequence[UUID] = ()) -> list[tuple[str, str]]:
    """The question with the rule of each album by rule in the album's place.

    Raises BadFilter, also for an album that stands in its own rule.
    """
    parts: list[tuple[str, str]] = []
    for name, value in asked:
        if name not in FILTERS:
            raise BadFilter(f"Filmroll has no filter {name} any longer.")
        album = conditions.album_of(account, value) if name == "album" else None
        if album is None or album.rule is None:
            parts.append((name, value))
        elif album.id in above:
            raise BadFilter(f"The rule of the album {album.name} leads back to the album itself.")
        else:
            parts += expanded(account, album.asked, (*above, album.id))
    return list(dict.fromkeys(parts))


def check(account: Account, asked: Asked, above: Sequence[UUID] = ()) -> None:
    """Raises BadFilter for a value that a filter knows nothing of, and for an album `above`, in its own rule."""
    for name, value in expanded(account, asked, above):
        known = FILTERS[name]
        if known.condition is not None:
            known.condition(account, value)
        if known.words is not None:
            known.words(value)
