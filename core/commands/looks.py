"""Recording how a photo looks: what was measured, and which styles follow from it."""

from contextlib import suppress
from uuid import UUID

from django.db import transaction

from core.commands.log import load_photo, write
from core.domain.looks import AlikeFound, LooksFound, alike_id, is_news, looks_id
from core.domain.photos import PhotoNotFound
from core.domain.streams import photo_stream
from events.store import EventIdConflict


def record_looks(photo_id: UUID, found: LooksFound, *, actor: str) -> None:
    """Record colours and styles; those of another content come too late, a second result is no news.

    Raises PhotoNotFound.
    """
    with transaction.atomic():
        photo = load_photo(photo_id)
        if not photo.exists:
            raise PhotoNotFound(str(photo_id))
        if not is_news(found, photo.sha256):
            return
        try:
            write(photo_stream(photo_id), [found], actor=actor, ids=[looks_id(photo_id, found, photo.edition)])
        except EventIdConflict:
            return  # measured by the same version before, on another machine perhaps: that one stays


def record_alike(photo_id: UUID, found: AlikeFound, *, actor: str) -> None:
    """Record which photos show nearly the same; nothing to tell is not told, and twice is once.

    Raises PhotoNotFound.
    """
    with transaction.atomic():
        photo = load_photo(photo_id)
        if not photo.exists:
            raise PhotoNotFound(str(photo_id))
        if found.content != photo.sha256 or not found.others:
            return
        with suppress(EventIdConflict):  # the same, with another cosine in the last digits
            write(photo_stream(photo_id), [found], actor=actor, ids=[alike_id(photo_id, found)])
