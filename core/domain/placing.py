"""Who a face is, and which persons are one: follows from the machine's word and from the acts that count."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from core.domain.faces import Face
from core.domain.people import FacesConfirmed, FacesMoved, FacesRejected

# Pixels of the original on a face's side: what the embedding looks at, and too few to tell people apart.
_SIDE, _SMALL = 112.0, 36.0
_BLURRED, _SIDEWAYS = 0.15, 0.2

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


def words_of(act: UUID, person: UUID, fact: object) -> dict[UUID, Word]:
    """What an act in a person's stream says of faces, by face."""
    match fact:
        case FacesConfirmed(faces=faces) | FacesMoved(faces=faces):
            return {face: Word(act, (person,), True) for face in faces}
        case FacesRejected(faces=faces, family=family):
            return {face: Word(act, tuple({person, *family}), False) for face in faces}
    return {}
