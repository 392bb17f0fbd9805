"""What may be erased for good: everything that is known of a photo. Nothing here can be undone."""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db import transaction

from core import codes, groups, meaning, vectors
from core.commands.decisions import of_photo, settle
from core.commands.log import photo_events
from core.domain import photos
from core.domain.forgetting import FORGOTTEN, PhotoForgotten
from core.domain.streams import file_stream, photo_stream
from events.erasure import erase
from events.store import read_stream


def files_of(photo_id: UUID) -> set[UUID]:
    """Every file that was ever said to be the photo's, or a sidecar of it. Raises PhotoNotFound."""
    from core.commands.log import named

    facts = (fact for _, fact in named(photo_events(photo_id)))
    return {file for file, _, _ in photos.files_named(facts)}


def forget_photo(photo_id: UUID, library: UUID, files: Collection[UUID], *, actor: str, reason: str) -> None:
    """Erase what is known of a photo and of these files, which are nobody else's, all or nothing.

    Whoever hears of it can still read the events, so that what lies elsewhere is found. Raises PhotoNotFound.
    """
    with transaction.atomic():
        settle(of_photo(photo_id, lambda _: [PhotoForgotten(library, tuple(sorted(files)))]), actor=actor)
        clear_photo(photo_id, files, actor=actor, reason=reason)


def clear_photo(photo_id: UUID, files: Iterable[UUID], *, actor: str, reason: str) -> int:
    """Erase what the log and the vectors hold of a photo that was forgotten; how many events that were.

    Once more it erases what work that was under way has said since.
    """
    with transaction.atomic():
        stored = [event for stream in _streams(photo_id, files) for event in read_stream(stream)]
        left = [event.event_id for event in stored if not event.erased and event.type != FORGOTTEN]
        erased = erase(left, actor, reason) if left else 0
        groups.forget(vectors.forget_photo(photo_id))
        codes.forget_photo(photo_id)
        meaning.forget_photo(photo_id)
    return erased


def _streams(photo_id: UUID, files: Iterable[UUID]) -> list[str]:
    return [photo_stream(photo_id), *map(file_stream, files)]
