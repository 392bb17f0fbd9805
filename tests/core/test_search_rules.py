"""What texts are cut into, how a question is written, and dates in words."""

import pytest

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
