"""How words are found again: what a text is cut into, how a question is written, and dates in words."""

import calendar
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

_WORD = re.compile(r"[^\W_]+")
_PART = re.compile(r"\d+|[^\W\d_]+")
_MARK = "Mn"  # what an accent is after letters were taken apart
WORD_LIMIT = 80
WORDS_LIMIT = 600
_PATH_LIMIT = 60
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name} | {
    name.lower(): number for number, name in enumerate(calendar.month_abbr) if name
}
_ONE_DAY = timedelta(days=1)


class BadDates(ValueError):
    """A text that names no dates."""


def words_in(text: str) -> list[str]:
    """The words of a text, without accents and capitals; "IMG1234" is also found as "1234"."""
    found: dict[str, None] = {}
    for word in _WORD.findall(plain(text)):
        found[word[:WORD_LIMIT]] = None
        found.update((part[:WORD_LIMIT], None) for part in _PART.findall(word))
    return list(found)


def plain(text: str) -> str:
    """A text as it is compared: small letters without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in apart if unicodedata.category(c) != _MARK)


def term(kind: str, value: str) -> str:
    """A thing of one kind as a word that no text has: "camera:canon eos r5"."""
    return f"{kind}:{plain(value)[: 4 * WORD_LIMIT]}"


def text_query(text: str) -> str:
    """The question for all words of a text, each of which may be the beginning of one."""
    return " & ".join(f"{_quoted(word)}:*" for word in dict.fromkeys(_WORD.findall(plain(text))))


def path_terms(path: str) -> list[str]:
    """The words of folders and file name, as those of a path alone: the last ones, where there are very many."""
    return [term("path", word) for word in words_in(path)[-_PATH_LIMIT:]]


def path_query(text: str) -> str:
    """The question for all words of a text in a path, each of which may be the beginning of one."""
    words = dict.fromkeys(_WORD.findall(plain(text)))
    return " & ".join(f"{_quoted(term('path', word))}:*" for word in words)


def any_of(terms: Iterable[str]) -> str:
    """The question for at least one of these terms."""
    return "(" + " | ".join(_quoted(one) for one in terms) + ")"


def _quoted(word: str) -> str:
    """A word as PostgreSQL's tsquery reads it, whatever is in it."""
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


def dates_in(text: str) -> tuple[datetime, datetime]:
    """The first moment and the one behind the last: "2024", "2024-05", "May 2024", "2024-05-01", "2023..2024-03".

    Raises BadDates.
    """
    first, dots, last = (part.strip() for part in text.partition(".."))
    begin = _span(first)[0] if first else datetime.min
    end = _span(last)[1] if last else (datetime.max if dots else _span(first)[1])
    if begin >= end or not (first or last):
        raise BadDates(text)
    return begin, end


def _span(text: str) -> tuple[datetime, datetime]:
    for read in (_day, _month, _month_in_words, _year):
        for found in read(text):
            return found
    raise BadDates(text)


def _day(text: str) -> Iterator[tuple[datetime, datetime]]:
    if re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}", text):
        yield _made(*map(int, text.split("-")))


def _month(text: str) -> Iterator[tuple[datetime, datetime]]:
    if re.fullmatch(r"\d{4}-\d{1,2}", text):
        year, month = map(int, text.split("-"))
        yield _whole_month(year, month)


def _month_in_words(text: str) -> Iterator[tuple[datetime, datetime]]:
    found = re.fullmatch(r"([a-z]+)\s+(\d{4})", text.lower())
    if found and found[1] in _MONTHS:
        yield _whole_month(int(found[2]), _MONTHS[found[1]])


def _year(text: str) -> Iterator[tuple[datetime, datetime]]:
    if re.fullmatch(r"\d{4}", text):
        begin = _made(int(text), 1, 1)[0]
        yield begin, _made(int(text), 12, 31)[1]


def _whole_month(year: int, month: int) -> tuple[datetime, datetime]:
    begin = _made(year, month, 1)[0]
    return begin, _made(year, month, calendar.monthrange(year, month)[1])[1]


def _made(year: int, month: int, day: int) -> tuple[datetime, datetime]:
    try:
        begin = datetime(year, month, day)
        return begin, begin + _ONE_DAY
    except (ValueError, OverflowError):
        raise BadDates(f"{year}-{month}-{day}") from None
