"""By what photos can be looked for: one entry each. All that are asked for together must hold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from core.accounts import Account
from core.domain.analysis import BY_MODEL
from core.domain.occasions import NAMES, NoSuchDate, Occasion
from core.domain.people import PersonNotFound
from core.domain.photos import Step
from core.domain.searching import BadDates, any_of, dates_in, term, text_query
from core.readmodels.analysis import PhotoAnalysis, photos_with_label, photos_with_scene
from core.readmodels.failures import Failure
from core.readmodels.libraries import libraries_of
from core.readmodels.looks import NoSuchLook
from core.readmodels.looks import photos_with as photos_with_look
from core.readmodels.occasions import libraries_without_dates, named_date
from core.readmodels.people import birthdays, person_for
from core.readmodels.people import photos_with as photos_with_person
from core.readmodels.photos import PreviewState
from core.readmodels.places import photos_at_sea, photos_with_place
from core.readmodels.searching import SearchTerm, photos_with_words

Asked: TypeAlias = Sequence[tuple[str, str]]  # (filter, value), in the order of the address
MOST = 20


class BadFilter(ValueError):
    """A value that a filter knows nothing of; the text says which, for whoever asked."""


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


def _place(_: Account, value: str) -> Q:
    return Q(id__in=photos_at_sea() if value == "sea" else photos_with_place(_uuid("place", value)))


def _place_shown(account: Account, value: str) -> str:
    """Its name; not to accounts that have no photo of it."""
    if value == "sea":
        return "At sea"
    mine = libraries_of(account).values("id")
    known = SearchTerm.objects.filter(library_id__in=mine, kind="place", value=value).values_list(
        "text", flat=True
    )
    return known.first() or "a place without photos"


def _person(account: Account, value: str) -> Q:
    try:
        person = person_for(account, _uuid("person", value))
    except PersonNotFound as error:
        raise BadFilter(f"There is no such person: {value}.") from error
    return Q(id__in=photos_with_person(person.id))


def _person_shown(account: Account, value: str) -> str:
    return person_for(account, _uuid("person", value)).name or "Somebody without a name"


def _colour(_: Account, value: str) -> Q:
    try:
        return Q(id__in=photos_with_look(colour=value.lower()))
    except (NoSuchLook, ValueError) as error:
        raise BadFilter(f"There is no such colour: {value}.") from error


def _style(_: Account, value: str) -> Q:
    try:
        return Q(id__in=photos_with_look(style=value.lower()))
    except (NoSuchLook, ValueError) as error:
        raise BadFilter(f"There is no such style: {value}.") from error


def _date(account: Account, value: str) -> Q:
    """A range of days, or a date of note: everybody's, one's own, or birthdays of those in the photo."""
    if value in list(Occasion):
        return _on_days(any_of([term("note", value)]))
    if value == "birthday":
        return _birthdays(account)
    if own := _own_date(account, value):
        return _on_days(any_of([term("day", own[1])]))
    try:
        begin, end = dates_in(value)
    except BadDates as error:
        raise BadFilter(f"That names no dates: {value}. Write 2024, 2024-05, May 2024 or 2023..2024.") from error
    return Q(taken_local__gte=begin, taken_local__lt=end)


def _date_shown(account: Account, value: str) -> str:
    if value in list(Occasion):
        return NAMES[Occasion(value)]
    if value == "birthday":
        return "Birthdays"
    own = _own_date(account, value)
    return own[0] if own else value.replace("..", " to ").strip()


def _own_date(account: Account, value: str) -> tuple[str, str] | None:
    """Name and day of one of the account's own dates; None where the value is no id of one."""
    try:
        found = named_date(account, UUID(value))
    except (ValueError, NoSuchDate):
        return None
    return found.name, found.key


def _on_days(query: str) -> Q:
    return Q(id__in=photos_with_words(query)) & ~Q(library_id__in=list(libraries_without_dates()))


def _birthdays(account: Account) -> Q:
    found = Q(pk__in=[])
    for person, (_, born) in birthdays(account).items():
        day = any_of([term("day", f"{born.month:02d}-{born.day:02d}")])
        found |= Q(id__in=photos_with_person(person)) & _on_days(day) & Q(taken_local__gte=born)
    return found


def _rating(value: str) -> str:
    if value not in ("1", "2", "3", "4", "5"):
        raise BadFilter(f"Stars go from 1 to 5, not {value}.")
    return any_of(term("stars", str(stars)) for stars in range(int(value), 6))


def _rating_shown(_: Account, value: str) -> str:
    return "★" * int(value) + ("" if value == "5" else " or more")


KINDS = {"image": "Pictures", "raw": "RAW", "video": "Videos"}
STATES = {
    "no-preview": "No preview yet",
    "failed": "Something failed",
    "failed-previews": "Making previews failed",
    "failed-labels": "Analysis failed",
    **{f"failed-{one}": f"Analysis failed: {one}" for one in BY_MODEL},
    "missing": "Original missing",
    "not-analysed": "Not analysed yet",
}


def _state(_: Account, value: str) -> Q:
    failed = Failure.objects.filter(photo_id=OuterRef("id"), set_aside=False)
    match value:
        case "no-preview":
            return Q(preview_state=PreviewState.WAITING)
        case "missing":
            return Q(missing=True)
        case "not-analysed":
            return Q(processed_at=None, preview_state=PreviewState.READY)
        case "failed":
            return Q(Exists(failed))
        case _ if value in STATES and value.removeprefix("failed-") in list(Step):
            return Q(Exists(failed.filter(step=value.removeprefix("failed-"))))
        case _ if value in STATES:
            # One job does all that need a model: what it has not done is what failed.
            done = PhotoAnalysis.objects.filter(
                photo_id=OuterRef("id"), made__has_key=value.removeprefix("failed-")
            )
            return Q(Exists(failed.filter(step=Step.LABELS))) & ~Q(Exists(done))
    raise BadFilter(f"There is no such state: {value}.")


def _uuid(name: str, value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise BadFilter(f"There is no such {name}: {value}.") from error


def _exactly(kind: str) -> Callable[[str], str]:
    return lambda value: any_of([term(kind, value)])


FILTERS: dict[str, Filter] = {
    "q": Filter("Text", "magnifying-glass", words=text_query),
    "label": Filter("Thing", "tag", lambda _, value: Q(id__in=photos_with_label([value]))),
    "scene": Filter("Shows", "eye", lambda _, value: Q(id__in=photos_with_scene([value]))),
    "person": Filter("Person", "user", _person, shown=_person_shown),
    "place": Filter("Place", "map-pin", _place, shown=_place_shown),
    "date": Filter("Date", "calendar-days", _date, shown=_date_shown),
    "colour": Filter("Colour", "swatch", _colour),
    "style": Filter("Style", "sparkles", _style),
    "keyword": Filter("Keyword", "hashtag", words=_exactly("keyword")),
    "camera": Filter("Camera", "camera", words=_exactly("camera")),
    "lens": Filter("Lens", "viewfinder-circle", words=_exactly("lens")),
    "rating": Filter("Rating", "star", words=_rating, shown=_rating_shown),
    "favourite": Filter("Favourite", "heart", words=lambda _: any_of([term("favourite", "yes")])),
    "kind": Filter("Kind", "film", words=_exactly("kind"), shown=lambda _, v: KINDS.get(v, v.upper())),
    "state": Filter("State", "cog-6-tooth", _state, shown=lambda _, v: STATES.get(v, v)),
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
