"""What texts are cut into, how a question is written, and dates in words."""

import pytest

from core.domain.exposure import BadRange, meant_by, range_in, range_in_words
from core.domain.searching import BadDates, any_of, dates_in, term, text_query, words_in


def test_words_are_found_without_accents_capitals_and_in_their_parts() -> None:
    assert words_in("Île-de-France_IMG1234.JPG") == ["ile", "de", "france", "img1234", "img", "1234", "jpg"]
    assert words_in("Straße 東京") == ["strasse", "東京"]
    assert words_in("--- ' & | :*") == []


def test_a_question_is_quoted_whatever_is_in_it() -> None:
    assert text_query("Sea & 'sun' | !(x)") == "'sea':* & 'sun':* & 'x':*"
    assert text_query("...") == ""
    assert any_of([term("camera", "O'Neil \\ 5:*")]) == r"('camera:o''neil \\ 5:*')"


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2024", "2024-01-01", "2025-01-01"),
        ("2024-02", "2024-02-01", "2024-03-01"),
        ("February 2024", "2024-02-01", "2024-03-01"),
        ("dec 2023", "2023-12-01", "2024-01-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
        ("2023..2024-03", "2023-01-01", "2024-04-01"),
        ("2023-06 .. ", "2023-06-01", "9999-12-31"),
        ("..1999", "0001-01-01", "2000-01-01"),
    ],
)
def test_dates_may_be_said_in_many_ways(text: str, begin: str, end: str) -> None:
    found = dates_in(text)

    assert [moment.date().isoformat() for moment in found] == [begin, end]


@pytest.mark.parametrize(
    "text", ["", "..", "2024-13", "2024-02-30", "2024..2023", "yesterday", "99999", "9999-12-31", "0000"]
)
def test_what_names_no_dates_is_refused(text: str) -> None:
    with pytest.raises(BadDates):
        dates_in(text)


@pytest.mark.parametrize(
    ("name", "text", "inside", "outside"),
    [
        ("aperture", "2.8", [2.79, 2.8, 2.8284], [2.5, 3.2]),
        ("aperture", "1.4..2.8", [1.4, 1.4142, 2.0, 2.8284], [1.2, 3.2]),
        ("shutter", "1/60", [0.0164, 1 / 60, 0.0169], [1 / 50, 1 / 80]),
        ("shutter", "1/250 .. 1/60", [0.004, 0.01], [1 / 320, 0.02]),
        ("shutter", "1..", [1, 30], [0.8]),
        ("iso", "..800", [50, 800], [801]),
        ("focal", "50", [50, 50.4], [45, 55]),
    ],
)
def test_a_range_holds_what_cameras_round_to_and_not_the_next_step(
    name: str, text: str, inside: list[float], outside: list[float]
) -> None:
    least, most = range_in(name, text)

    def holds(value: float) -> bool:
        return (least is None or value >= least) and (most is None or value <= most)

    assert all(map(holds, inside))
    assert not any(map(holds, outside))


@pytest.mark.parametrize("text", ["", "..", "wide", "2.8..1.4", "1/0", "-1", "0", "1e5", "1..2..3", "9" * 30])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(BadRange):
        range_in("aperture", text)


def test_ranges_are_told_as_photographers_write_them() -> None:
    told = {
        ("aperture", "1.4..2.8"): "f/1.4 to f/2.8",
        ("shutter", "1/250..1/60"): "1/250 to 1/60 s",
        ("shutter", "1.."): "1 s or more",
        ("iso", "..800"): "up to 800",
        ("focal", "50"): "50 mm",
    }
    assert {key: range_in_words(*key) for key in told} == told


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("f/2.8", [("aperture", "2.8")]),
        ("F1.4-2.8", [("aperture", "1.4..2.8")]),
        ("1/250", [("shutter", "1/250")]),
        ("2 s", [("shutter", "2")]),
        ("iso 800", [("iso", "800")]),
        ("24-70 mm", [("focal", "24..70"), ("focal35", "24..70")]),
        ("2024-05", []),
        ("fish 2", []),
        ("50", []),
    ],
)
def test_letters_may_mean_a_setting_of_the_camera(typed: str, meant: list[tuple[str, str]]) -> None:
    assert list(meant_by(typed)) == meant
