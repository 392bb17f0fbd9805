"""What may be recorded of what the machine sees in a photo."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import transaction

from core import codes, meaning, vectors
from core.commands.log import load_photo, state_after, write
from core.domain import photos
from core.domain.analysis import (
    FacesFound,
    MeaningMade,
    PhotoAnalysed,
    VectorMade,
    maker,
    new_face_id,
)
from core.domain.faces import NAMELESS, Face, match_faces
from core.domain.photos import PhotoNotFound, Seen
from core.domain.streams import photo_stream
from core.vectors import Vector
from events.store import EventIdConflict

_RACES = 5
# Faces at the same place in other content whose cosine is below are those of two people.
_STRANGERS = 0.2


@dataclass(frozen=True, slots=True)
class Numbers:
    """What comes with results and is kept beside the log: a vector for each face, in order, and the picture's.

    `meaning` is the picture's as well, by a model that describes words too.
    """

    faces: Sequence[Vector] = ()
    photo: Vector | None = None
    meaning: Vector | None = None


def record_seen(
    photo_id: UUID,
    results: Sequence[Seen | PhotoAnalysed],
    numbers: Numbers | None = None,
    *,
    content: str | None,
    actor: str,
) -> None:
    """Record what one look at a photo gave, all or nothing, and the vectors in the same transaction.

    `content` is the hash of what was looked at: results for an older version of the photo come too late.
    Raises PhotoNotFound.
    """
    for _ in range(_RACES):
        # Another worker's result of the same analysis came first: look again what is still news.
        with suppress(EventIdConflict), transaction.atomic():
            _record(photo_id, results, numbers or Numbers(), content, actor)
            return


def _record(
    photo_id: UUID,
    results: Sequence[Seen | PhotoAnalysed],
    numbers: Numbers,
    content: str | None,
    actor: str,
) -> None:
    photo = load_photo(photo_id)
    if not photo.exists:
        raise PhotoNotFound(str(photo_id))
    if content not in (None, photo.sha256):
        return
    news = [
        _named(photo_id, photo, event, numbers.faces) if isinstance(event, FacesFound) else event
        for result in results
        for event in photos.decide_seen(photo, result)
    ]
    done = write(
        photo_stream(photo_id), news, actor=actor, ids=[photos.seen_id(photo_id, photo, one) for one in news]
    )
    assert photo.library is not None  # one that exists has one
    _keep_vectors(
        photo_id, photo.library, [*news, *_known_before(photo_id, photo, results, news, numbers)], numbers
    )
    if news:
        # The append holds the stream's lock until commit: of two steps that end together just one finds the
        # photo complete.
        state = state_after(photo_id, photo, news, done)
        write(photo_stream(photo_id), photos.decide_processed(state), actor=actor)


def _named(photo_id: UUID, photo: photos.Photo, found: FacesFound, numbers: Sequence[Vector]) -> FacesFound:
    """The faces with the ids that they had before, or with new ones."""
    known = photo.analysed.faces
    same = photo.analysed.faces_in in ("", found.content)
    alike = _nobody_else(known, maker(found.model, found.model_version), numbers)
    matched = match_faces(found.faces, known.values(), same=same, alike=alike)
    faces = tuple(
        replace(face, id=new_face_id(photo_id, found, at)) if face.id == NAMELESS else face
        for at, face in enumerate(matched.faces)
    )
    return replace(found, faces=faces, turned=matched.turned)


def _known_before(
    photo_id: UUID,
    photo: photos.Photo,
    results: Sequence[Seen | PhotoAnalysed],
    news: Sequence[Seen | PhotoAnalysed],
    numbers: Numbers,
) -> list[Seen]:
    """The results that say nothing new: their numbers may be, where pgvector came after the event."""
    told = {type(one) for one in news}
    kept = (VectorMade, MeaningMade)
    again: list[Seen] = [one for one in results if isinstance(one, kept) and type(one) not in told]
    for one in results:
        if isinstance(one, FacesFound) and FacesFound not in told and numbers.faces:
            named = _named(photo_id, photo, one, numbers.faces)
            if all(face.id in photo.analysed.faces for face in named.faces):
                again.append(named)
    return again


def _nobody_else(known: Mapping[UUID, Face], model: str, numbers: Sequence[Vector]) -> Callable[[int, UUID], bool]:
    """Whether a found face may be the known one, by their vectors; where these do not compare, it may."""
    kept = vectors.face_vectors(known) if numbers else {}

    def may_be(at: int, face: UUID) -> bool:
        by, sent = kept.get(face, ("", b""))
        return by != model or vectors.likeness_of(sent, numbers[at]) >= _STRANGERS

    return may_be


def _keep_vectors(photo_id: UUID, library: UUID, news: Sequence[Seen | PhotoAnalysed], numbers: Numbers) -> None:
    for event in news:
        match event:
            case FacesFound(model=model, model_version=version, faces=faces) if numbers.faces:
                named = dict(zip((face.id for face in faces), numbers.faces, strict=True))
                vectors.put_face_vectors(photo_id, maker(model, version), named)
            case VectorMade(model=model, model_version=version) if numbers.photo is not None:
                vectors.put_photo_vector(photo_id, maker(model, version), numbers.photo)
                codes.put_code(photo_id, maker(model, version), library, numbers.photo)
            case MeaningMade(model=model, model_version=version) if numbers.meaning is not None:
                meaning.put_photo(photo_id, maker(model, version), numbers.meaning)
