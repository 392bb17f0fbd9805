"""People for programs: who is there, their faces and photos, every word on them, and each taken back."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from ninja import Router, Schema, Status
from pydantic import Field

from core import whoiswho
from core.api.access import Limit, Reason, asker
from core.domain.people import FACES_LIMIT
from core.forgetting import BY_OWNER, forget_person, person_to_forget
from core.readmodels.faces import Person
from core.readmodels.people import (
    Portrait,
    Seen,
    acts_about,
    face_for,
    faces_in,
    faces_of,
    people_of,
    person_for,
    photos_with,
    portrait_of,
)
from core.readmodels.photos import photo_for, visible_photos
from core.readmodels.questions import loose_faces, questions_for

router = Router(tags=["people"])
Faces = Field(min_length=1, max_length=FACES_LIMIT)
Skip = Annotated[int, Field(ge=0, le=1_000_000)]


class FaceOut(Schema):
    """A face. `box`: left, top, right, bottom as fractions of the upright picture."""

    id: UUID
    photo: UUID
    box: tuple[float, float, float, float]
    size: float = Field(description="Pixels of the original on a side.")
    person: UUID | None
    name: str
    by_hand: bool = Field(description="A person has said so.")
    picture: str = Field(description="The face cut out, or empty while there is no preview.")


class PersonOut(Schema):
    """A person, with the counts of what you may see."""

    id: UUID
    name: str
    birthday: str
    hidden: bool
    photos: int
    faces: int
    cover: FaceOut | None


class PersonChanges(Schema):
    """What is left out stays as it is; empty text takes a name or birthday away."""

    name: str | None = None
    birthday: str | None = Field(None, description="As 1990-07-31.")
    hidden: bool | None = None
    cover: UUID | None = Field(None, description="A face of this person; null leaves the choice to Filmroll.")


class FacesIn(Schema):
    """Some faces."""

    faces: list[UUID] = Faces


class MoveIn(Schema):
    """Faces, and whose they are: a person, or a new one (`to` left out), who may get a name at once."""

    faces: list[UUID] = Faces
    to: UUID | None = None
    name: str = ""


class MergeIn(Schema):
    """Who else this person is."""

    into: UUID


class NameIn(Schema):
    """Who a face is."""

    name: str


class ActOut(Schema):
    """One act, as the log has it."""

    act: UUID
    at: datetime
    type: str
    actor: str
    data: dict[str, Any]
    counts: bool = Field(description="It was not undone, so it can be.")


class QuestionOut(Schema):
    """Are these the same person? `one` is a group of faces, or one face."""

    one: UUID
    other: UUID
    is_face: bool
    people: list[UUID] = Field(description="Who they are known as now.")
    score: float


class AnswerIn(Schema):
    """The answer to a question."""

    one: UUID
    other: UUID
    is_face: bool = False
    same: bool


class UndoIn(Schema):
    """An act in the history of a person."""

    act: UUID


@router.get("", response=list[PersonOut], summary="People, those in most photos first")
def people(
    request: HttpRequest,
    limit: Limit = 100,
    named: bool | None = None,
    hidden: bool = False,
) -> list[dict[str, Any]]:
    """With and without names; the hidden ones only when `hidden` asks for them."""
    return [_person(one) for one in people_of(asker(request), named=named, hidden=hidden, limit=limit)]


@router.get("/questions", response=list[QuestionOut], summary="Who looks alike: the same person?")
def questions(request: HttpRequest, limit: Limit = 20) -> list[dict[str, Any]]:
    """The most alike first; what was answered is not asked again."""
    return [
        {
            "one": one.one,
            "other": one.other,
            "is_face": one.face is not None,
            "people": [each.person.id for each in (one.left, one.right) if each],
            "score": one.score,
        }
        for one in questions_for(asker(request), limit)
    ]


@router.post("/questions", response=PersonOut, summary="Answer a question")
def answer(request: HttpRequest, given: AnswerIn) -> dict[str, Any]:
    """The answer is `other`, as it is known now."""
    whoiswho.answer(asker(request), given.one, given.other, is_face=given.is_face, same=given.same)
    return _known(request, given.other)


@router.post("/group-again", response={202: None}, summary="Group all faces anew")
def group_again(request: HttpRequest) -> Status[None]:
    """A worker does it. What people have said of faces stays."""
    whoiswho.group_again(asker(request))
    return Status(202, None)


@router.post("/undo", response=PersonOut, summary="Take an act back, or an undoing")
def undo(request: HttpRequest, which: UndoIn) -> dict[str, Any]:
    """409 for what was undone already."""
    return _known(request, whoiswho.undo(asker(request), which.act))


@router.get("/faces", response=list[FaceOut], summary="The faces of a photo, or those that are nobody's yet")
def faces(request: HttpRequest, photo: UUID | None = None, limit: Limit = 100) -> list[dict[str, Any]]:
    """Of a photo from left to right; without one the single faces, the clearest first."""
    account = asker(request)
    found = faces_in(photo_for(account, photo)) if photo else loose_faces(account, limit)
    return [_face(one) for one in found]


@router.post("/faces/confirm", response=list[FaceOut], summary="Say that faces are right where they are")
def confirm(request: HttpRequest, given: FacesIn) -> list[dict[str, Any]]:
    """The machine never moves them again."""
    whoiswho.confirm(asker(request), given.faces)
    return _faces(request, given.faces)


@router.post("/faces/move", response=list[FaceOut], summary="Say whose faces are: somebody's, or a new person's")
def move(request: HttpRequest, given: MoveIn) -> list[dict[str, Any]]:
    """Without `to` a new person begins with them: that is also how one is split off."""
    if given.to is not None:
        whoiswho.move(asker(request), given.to, given.faces)
    else:
        whoiswho.split(asker(request), given.faces, given.name)
    return _faces(request, given.faces)


@router.post("/faces/{face_id}/name", response=FaceOut, summary="Say who a face is, by name")
def name_face(request: HttpRequest, face_id: UUID, given: NameIn) -> dict[str, Any]:
    """Whoever has no name yet gets it; a face that was somebody else's goes to who has this name."""
    whoiswho.name_face(asker(request), face_id, given.name)
    return _face(face_for(asker(request), face_id))


