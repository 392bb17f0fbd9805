"""What may be erased for good: everything that is known of a photo or of a person. Nothing here can be undone."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from django.db import transaction

from core import codes, groups, meaning, vectors
from core.commands.decisions import Decision, of_photo, settle
from core.commands.log import named, photo_events, write
from core.domain import photos
from core.domain.forgetting import FACES_LIMIT, FORGOTTEN, PERSON_FORGOTTEN, PhotoForgotten
from core.domain.people import FaceOf, PersonForgotten, PersonNotFound
from core.domain.streams import file_stream, person_stream, photo_stream
from events.erasure import erase
from events.event import Event
from events.store import read_stream


def files_of(photo_id: UUID) -> set[UUID]:
    """Every file that was ever said to be the photo's, or a sidecar of it. Raises PhotoNotFound."""
    facts = (fact for _, fact in named(photo_events(photo_id)))
    return {file for file, _, _ in photos.files_named(facts)}


def forget_photo(photo_id: UUID, library: UUID, files: Collection[UUID], *, actor: str, reason: str) -> None:
    """Erase what is known of a photo and of these files, which are nobody else's, all or nothing.

    Whoever hears of it can still read the events, so that what lies elsewhere is found. Raises PhotoNotFound.
    """
    with transaction.atomic():
        settle(of_photo(photo_id, lambda _: [PhotoForgotten(library, tuple(sorted(files)))]), actor=actor)
        _erase_photo(photo_id, _left(photo_id, files), actor, reason)


def forget_again(photo_id: UUID, library: UUID, files: Collection[UUID], *, actor: str, reason: str) -> int:
    """Erase what work that was under way has said since a photo was forgotten; how many events that were.

    Their rows go as well: the photo is said to be forgotten once more.
    """
    with transaction.atomic():
        late = _left(photo_id, files)
        if late:
            again = PhotoForgotten(library, tuple(sorted(files)))
            write(photo_stream(photo_id), [again], actor=actor)
        _erase_photo(photo_id, late, actor, reason)
    return len(late)


def _erase_photo(photo_id: UUID, events: Sequence[UUID], actor: str, reason: str) -> None:
    if events:
        erase(events, actor, reason)
    groups.forget(vectors.forget_photo(photo_id))
    codes.forget_photo(photo_id)
    meaning.forget_photo(photo_id)


def _left(photo_id: UUID, files: Iterable[UUID]) -> list[UUID]:
    """The events that say something still of a photo that was forgotten, and of its files."""
    streams = [photo_stream(photo_id), *map(file_stream, files)]
    stored = [event for stream in streams for event in read_stream(stream)]
    return [event.event_id for event in stored if not event.erased and event.type != FORGOTTEN]


def forget_person(
    person: UUID,
    owner: UUID,
    family: Sequence[UUID],
    faces: Mapping[UUID, UUID],
    acts: Sequence[UUID],
    *,
    actor: str,
    reason: str,
) -> None:
    """Erase what was said of a person and of all that are one with it, and the numbers of their faces.

    `faces`: each with its photo. `acts`: events in others' streams that hold the name. Raises PersonNotFound.
    """
    theirs = [FaceOf(face, photo) for face, photo in sorted(faces.items())]
    parts = [tuple(theirs[at : at + FACES_LIMIT]) for at in range(0, len(theirs), FACES_LIMIT)] or [()]
    news = [PersonForgotten(owner, tuple(family), part, tuple(acts)) for part in parts]

    def decided(stored: Sequence[Event]) -> list[PersonForgotten]:
        if any(event.type == PERSON_FORGOTTEN for event in stored):
            raise PersonNotFound(str(person))
        return news

    with transaction.atomic():
        settle(Decision(person_stream(person), decided), actor=actor)
        said = [event for one in family for event in read_stream(person_stream(one))]
        left = [event.event_id for event in said if not event.erased and event.type != PERSON_FORGOTTEN]
        if left or acts:
            erase([*left, *acts], actor, reason)
        vectors.forget_faces(faces)
        groups.forget([*family, *faces])
