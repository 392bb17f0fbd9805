"""People: which faces the machine takes for one person, what a person says of that, and how a word is taken back.

A group is what the machine puts together; it has a stream of its own (`group-<id>`). A person is a group as people
speak of it, under the same id (`person-<id>`). Nothing is ever moved about: who a face is follows from the
machine's last word on it and from all acts that count, so an act that is undone is as if it had never been done,
whatever was done after it. `placing.py` has the rules by which it follows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from core.domain.edits import BadValue, NotUndoable
from core.domain.personal import Personal

NAME_LIMIT = 200
# Faces in one act or one word of the machine: what fits into one event.
FACES_LIMIT = 1000
_FIRST_YEAR = 1800


class AboutPerson:
    """What the acts have in common: a person did them, and may take them back."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class FacesJoined:
    """The machine takes these faces for one person; each leaves the group that the machine had it in.

    `owner` is whose libraries these are: nobody else's faces ever meet them. `model` made the vectors that were
    compared, `method` is the rule by which.
    """

    owner: UUID
    faces: tuple[UUID, ...]
    model: str
    method: str


@dataclass(frozen=True, slots=True)
class FacesLetGo:
    """The machine no longer takes these faces for this person, nor for any other."""

    faces: tuple[UUID, ...]
    model: str
    method: str


@dataclass(frozen=True, slots=True)
class GroupingAsked:
    """A person asked for all faces of an owner to be grouped anew; what people said of them stays."""


@dataclass(frozen=True, slots=True)
class PersonBegun:
    """A person that no group of the machine's stands for: of faces that were split off, or named by hand."""

    owner: UUID


@dataclass(frozen=True, slots=True)
class PersonNamed(AboutPerson):
    """Who it is; "" takes the name away."""

    name: Personal[str]


@dataclass(frozen=True, slots=True)
class BirthdaySet(AboutPerson):
    """The day of birth, as 1990-07-31; "" takes it away."""

    birthday: Personal[str]


@dataclass(frozen=True, slots=True)
class PersonHidden(AboutPerson):
    """Whether the person is left out of the page of people."""

    hidden: bool


@dataclass(frozen=True, slots=True)
class CoverChosen(AboutPerson):
    """The face by which the person is shown; nothing leaves the choice to the machine."""

    face: UUID | None


@dataclass(frozen=True, slots=True)
class FacesConfirmed(AboutPerson):
    """These faces are this person's: the machine never moves them again."""

    faces: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class FacesMoved(AboutPerson):
    """These faces are this person's, and not that of whom they were shown as (`source`; nobody when absent)."""

    faces: tuple[UUID, ...]
    source: UUID | None = None


@dataclass(frozen=True, slots=True)
class FacesRejected(AboutPerson):
    """These faces are not this person's. `family`: it and all that were merged into it by then."""

    faces: tuple[UUID, ...]
    family: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class PersonMerged(AboutPerson):
    """This person and the other are one, who is known as the other."""

    into: UUID


@dataclass(frozen=True, slots=True)
class PeopleToldApart(AboutPerson):
    """This person is not the other, however alike they look; it is not asked again."""

    other: UUID


@dataclass(frozen=True, slots=True)
class ActUndone(AboutPerson):
    """An act counts no longer. May itself be undone: then the act counts again, in its old place."""

    act: UUID


@dataclass(frozen=True, slots=True)
class FaceOf:
    """A face, and the photo that it is in."""

    face: UUID
    photo: UUID


@dataclass(frozen=True, slots=True)
class PersonForgotten:
    """An owner had everything erased that was said of this person; nothing is said of it any more.

    `family`: it and all that were merged into it. `faces` were theirs, and nobody asks again who they are. `acts`:
    those in others' streams that said the name.
    """

    owner: UUID
    family: tuple[UUID, ...]
    faces: tuple[FaceOf, ...]
    acts: tuple[UUID, ...] = ()


GroupEvent = FacesJoined | FacesLetGo | GroupingAsked
PersonAct = (
    PersonNamed
    | BirthdaySet
    | PersonHidden
    | CoverChosen
    | FacesConfirmed
    | FacesMoved
    | FacesRejected
    | PersonMerged
    | PeopleToldApart
    | ActUndone
)
PersonEvent = PersonBegun | PersonAct | PersonForgotten
PeopleEvent = GroupEvent | PersonEvent


class PersonNotFound(LookupError):
    """There is no such person or face, or not for this account."""


