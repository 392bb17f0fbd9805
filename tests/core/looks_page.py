"""Writes the tables of docs/looks.md anew: `python -m tests.core.looks_page`."""

from pathlib import Path

from core.domain.colours import HUES, SWATCHES, Colour
from core.domain.styles import MEASURES, RULES, Limit

PAGE = Path(__file__).parents[2] / "docs" / "looks.md"
COMMAND = "python -m tests.core.looks_page"
_MARKS = {name: (f"<!-- {name} -->", f"<!-- end of {name} -->") for name in ("colours", "rules", "numbers")}


def fresh() -> str:
    """The page with the tables that the code gives today."""
    text = PAGE.read_text()
    for name, table in (("colours", _colours()), ("rules", _rules()), ("numbers", _numbers())):
        begin, end = _MARKS[name]
        before, rest = text.split(begin, 1)
        text = f"{before}{begin}\n{table}\n{end}{rest.split(end, 1)[1]}"
    return text


def _colours() -> str:
    starts = {name: start for start, name in HUES}
    ends = dict(zip(starts, [*list(starts.values())[1:], HUES[0][0]], strict=True))
    rows = [
        f"| {name} | {SWATCHES[name]} | {_hues(name, starts, ends) if name in starts else 'neutral'} |"
        for name in Colour
    ]
    return "\n".join(["| name | swatch | hue in OKLCh |", "|---|---|---|", *rows])


def _hues(name: Colour, starts: dict[Colour, float], ends: dict[Colour, float]) -> str:
    return f"{starts[name]:g}° to {ends[name]:g}°"


def _rules() -> str:
    rows = [
        f"| {style} | {rule.words} | {' **or** '.join(', '.join(map(_limit, way)) for way in rule.ways)} |"
        for style, rule in RULES.items()
    ]
    return "\n".join(["| style | in words | limits |", "|---|---|---|", *rows])


def _numbers() -> str:
    used = {limit.measure for rule in RULES.values() for way in rule.ways for limit in way}
    rows = [f"| `{name}` | {words} |" for name, words in MEASURES.items() if name in used]
    return "\n".join(["| number | what it is |", "|---|---|", *rows])


def _limit(limit: Limit) -> str:
    least, most = (None if edge is None else f"{edge:g}" for edge in (limit.least, limit.most))
    if least is None:
        return f"`{limit.measure}` ≤ {most}"
    return f"`{limit.measure}` ≥ {least}" if most is None else f"`{limit.measure}` {least} to {most}"


if __name__ == "__main__":
    PAGE.write_text(fresh())