@router.get("/{person_id}", response=PersonOut, summary="One person")
def person(request: HttpRequest, person_id: UUID) -> dict[str, Any]:
    """Somebody who was merged is known as who they were merged into."""
    return _known(request, person_id)


@router.patch("/{person_id}", response=PersonOut, summary="Name, birthday, hidden, cover")
def change(request: HttpRequest, person_id: UUID, changes: PersonChanges) -> dict[str, Any]:
    """All or nothing; 422 for a value that cannot be."""
    account, given = asker(request), changes.dict(exclude_unset=True)
    with transaction.atomic():
        if given.get("name") is not None:
            whoiswho.name(account, person_id, given["name"])
        if given.get("birthday") is not None:
            whoiswho.set_birthday(account, person_id, given["birthday"])
        if given.get("hidden") is not None:
            whoiswho.hide(account, person_id, given["hidden"])
        if "cover" in given:
            whoiswho.choose_cover(account, person_id, given["cover"])
    return _known(request, person_id)


@router.delete("/{person_id}", response={204: None}, summary="Forget a person, for good")
def forget(request: HttpRequest, person_id: UUID, reason: Reason = BY_OWNER) -> Status[None]:
    """Name, birthday, who they were said to be, and what their faces are known by; the photos stay. No undo.

    404 but for the owner of the photos. Say why without personal words: `reason` is kept.
    """
    forget_person(person_to_forget(asker(request), person_id), actor=asker(request).actor, reason=reason)
    return Status(204, None)


@router.get("/{person_id}/faces", response=list[FaceOut], summary="The faces of a person, the newest photos first")
def faces_of_person(
    request: HttpRequest, person_id: UUID, limit: Limit = 100, skip: Skip = 0
) -> list[dict[str, Any]]:
    """Pass `skip` for the following part."""
    known = person_for(asker(request), person_id)
    return [_face(one) for one in faces_of(asker(request), known.id, skip=skip, limit=limit)]


@router.get("/{person_id}/photos", response=list[UUID], summary="The photos of a person, the newest first")
def photos_of_person(request: HttpRequest, person_id: UUID, limit: Limit = 100, skip: Skip = 0) -> list[UUID]:
    """Pass `skip` for the following part."""
    known = person_for(asker(request), person_id)
    found = visible_photos(asker(request)).filter(id__in=photos_with(known.id))
    return list(found.order_by("-taken_local", "-id").values_list("id", flat=True)[skip : skip + limit])


@router.get("/{person_id}/history", response=list[ActOut], summary="What was said of a person")
def history(request: HttpRequest, person_id: UUID, limit: Limit = 100) -> list[dict[str, Any]]:
    """The latest first, with what was said of those who were merged into it."""
    known = person_for(asker(request), person_id)
    return [
        {"act": one.id, "at": one.at, "type": one.type, "actor": one.actor, "data": one.data, "counts": one.counts}
        for one in acts_about(known.id, limit)
    ]


@router.post("/{person_id}/merge", response=PersonOut, summary="Two are one person")
def merge(request: HttpRequest, person_id: UUID, other: MergeIn) -> dict[str, Any]:
    """The answer is who they are known as: `into`, unless only the other one has a name."""
    return _known(request, whoiswho.merge(asker(request), person_id, other.into))


@router.post("/{person_id}/reject", response=PersonOut, summary="Faces are not this person's")
def reject(request: HttpRequest, person_id: UUID, given: FacesIn) -> dict[str, Any]:
    """The machine never gives them to this person again."""
    whoiswho.reject(asker(request), person_id, given.faces)
    return _known(request, person_id)


def _known(request: HttpRequest, person_id: UUID) -> dict[str, Any]:
    known: Person = person_for(asker(request), person_id)
    return _person(portrait_of(asker(request), known))


def _person(portrait: Portrait) -> dict[str, Any]:
    known = portrait.person
    return {
        "id": known.id,
        "name": known.name,
        "birthday": known.birthday,
        "hidden": known.hidden,
        "photos": portrait.photos,
        "faces": portrait.faces,
        "cover": _face(portrait.cover) if portrait.cover else None,
    }


def _faces(request: HttpRequest, faces: list[UUID]) -> list[dict[str, Any]]:
    return [_face(face_for(asker(request), one)) for one in dict.fromkeys(faces)]


def _face(seen: Seen) -> dict[str, Any]:
    return {
        "id": seen.face.id,
        "photo": seen.photo.id,
        "box": seen.face.box,
        "size": seen.face.size,
        "person": seen.person.id if seen.person else None,
        "name": seen.person.name if seen.person else "",
        "by_hand": seen.face.by_hand,
        "picture": reverse("face", args=[seen.face.id, seen.stamp]) if seen.photo.revision else "",
    }
