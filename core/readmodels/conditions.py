"""What each filter of a search asks of photos, and its values in words; only what one account may know of."""

from collections.abc import Callable
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from core.accounts import Account
from core.domain.albums import AlbumNotFound
from core.domain.analysis import BY_MODEL, Analysis
from core.domain.exposure import MEASURES, BadRange
from core.domain.occasions import NAMES, NoSuchDate, Occasion
from core.domain.people import PersonNotFound
from core.domain.photos import Step
from core.domain.searching import BadDates, any_of, dates_in, path_query, term
from core.readmodels.albums import Album, album_for, photos_in
from core.readmodels.analysis import PhotoAnalysis
from core.readmodels.failures import Failure
from core.readmodels.libraries import libraries_of
from core.readmodels.looks import NoSuchLook
from core.readmodels.looks import photos_with as photos_with_look
from core.readmodels.occasions import libraries_without_dates, named_date
from core.readmodels.people import birthdays, person_for
from core.readmodels.people import photos_with as photos_with_person
from core.readmodels.photos import PreviewState
from core.readmodels.places import photos_at_sea, photos_with_place
from core.readmodels.searching import SearchTerm, photos_exposed, photos_with_words


class BadFilter(ValueError):
    """A value that a filter knows nothing of; the text says which, for whoever asked."""


def place(_: Account, value: str) -> Q:
    return Q(id__in=photos_at_sea() if value == "sea" else photos_with_place(_uuid("place", value)))


def place_shown(account: Account, value: str) -> str:
    """Its name; not to accounts that have no photo of it."""
    if value == "sea":
        return "At sea"
    mine = libraries_of(account).values("id")
    known = SearchTerm.objects.filter(library_id__in=mine, kind="place", value=value).values_list(
        "text", flat=True
    )
    return known.first() or "a place without photos"


def person(account: Account, value: str) -> Q:
    try:
        person = person_for(account, _uuid("person", value))
    except PersonNotFound as error:
        raise BadFilter(f"There is no such person: {value}.") from error
    return Q(id__in=photos_with_person(person.id))


def person_shown(account: Account, value: str) -> str:
    return person_for(account, _uuid("person", value)).name or "Somebody without a name"


def colour(_: Account, value: str) -> Q:
    try:
        return Q(id__in=photos_with_look(colour=value.lower()))
    except (NoSuchLook, ValueError) as error:
        raise BadFilter(f"There is no such colour: {value}.") from error


def style(_: Account, value: str) -> Q:
    try:
        return Q(id__in=photos_with_look(style=value.lower()))
    except (NoSuchLook, ValueError) as error:
        raise BadFilter(f"There is no such style: {value}.") from error


def date(account: Account, value: str) -> Q:
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


def date_shown(account: Account, value: str) -> str:
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


def album(account: Account, value: str) -> Q:
    """The photos that were put into it; those of an album by rule answer its rule (`expanded`)."""
    return Q(id__in=photos_in(album_of(account, value).id))


def album_of(account: Account, value: str) -> Album:
    try:
        found = album_for(account, _uuid("album", value))
    except AlbumNotFound as error:
        raise BadFilter(f"There is no such album: {value}.") from error
    if found.removed:
        raise BadFilter(f"The album {found.name} was removed.")
    return found


def rating(value: str) -> str:
    if value not in ("1", "2", "3", "4", "5"):
        raise BadFilter(f"Stars go from 1 to 5, not {value}.")
    return any_of(term("stars", str(stars)) for stars in range(int(value), 6))


def rating_shown(_: Account, value: str) -> str:
    return "★" * int(value) + ("" if value == "5" else " or more")


KINDS = {"image": "Pictures", "raw": "RAW", "video": "Videos"}
STATES = {
    "no-preview": "No preview yet",
    "failed": "Something failed",
    "failed-previews": "Making previews failed",
    "failed-labels": "Analysis failed",
    # Where search by meaning is not installed, every photo whose analysis failed would lack it.
    **{f"failed-{one}": f"Analysis failed: {one}" for one in BY_MODEL if one is not Analysis.MEANING},
    "missing": "Original missing",
    "not-analysed": "Not analysed yet",
}


def state(_: Account, value: str) -> Q:
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


def exposed(name: str) -> Callable[[Account, str], Q]:
    def condition(_: Account, value: str) -> Q:
        try:
            return Q(id__in=photos_exposed(name, value))
        except BadRange as error:
            raise BadFilter(f"{MEASURES[name].title}: {error}") from error

    return condition


def path(value: str) -> str:
    if not (query := path_query(value)):
        raise BadFilter(f"There are no words in {value}.")
    return query


def _uuid(name: str, value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise BadFilter(f"There is no such {name}: {value}.") from error
