"""Faces in a picture: where each is, and which of them was known before at the same place."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from core.domain.personal import Personal

Box = tuple[float, float, float, float]
Point = tuple[float, float]

# Faces that overlap by this part of their union are at the same place.
SAME_PLACE = 0.5
# The id of a face that nobody has named yet.
NAMELESS = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Face:
    """A face. All places are fractions of the upright, uncropped picture.

    `box`: left, top, right, bottom. `points`: right eye, left eye, nose tip, mouth centre, right ear, left ear, as
    x, y; right and left are the person's own. `score` 0..1. `size`: its side in pixels of the original.
    `sharp`: 0 (blurred) to 1. `pose`: 0 (from the side) to 1 (from the front).
    """

    id: UUID
    box: Personal[Box]
    points: Personal[tuple[Point, ...]]
    score: float
    size: float
    sharp: float
    pose: float


@dataclass(frozen=True, slots=True)
class Matched:
    """Faces with the ids that they keep (NAMELESS for new ones), and the quarter turns that made them match."""

    faces: tuple[Face, ...]
    turned: int


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0 to 1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (_area(one) + _area(other) - shared)


def turn(face: Face, quarters: int) -> Face:
    """Where a face is once its picture was turned clockwise by so many quarters."""
    for _ in range(quarters % 4):
        left, top, right, bottom = face.box
        points = tuple((1 - y, x) for x, y in face.points)
        face = replace(face, box=(1 - bottom, left, 1 - top, right), points=points)
    return face


def match_faces(
    found: Sequence[Face],
    known: Iterable[Face],
    *,
    same: bool,
    alike: Callable[[int, UUID], bool] = lambda _index, _known: True,
) -> Matched:
    """Give faces the ids of those known at the same place.

    `same`: it is the content in which those were found. If it is not, the picture may have been turned, and may be
    another one altogether: then `alike` (number of the found face, id of the known one) has a say.
    """
    before = list(known)
    turns = (0,) if same else range(4)
    attempts = [(quarters, _pairs(found, [turn(one, quarters) for one in before])) for quarters in turns]
    # The first of equally good ones: not turned.
    turned, pairs = max(attempts, key=lambda attempt: sum(pair[0] for pair in attempt[1]))
    kept = {at: face for _, at, face in pairs if same or alike(at, face)}
    named = tuple(replace(one, id=kept.get(at, NAMELESS)) for at, one in enumerate(found))
    return Matched(named, turned if kept else 0)


def carry_over(known: Mapping[UUID, Face], found: Iterable[Face], turned: int, *, same: bool) -> dict[UUID, Face]:
    """All faces known of a picture after these were found in it.

    One that was not found this time may be the next time. Where none is known again it is another picture.
    """
    now = {one.id: one for one in found}
    if not same and not now.keys() & known.keys():
        return now
    return {identity: turn(face, turned) for identity, face in known.items()} | now


def _pairs(found: Sequence[Face], known: Sequence[Face]) -> list[tuple[float, int, UUID]]:
    """Which is which: goodness, number of the found one, id of the known one; each once, the best first."""
    near = sorted(
        (
            (_agreement(one, other), at, other.id)
            for at, one in enumerate(found)
            for other in known
            if overlap(one.box, other.box) >= SAME_PLACE
        ),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    taken: set[int | UUID] = set()
    pairs = []
    for goodness, at, identity in near:
        if not taken & {at, identity}:
            taken |= {at, identity}
            pairs.append((goodness, at, identity))
    return pairs


def _agreement(one: Face, other: Face) -> float:
    """How well two faces agree: a face in the middle is there however the picture is turned, but not its eyes."""
    distances = [abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in zip(one.points, other.points, strict=False)]
    size = max(1e-6, (one.box[2] - one.box[0] + one.box[3] - one.box[1]) / 2)
    apart = sum(distances) / len(distances) / size if distances else 0.0
    return overlap(one.box, other.box) + 1 / (1 + apart)


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
