"""Where things and faces are in a picture, as the viewer draws them over it."""

import json
from collections.abc import Iterable, Iterator, Sequence

from core.readmodels.people import Seen
from core.web.details import Thing

# Further right, a label would run out of the picture; so far up, there is no room above its box.
_RIGHT, _TOP = 60.0, 6.0


def boxes_of(things: Iterable[Thing], faces: Iterable[Seen]) -> str:
    """All boxes as JSON: kind, number of the thing, words, sides in percent, and where the label is."""
    made = [
        *(
            {"kind": "thing", "thing": one.number, "words": one.label}
            | _place(*map(float, (one.left, one.top, one.width, one.height)))
            for one in things
        ),
        *({"kind": "face", "thing": 0, "words": _name(one)} | _place(*_percents(one.face.box)) for one in faces),
    ]
    return json.dumps(made) if made else ""


def _name(seen: Seen) -> str:
    return (seen.person.name if seen.person else "") or "Face"


def _percents(box: Sequence[float]) -> Iterator[float]:
    left, top, right, bottom = (min(1.0, max(0.0, edge)) for edge in box)
    yield from (100 * part for part in (left, top, max(0.0, right - left), max(0.0, bottom - top)))


def _place(left: float, top: float, width: float, height: float) -> dict[str, object]:
    sides = {"left": left, "top": top, "width": width, "height": height}
    rounded = {name: round(part, 2) for name, part in sides.items()}
    return {**rounded, "left_of": left > _RIGHT, "above": top > _TOP}
