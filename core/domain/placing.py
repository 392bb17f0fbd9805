"""Who a face is, and which persons are one: follows from the machine's word and from the acts that count."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from core.domain.people import FacesConfirmed, FacesMoved, FacesRejected

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
    home: UUID | None = None
    denied: set[UUID] = set()
    for word in words:
        if word.yes:
            home = word.people[0]
            denied.discard(home)
        else:
            denied.update(word.people)
            home = None if home in denied else home
    if home is not None:
        return Place(home, root(home), by_hand=True)
    if group is None or root(group) in {root(person) for person in denied}:
        return Place()
    return Place(group, root(group))


def words_of(act: UUID, person: UUID, fact: object) -> dict[UUID, Word]:
    """What an act in a person's stream says of faces, by face."""
    match fact:
        case FacesConfirmed(faces=faces) | FacesMoved(faces=faces):
            return {face: Word(act, (person,), True) for face in faces}
        case FacesRejected(faces=faces, family=family):
            return {face: Word(act, tuple({person, *family}), False) for face in faces}
    return {}