@dataclass(frozen=True, slots=True)
class Said:
    """What people said of one person, as far as it counts."""

    name: str = ""
    birthday: str = ""
    hidden: bool = False
    cover: UUID | None = None


def counting_acts(history: Iterable[tuple[UUID, object]]) -> frozenset[UUID]:
    """The acts and undoings of one person that count: those that no counting undoing names."""
    counting: set[UUID] = set()
    undone: set[UUID] = set()
    for identity, fact in reversed(list(history)):
        if isinstance(fact, AboutPerson) and identity not in undone:
            counting.add(identity)
            if isinstance(fact, ActUndone):
                undone.add(fact.act)
    return frozenset(counting)


def said(facts: Iterable[object]) -> Said:
    """What is said of a person after these acts, all of which count."""
    known = Said()
    for fact in facts:
        match fact:
            case PersonNamed(name=name):
                known = replace(known, name=name)
            case BirthdaySet(birthday=birthday):
                known = replace(known, birthday=birthday)
            case PersonHidden(hidden=hidden):
                known = replace(known, hidden=hidden)
            case CoverChosen(face=face):
                known = replace(known, cover=face)
    return known


def said_in(history: Iterable[tuple[UUID, object]]) -> Said:
    """What is said of a person after these events of its stream."""
    known = list(history)
    counting = counting_acts(known)
    return said(fact for identity, fact in known if identity in counting)


def decide_named(known: Said, name: str) -> list[PersonAct]:
    """A name that is there already is no news. Raises BadValue."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    if len(clean) > NAME_LIMIT:
        raise BadValue(f"Names have {NAME_LIMIT} letters at most.")
    return [] if clean == known.name else [PersonNamed(clean)]


def decide_birthday(known: Said, birthday: str) -> list[PersonAct]:
    """A day in the form 1990-07-31, or "" for none. Raises BadValue."""
    text = birthday.strip()
    if text and not _is_day(text):
        raise BadValue("A birthday is written as 1990-07-31.")
    return [] if text == known.birthday else [BirthdaySet(text)]


def decide_hidden(known: Said, hidden: bool) -> list[PersonAct]:
    """Hidden twice is hidden once."""
    return [] if hidden == known.hidden else [PersonHidden(hidden)]


def decide_cover(known: Said, face: UUID | None) -> list[PersonAct]:
    """Chosen twice is chosen once."""
    return [] if face == known.cover else [CoverChosen(face)]


def decide_confirmed(faces: Iterable[UUID]) -> list[PersonAct]:
    """Raises BadValue without faces, or with too many."""
    return [FacesConfirmed(_checked(faces))]


def decide_moved(faces: Iterable[UUID], source: UUID | None) -> list[PersonAct]:
    """Raises BadValue without faces, or with too many."""
    return [FacesMoved(_checked(faces), source)]


def decide_rejected(faces: Iterable[UUID], family: Iterable[UUID]) -> list[PersonAct]:
    """Raises BadValue without faces, or with too many."""
    return [FacesRejected(_checked(faces), tuple(sorted(set(family))))]


def survivor(one: tuple[UUID, Said], into: tuple[UUID, Said]) -> tuple[UUID, UUID]:
    """Who is merged, and into whom: as asked, unless only the first has a name. Raises BadValue."""
    (first, known), (second, other) = one, into
    if first == second:
        raise BadValue("These are one person already.")
    return (second, first) if known.name and not other.name else (first, second)


def decide_told_apart(person: UUID, other: UUID) -> list[PersonAct]:
    """Raises BadValue."""
    if person == other:
        raise BadValue("These are one person already.")
    return [PeopleToldApart(other)]


def decide_undo(history: Sequence[tuple[UUID, object]], act: UUID) -> list[PersonAct]:
    """The event that takes an act back, or an undoing. Raises NotUndoable."""
    if not any(identity == act and isinstance(fact, AboutPerson) for identity, fact in history):
        raise NotUndoable("This is not a change that can be undone")
    if act not in counting_acts(history):
        raise NotUndoable("This change was undone already")
    return [ActUndone(act)]


def _checked(faces: Iterable[UUID]) -> tuple[UUID, ...]:
    known = tuple(sorted(set(faces)))
    if not known:
        raise BadValue("Choose a face at least.")
    if len(known) > FACES_LIMIT:
        raise BadValue(f"{FACES_LIMIT:,} faces at most at once.")
    return known


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text and int(text[:4]) >= _FIRST_YEAR
    except ValueError:
        return False
