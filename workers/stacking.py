"""Finds the photos that belong with one: by their names and moments, or by the identifier of a live photo."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models.fields.json import KT

from core.commands.stacks import stack_photos
from core.domain.stacks import Candidate, beginnings, group_of, shot_name, stack_id
from core.readmodels.files import PhotoFile, files_of_photo, photos_beginning
from core.readmodels.photos import Photo
from core.readmodels.stacks import stacks_of
from core.turns import take_turns

_ACTOR = "worker:stacks"
# Whose word on a date is the file's own; a date by the file's name or time ties nothing together.
_OWN_WORD = ("exif", "xmp", "iptc", "container")
# The character behind the dot: paths that begin "a/IMG_1." lie before "a/IMG_1/".
_BEHIND_DOT = "/"


def may_belong_to_others(photo: Photo) -> bool:
    """Whether another photo has a name or an identifier like this one's; in the caller's transaction.

    Of two that are imported at the same time, the second waits here for the first, and sees it.
    """
    files = files_of_photo(photo.id)
    shots = [f"{file.folder_id}:{shot_name(file.known_as)}" for file in files]
    take_turns(*(f"stack:{name}" for name in (*shots, _identifier(photo)) if name))
    return any(other != photo.id for other in _namesakes(photo, files))


def find_stack(photo_id: UUID) -> int:
    """Stack a photo with those that it belongs with; the answer is how many they are. Twice is harmless."""
    photo = Photo.objects.filter(id=photo_id).first()
    if photo is None:
        return 0
    candidates = _candidates({photo_id, *_namesakes(photo, _files_of([photo_id]))})
    # Through one of these a further one may belong to it: a still's RAW has the still's name, not the film's.
    further = {other for one in Photo.objects.filter(id__in=[c.id for c in candidates]) for other in _kin(one)}
    candidates = _candidates(further | {one.id for one in candidates})
    group = group_of(photo_id, candidates)
    if group:
        members = [one for one in candidates if one.id in group]
        stack_photos(stack_id(photo.library_id, members), group, actor=_ACTOR)
    return len(group)


def _kin(photo: Photo) -> set[UUID]:
    return _namesakes(photo, files_of_photo(photo.id))


def _files_of(photos: Iterable[UUID]) -> list[PhotoFile]:
    return list(PhotoFile.objects.filter(photo_id__in=list(photos)))


def _namesakes(photo: Photo, files: Iterable[PhotoFile]) -> set[UUID]:
    """The photos with a file of the same shot's name beside this one's, or with the same identifier."""
    # Uploads lie under hashes: they have the names that their owners gave them.
    found = photos_beginning(
        (file.folder_id, bool(file.name), start, start[:-1] + _BEHIND_DOT)
        for file in files
        for start in beginnings(file.known_as)
    )
    if identifier := _identifier(photo):
        tied = Photo.objects.annotate(tie=KT("facts__content_identifier__value"))
        same = tied.filter(library_id=photo.library_id, facts__has_key="content_identifier", tie=identifier)
        found |= set(same.values_list("id", flat=True))
    return found


def _candidates(ids: Iterable[UUID]) -> list[Candidate]:
    wanted = list(ids)
    places: dict[UUID, set[tuple[UUID, str]]] = {}
    for file in _files_of(wanted):
        if file.photo_id is not None:
            places.setdefault(file.photo_id, set()).add((file.folder_id, file.known_as))
    stacks = stacks_of(wanted)
    return [
        _candidate(photo, frozenset(places.get(photo.id, ())), stacks.get(photo.id))
        for photo in Photo.objects.filter(id__in=wanted).order_by("id")
    ]


def _candidate(photo: Photo, places: frozenset[tuple[UUID, str]], stack: UUID | None) -> Candidate:
    seconds = photo.facts.get("duration", {}).get("value")
    return Candidate(
        photo.id,
        photo.media,
        places,
        photo.taken_local if photo.taken_source in _own_words(photo.media) else None,
        photo.taken_offset,
        photo.camera,
        float(seconds) if isinstance(seconds, int | float) else 0.0,
        _identifier(photo),
        stack,
    )


def _own_words(media: str) -> tuple[str, ...]:
    """A film's clock is UTC; what its name adds to that is only the zone."""
    return (*_OWN_WORD, "file name") if media == "video" else _OWN_WORD


def _identifier(photo: Photo) -> str:
    return str(photo.facts.get("content_identifier", {}).get("value", ""))
