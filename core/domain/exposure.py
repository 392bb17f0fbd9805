"""Aperture, shutter, ISO and focal length as they are looked for: numbers and ranges, read and in words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# The largest number that any of them may be: no camera comes near.
_LARGEST = 1e9
_FRACTION = re.compile(r"(\d+(?:\.\d+)?)/(\d+(?:\.\d+)?)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class BadRange(ValueError):
    """A text that is no number and no range of numbers; the text says what would be."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One setting of a camera. `fact`: what a photo's facts call it; `near`: by which part the same may lie off.

    Cameras round: f/2.8 is written as 2.8284, 1/60 s as 0.0169. `near` is less than half a step to the next value.
    """

    fact: str
    title: str
    example: str
    near: float
    before: str = ""
    behind: str = ""


MEASURES: dict[str, Measure] = {
    "aperture": Measure("aperture", "Aperture", "1.4..2.8", 0.02, before="f/"),
    "shutter": Measure("shutter", "Shutter", "1/250..1/60", 0.04, behind=" s"),
    "iso": Measure("iso", "ISO", "800..3200", 0.0),
    "focal": Measure("focal_length", "Focal length", "24..70", 0.01, behind=" mm"),
    "focal35": Measure("focal_length_35", "Focal length in 35 mm format", "24..70", 0.01, behind=" mm"),
}


def range_in(name: str, text: str) -> tuple[float | None, float | None]:
    """The least and the most that a text asks for, both included; None: no limit. Raises BadRange."""
    measure = MEASURES[name]
    first, dots, last = (part.strip() for part in text.partition(".."))
    least, most = (_number(part) if part else None for part in (first, last if dots else first))
    if (least is None and most is None) or (least is not None and most is not None and least > most):
        raise BadRange(f"Write {measure.example}, with one side left out, or one number.")
    return (
        None if least is None else least * (1 - measure.near),
        None if most is None else most * (1 + measure.near),
    )


def range_in_words(name: str, text: str) -> str:
    """As in "f/1.4 to f/2.8", "800 or more", "up to 1/60 s"."""
    measure = MEASURES[name]
    first, dots, last = (part.strip() for part in text.partition(".."))
    least, most = (f"{measure.before}{part}{measure.behind}" if part else "" for part in (first, last))
    if not dots or first == last:
        return least
    if least and most:
        # A unit in front belongs to both numbers, one behind to the range.
        return f"{least.removesuffix(measure.behind)} to {most}"
    return f"{least} or more" if least else f"up to {most}"


def meant_by(text: str) -> Iterator[tuple[str, str]]:
    """What letters in a search box may mean: "f/2.8", "1/250", "2 s", "iso 800-3200", "24-70 mm"."""
    words = re.sub(r"\s*(?:-|\N{EN DASH}|\.\.|to)\s*(?=[\d/])", "..", text.strip().lower())
    span = r"(\d[\d.]*?(?:/\d+)?(?:\.\.\d[\d.]*?(?:/\d+)?)?)"
    for name, pattern in (
        ("aperture", rf"f\s*/?\s*{span}"),
        ("iso", rf"iso\s*{span}"),
        ("shutter", rf"(?=.*/|.*s){span}\s*s?(?:ec)?"),
        ("focal", rf"{span}\s*mm"),
        ("focal35", rf"{span}\s*mm"),
    ):
        if (found := re.fullmatch(pattern, words)) and _is_range(name, found[1]):
            yield name, found[1]


def _is_range(name: str, text: str) -> bool:
    try:
        range_in(name, text)
    except BadRange:
        return False
    return True


def _number(text: str) -> float:
    if fraction := _FRACTION.fullmatch(text):
        above, below = float(fraction[1]), float(fraction[2])
        number = above / below if below else _LARGEST
    elif _NUMBER.fullmatch(text):
        number = float(text)
    else:
        raise BadRange(f"That is no number: {text}.")
    if not 0 < number < _LARGEST:
        raise BadRange(f"No camera has that: {text}.")
    return number
