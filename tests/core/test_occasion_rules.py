"""Dates of note: which days they are, and whose word on a date is good enough."""

from datetime import date, datetime
from uuid import UUID

import pytest

from core.domain.edits import BadValue
from core.domain.occasions import DateNamed, age_on, day_keys, decide_named, easter, occasion_on

OWNER = UUID(int=1)


@pytest.mark.parametrize(
    "sunday",
    # The earliest and the latest that there can be, and some between.
    [
        "1818-03-22",
        "1943-04-25",
        "1954-04-18",
        "1981-04-19",
        "2000-04-23",
        "2024-03-31",
        "2025-04-20",
        "2038-04-25",
    ],
)
def test_easter_is_where_the_calendars_have_it(sunday: str) -> None:
    assert easter(int(sunday[:4])).isoformat() == sunday


@pytest.mark.parametrize(
    ("taken", "occasion"),
    [
        ("2023-12-24T18:00:00", "christmas"),
        ("2023-12-26T00:00:00", "christmas"),
        ("2023-12-27T00:00:00", None),
        ("2023-12-31T23:59:59", "new-year"),
        ("2024-01-01T00:20:00", "new-year"),
        ("2024-02-14T12:00:00", "valentines"),
        ("2024-03-31T12:00:00", "easter"),
        ("2024-04-01T12:00:00", "easter"),
        ("2024-03-30T12:00:00", None),
        ("2024-10-31T20:00:00", "halloween"),
    ],
)
def test_a_day_of_note_is_known_by_the_wall_clock(taken: str, occasion: str | None) -> None:
    assert occasion_on(datetime.fromisoformat(taken), "exif") == occasion


@pytest.mark.parametrize("source", ["file time", "file name", "position", ""])
def test_the_time_of_a_file_is_no_occasion(source: str) -> None:
    assert occasion_on(datetime(2023, 12, 25, 12), source) is None


def test_a_clock_that_was_never_set_does_not_celebrate_new_year() -> None:
    midnight = datetime(2000, 1, 1, 0, 0, 7)

    assert occasion_on(midnight, "exif") is None
    assert occasion_on(midnight, "user") == "new-year"


def test_who_is_born_on_a_leap_day_celebrates_every_year() -> None:
    assert "02-29" in day_keys(date(2023, 2, 28))
    assert "02-29" in day_keys(date(2024, 2, 29))
    assert "02-29" not in day_keys(date(2024, 2, 28))


def test_an_age_is_in_full_years() -> None:
    born = date(2015, 6, 14)

    assert [age_on(born, date(2020, 6, day)) for day in (13, 14)] == [4, 5]
    assert age_on(born, date(2015, 6, 13)) is None


def test_who_is_born_on_a_leap_day_is_a_year_older_on_the_day_that_is_celebrated() -> None:
    born = date(2016, 2, 29)

    assert [age_on(born, date(2023, *day)) for day in ((2, 27), (2, 28), (3, 1))] == [6, 7, 7]
    assert [age_on(born, date(2024, *day)) for day in ((2, 28), (2, 29))] == [7, 8]
    assert [age_on(born, date(2016, 2, day)) for day in (28, 29)] == [None, 0]


@pytest.mark.parametrize(
    "taken",
    [
        "1601-12-25T16:39:33",
        "2216-12-25T11:46:51",
        "1970-01-01T01:00:00",
        "1969-12-31T19:00:00",
        "1904-01-01T02:00:00",
    ],
)
def test_a_year_without_photography_and_the_beginning_of_a_clock_are_no_occasion(taken: str) -> None:
    moment = datetime.fromisoformat(taken)

    assert occasion_on(moment, "exif") is None
    assert occasion_on(moment, "user") is not None


@pytest.mark.parametrize(
    ("name", "month", "day"), [("", 6, 1), ("x" * 101, 6, 1), ("Fair", 2, 30), ("Fair", 13, 1)]
)
def test_a_date_that_cannot_be_is_refused(name: str, month: int, day: int) -> None:
    with pytest.raises(BadValue):
        decide_named(DateNamed(OWNER, name, month, day))


def test_a_named_date_may_be_a_leap_day_and_its_name_is_tidy() -> None:
    [named] = decide_named(DateNamed(OWNER, "  Our \n wedding ", 2, 29, 2012))

    assert named == DateNamed(OWNER, "Our wedding", 2, 29, 2012)
