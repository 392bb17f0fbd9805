"""Faces and people as templates show them: a picture, a name, and words for those who do not see it."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from core.readmodels.people import Portrait, Seen
from core.readmodels.questions import Question
from core.web.portraits import face_address
from core.web.words import counted, wall_time


@dataclass(frozen=True, slots=True)
class FaceTile:
    """A face to look at, to tick, or to name. `place`: its box in percent of the picture's sides."""

    id: UUID
    photo: UUID
    picture: str
    words: str
    name: str
    person: UUID | None
    by_hand: bool
    place: str


@dataclass(frozen=True, slots=True)
class PersonTile:
    """A person on the page of people."""

    id: UUID
    name: str
    picture: str
    photos: str
    hidden: bool

    @property
    def called(self) -> str:
        return self.name or "somebody without a name"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two that look alike, side by side. `is_face`: the first is one face alone, which leads to its photo."""

    one: UUID
    other: UUID
    is_face: bool
    left: PersonTile
    right: PersonTile
    percent: int


def face_tile(seen: Seen) -> FaceTile:
    name = seen.person.name if seen.person else ""
    when = f", {wall_time(seen.photo.taken_local)}" if seen.photo.taken_local else ""
    left, top, right, bottom = (100 * edge for edge in seen.face.box)
    return FaceTile(
        seen.face.id,
        seen.photo.id,
        face_address(seen),
        f"{name or 'A face'} in {seen.photo.name}{when}",
        name,
        seen.person.id if seen.person else None,
        seen.face.by_hand,
        f"left:{left:.2f}%;top:{top:.2f}%;width:{right - left:.2f}%;height:{bottom - top:.2f}%",
    )


def face_tiles(seen: Iterable[Seen]) -> list[FaceTile]:
    return [face_tile(one) for one in seen]


def person_tile(portrait: Portrait) -> PersonTile:
    picture = face_address(portrait.cover) if portrait.cover else ""
    person = portrait.person
    return PersonTile(person.id, person.name, picture, counted(portrait.photos, "photo"), person.hidden)


def pair_of(question: Question) -> Pair:
    if question.left is not None:
        left = person_tile(question.left)
    else:
        assert question.face is not None
        photo = question.face.photo
        left = PersonTile(photo.id, "", face_address(question.face), photo.name, False)
    right = person_tile(question.right)
    return Pair(question.one, question.other, question.face is not None, left, right, round(100 * question.score))
