"""The search language of the list of jobs: `state:dead -queue:labels error:truncated attempts:>2 "two words"`.

Text in, terms out; what a term means to the database is beside it, in SEARCHES. Plain Python.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from core.web.typed import number_in
from workers.console.states import State

KEYS = ("state", "queue", "task", "photo", "worker", "error", "arg.NAME", "since", "before", "attempts", "run")
_MOST_LETTERS = 1_000
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
# A word: perhaps a minus, perhaps a key, then a quoted text or one without blanks.
_WORD = re.compile(r'(?P<minus>-)?(?:(?P<key>[A-Za-z][\w.]*):)?(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s"]*))(?=\s|$)')
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)(ms|min|s|m|h|d|w)")
_COMPARED = re.compile(r"(>=|<=|>|<|=)?(.+)", re.S)


class UnknownFilter(ValueError):
    """A word of the search that means nothing; the message is for the reader."""


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: a key (empty for a bare word), how to compare, the value, and whether it must not hold."""

    key: str
    value: Any
    compared: str = "="
    without: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is asked for: one state or any, and all of the terms."""

    state: State | None = None
    terms: tuple[Term, ...] = ()

    @property
    def names_photo(self) -> bool:
        return any(term.key == "photo" and not term.without for term in self.terms)

    @property
    def reads_attempts(self) -> bool:
        """Whether it must look behind the jobs' own rows."""
        return any(term.key in _IN_ATTEMPTS for term in self.terms)


_IN_ATTEMPTS = {"worker", "error", "since", "before", "attempts", "run", ""}


def parse(text: str, now: datetime, state: State | None = None) -> Filter:
    """The filter that a text means; `state` holds where the text names none.

    Raises UnknownFilter with a sentence that says what would do.
    """
    if len(text) > _MOST_LETTERS:
        raise UnknownFilter(f"A search may have {_MOST_LETTERS:,} letters at most.")
    terms = [_term(word, now) for word in _words(text)]
    states = {term.value for term in terms if term.key == "state" and not term.without}
    if len(states) > 1:
        raise UnknownFilter(
            f"A job has one state at a time: {' and '.join(sorted(states))} together find nothing."
        )
    rest = tuple(term for term in terms if term.key != "state" or term.without)
    return Filter(next(iter(states), state), rest)


def written(pairs: Iterable[tuple[str, str]]) -> str:
    """The text that means these keys and values."""
    return " ".join(f'{key}:"{value}"' if re.search(r"\s", value) else f"{key}:{value}" for key, value in pairs)


def without_state(text: str) -> str:
    """The text without its word on the state, which a link beside it gives."""
    kept = [word[0] for word in _words(text) if word["key"] != "state" or word["minus"]]
    return " ".join(kept)


def _words(text: str) -> list[re.Match[str]]:
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        word = _WORD.match(text, at)
        if word is None:
            raise UnknownFilter(f"“{text[at:][:80]}” cannot be read: a quotation mark has no partner.")
        found.append(word)
        at = word.end() + len(text[word.end() :]) - len(text[word.end() :].lstrip())
    return found


def _term(word: re.Match[str], now: datetime) -> Term:
    key, without = (word["key"] or ""), bool(word["minus"])
    value = word["quoted"] if word["quoted"] is not None else word["plain"]
    if not value:
        raise UnknownFilter(f"“{word[0]}” has no value. Write it like {key or 'queue'}:something.")
    if "\0" in value:
        raise UnknownFilter("A search cannot hold a NUL.")
    if key.startswith("arg."):
        return Term(key, value, "=", without)
    match key:
        case "" | "queue" | "task" | "worker" | "error":
            return Term(key, value, "=", without)
        case "state":
            return Term(key, _state(value), "=", without)
        case "photo":
            return Term(key, _photo(value), "=", without)
        case "since" | "before":
            return Term(key, moment_of(key, value, now), "=", without)
        case "attempts":
            return Term(key, *_compared(key, value, number_in), without)
        case "run":
            return Term(key, *_compared(key, value, _length), without)
        case _:
            raise UnknownFilter(f"There is no key “{key}”. There are: {', '.join(KEYS)}.")


def _state(value: str) -> State:
    if value not in set(State):
        raise UnknownFilter(f"There is no state “{value}”. There are: {', '.join(State)}.")
    return State(value)


def _photo(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        raise UnknownFilter(f"“{value}” is no photo's id; the address of its page ends with it.") from None


def _compared(key: str, value: str, read: Any) -> tuple[Any, str]:
    parts = _COMPARED.fullmatch(value)
    number = read(parts[2]) if parts else None
    if parts is None or number is None:
        example = "attempts:>2" if key == "attempts" else "run:>30s"
        raise UnknownFilter(f"“{key}:{value}” cannot be read. Write it like {example}.")
    return number, parts[1] or ("=" if key == "attempts" else ">")


def _length(text: str) -> float | None:
    """Seconds: 30s, 500ms, 2min, 1.5h, 3d."""
    found = _LENGTH.fullmatch(text)
    if found is None or len(found[1]) > 9:
        return None
    return float(found[1]) * _SECONDS[found[2]]


def moment_of(key: str, text: str, now: datetime) -> datetime:
    """A date or time (UTC where it does not say), or so long ago. Raises UnknownFilter."""
    seconds = _length(text)
    try:
        if seconds is not None:
            return now - timedelta(seconds=seconds)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UnknownFilter(
            f"“{key}:{text}” is no time. Write it like {key}:2h, {key}:2026-05-16 or {key}:2026-05-16T14:00."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
