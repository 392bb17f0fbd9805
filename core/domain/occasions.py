"""Dates of note: days that come back each year, told from a photo's wall time where that can be trusted."""

import enum
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from core.domain.edits import BadValue
from core.domain.personal import Personal

NAME_LIMIT = 100
# Whose word on a date is good enough: names of files and their times tell of sending, copying and editing.
TRUSTED = frozenset({"user", "sidecar", "takeout", "exif", "xmp", "iptc", "container"})
_LEAP_YEAR = 2000
# The first photograph is of 1826 or 1827. A clock that is in the next century is as wrong.
_FIRST_YEAR, _LAST_YEAR = 1826, 2099
# Where clocks begin to count, which in another time zone is the day before: Unix, and QuickTime.
_CLOCKS_BEGIN = frozenset({date(1969, 12, 31), date(1970, 1, 1), date(1903, 12, 31), date(1904, 1, 1)})


class Occasion(enum.StrEnum):
    """Days that have a name wherever these photos were taken."""

    CHRISTMAS = "christmas"  # 24, 25 and 26 December
    NEW_YEAR = "new-year"  # 31 December and 1 January
    VALENTINES = "valentines"  # 14 February
    EASTER = "easter"  # Easter Sunday and Monday, by the Gregorian calendar
    HALLOWEEN = "halloween"  # 31 October


NAMES = {
    Occasion.CHRISTMAS: "Christmas",
    Occasion.NEW_YEAR: "New Year",
    Occasion.VALENTINES: "Valentine's Day",
    Occasion.EASTER: "Easter",
    Occasion.HALLOWEEN: "Halloween",
}
_DAYS = {
    **dict.fromkeys([(12, 24), (12, 25), (12, 26)], Occasion.CHRISTMAS),
    **dict.fromkeys([(12, 31), (1, 1)], Occasion.NEW_YEAR),
    (2, 14): Occasion.VALENTINES,
    (10, 31): Occasion.HALLOWEEN,
}


@dataclass(frozen=True, slots=True)
class DateNamed:
    """A person gives a day of the year a name; `since`: the year in which it began, so that it can be counted."""

    owner: UUID
    name: Personal[str]
    month: int
    day: int
    since: int | None = None


@dataclass(frozen=True, slots=True)
class DateForgotten:
    """The day has that name no longer."""


OccasionEvent: TypeAlias = DateNamed | DateForgotten


class NoSuchDate(LookupError):
    """There is no such named date, or not for this account."""


def occasion_on(taken: datetime, source: str) -> Occasion | None:
    """The occasion on which a photo was taken, unless nobody trustworthy says when that was."""
    if not is_trusted(taken, source):
        return None
    day = taken.date()
    if day - easter(day.year) in (timedelta(0), timedelta(1)):
        return Occasion.EASTER
    return _DAYS.get((day.month, day.day))


def is_trusted(taken: datetime, source: str) -> bool:
    """Whether a date may be taken at its word: a person's always, a clock's if it was ever set.

    One that never was begins in the first minute of a year, or counts from where its kind begins.
    """
    if source == "user":
        return True
    never_set = (taken.month, taken.day, taken.hour, taken.minute) == (1, 1, 0, 0)
    can_be = _FIRST_YEAR <= taken.year <= _LAST_YEAR and taken.date() not in _CLOCKS_BEGIN
    return source in TRUSTED and can_be and not never_set


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar: the first Sunday after the church's full moon of spring.

    By the arithmetic that J. M. Oudin gave in 1940, as the U.S. Naval Observatory prints it.
    """
    century = year // 100
    golden = year % 19
    correction = (century - 17) // 25
    moon = (century - century // 4 - (century - correction) // 3 + 19 * golden + 15) % 30
    moon -= (moon // 28) * (1 - (moon // 28) * (29 // (moon + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + moon + 2 - century + century // 4) % 7
    days = moon - weekday
    month = 3 + (days + 40) // 44
    return date(year, month, days + 28 - 31 * (month // 4))


def day_keys(day: date) -> tuple[str, ...]:
    """The days of the year that a date counts as, in order: 29 February is on the 28th in common years."""
    own = f"{day.month:02d}-{day.day:02d}"
    leap = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
    return (own, "02-29") if own == "02-28" and not leap else (own,)


def age_on(born: date, day: date) -> int | None:
    """The age in full years, by the days that are celebrated; None before the birth."""
    years = day.year - born.year - (day_keys(day)[-1] < f"{born.month:02d}-{born.day:02d}")
    return years if years >= 0 else None


def decide_named(named: DateNamed) -> list[OccasionEvent]:
    """A day with a name. Raises BadValue."""
    name = " ".join("".join(c for c in named.name if c.isprintable()).split())
    if not name or len(name) > NAME_LIMIT:
        raise BadValue(f"A date has a name of {NAME_LIMIT} letters at most.")
    try:
        date(_LEAP_YEAR, named.month, named.day)
    except (ValueError, OverflowError):
        raise BadValue("There is no such day in the year.") from None
    if named.since is not None and not 1 <= named.since <= 9999:
        raise BadValue("A year has four digits.")
    return [DateNamed(named.owner, name, named.month, named.day, named.since)]
