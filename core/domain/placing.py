"""Who a face is, and which persons are one: follows from the machine's word and from the acts that count."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from core.domain.faces import Face, Point
from core.domain.people import FacesConfirmed, FacesMoved, FacesRejected

# Pixels of the original on a face's side: what the embedding looks at, and too few to tell people apart.
_SIDE, _SMALL = 112.0, 36.0
_BLURRED, _SIDEWAYS = 0.15, 0.2
# Right eye, left eye and mouth in the square that the embedding looks at, as parts of its side.
_RIGHT, _LEFT, _MOUTH = (0.342, 0.462), (0.657, 0.460), (0.501, 0.824)
_MOUTH_AT, _GRID = 3, 8
# Of that square so much lies in the picture, or faces are alike by what is not there. Of 98 faces cut out closely
# 0.31 to 0.66 does, and strangers among them have a cosine of 0.14 on average rather than 0.00; of all other faces
# on the shared photos 0.75 and more.
_WHOLE = 0.70

Root = Callable[[UUID], UUID]


@dataclass(frozen=True, slots=True)
class Word:
    """What one act says of one face: that it is a person's (`yes`), or that it is none of these persons'."""

    act: UUID
    people: tuple[UUID, ...]
    yes: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a face belongs: to which group, who that is after all merges, and whether a person said so."""

    home: UUID | None = None
    person: UUID | None = None
    by_hand: bool = False


def roots(people: Iterable[UUID], merges: Iterable[tuple[UUID, UUID]]) -> dict[UUID, UUID]:
    """Whom each person is known as, after these merges (who, into) in their order.

    Two that are one already are not merged again, so whichever merges are undone, there is never a circle.
    """
    known = {person: person for person in people}
    for who, into in merges:
        gone, kept = known[who], known[into]
        if gone != kept:
            known = {person: kept if root == gone else root for person, root in known.items()}
    return known


def place(group: UUID | None, words: Iterable[Word], root: Root) -> Place:
    """Who a face is: the last word of a person on it, else the machine's, unless a person has denied that.

    `words` are those that count, in their order. Who was denied stays denied under any name: the machine may not
    give the face to somebody who is one with them.
    """
    said = list(words)
    denied = denied_by(said)
    last = next((word.people[0] for word in reversed(said) if word.yes), None)
    home = None if last in denied else last
    if home is not None:
        return Place(home, root(home), by_hand=True)
    if group is None or root(group) in {root(person) for person in denied}:
        return Place()
    return Place(group, root(group))


def denied_by(words: Iterable[Word]) -> set[UUID]:
    """Whose a face is not, after these words."""
    denied: set[UUID] = set()
    for word in words:
        denied = denied - set(word.people) if word.yes else denied | set(word.people)
    return denied


def worth(face: Face) -> float:
    """How much a face says of who it is, 0 to 1: large, sharp and from the front is best."""
    return face.score * min(1.0, face.size / _SIDE) * (0.25 + 0.75 * face.sharp) * (0.25 + 0.75 * face.pose)


def is_clear(face: Face) -> bool:
    """Whether a group may begin with it: blurred and tiny faces look like one another, whoever they are."""
    return face.size >= _SMALL and face.sharp >= _BLURRED and face.pose >= _SIDEWAYS


def is_whole(face: Face) -> bool:
    """Whether enough of it is in the picture for the machine to say who it is.

    Where a face is cut off, the embedding sees a black border in its place, and so the same in all such faces.
    """
    return _part_inside(face) >= _WHOLE


def _part_inside(face: Face) -> float:
    """How much of the square that the embedding looks at lies in the picture, 0 to 1.

    Three points that are known in both tell where each point of the square is, however the picture is shaped.
    """
    if len(face.points) <= _MOUTH_AT:
        return 1.0
    right, left, mouth = face.points[0], face.points[1], face.points[_MOUTH_AT]
    across, down = _minus(_LEFT, _RIGHT), _minus(_MOUTH, _RIGHT)
    to_left, to_mouth = _minus(left, right), _minus(mouth, right)
    area = across[0] * down[1] - across[1] * down[0]
    steps = [(at + 0.5) / _GRID for at in range(_GRID)]
    inside = 0
    for place in ((x, y) for x in steps for y in steps):
        x, y = _minus(place, _RIGHT)
        along, below = (x * down[1] - y * down[0]) / area, (across[0] * y - across[1] * x) / area
        at = [right[axis] + along * to_left[axis] + below * to_mouth[axis] for axis in (0, 1)]
        inside += all(0 <= part <= 1 for part in at)
    return inside / _GRID**2


def _minus(one: Point, other: Point) -> Point:
    return one[0] - other[0], one[1] - other[1]


def words_of(act: UUID, person: UUID, fact: object) -> dict[UUID, Word]:
    """What an act in a person's stream says of faces, by face."""
    match fact:
        case FacesConfirmed(faces=faces) | FacesMoved(faces=faces):
            return {face: Word(act, (person,), True) for face in faces}
        case FacesRejected(faces=faces, family=family):
            return {face: Word(act, tuple({person, *family}), False) for face in faces}
    return {}
