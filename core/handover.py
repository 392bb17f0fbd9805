"""A library that changes hands: who sees it follows at once, and so does what compared it with others."""

from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from core.commands.duplicates import show_again
from core.commands.libraries import give_library, take_back_library
from core.commands.people import ask_for_grouping
from core.readmodels.alikegroups import of_one_owner
from core.readmodels.libraries import library_by_id
from core.readmodels.photos import Photo


def hand_over(library: UUID, owner: UUID | None, *, actor: str) -> UUID | None:
    """Give a library to somebody; the event that takes it back, None where it is theirs already.

    Raises UploadsStay, LibraryNotFound.
    """
    return _changed(library, lambda: give_library(library, owner, actor=actor), actor)


def take_back(library: UUID, event: UUID, *, actor: str) -> UUID | None:
    """Give a library back to whose it was before. Raises NotUndoable, LibraryNotFound."""
    return _changed(library, lambda: take_back_library(library, event, actor=actor), actor)


def _changed(library: UUID, change: Callable[[], UUID | None], actor: str) -> UUID | None:
    with transaction.atomic():
        before = library_by_id(library).whose
        event = change()
        if event is not None:
            for owner in sorted({before, library_by_id(library).whose}):
                ask_for_grouping(owner, actor=actor)
    # On their own: photos' streams come before what compares the photos, and that has changed just now. Also
    # where nothing is new, for who was cut off here the last time.
    _show_what_gave_way(library, actor)
    return event


def _show_what_gave_way(library: UUID, actor: str) -> None:
    """Photos are shown again that gave way to one which is another person's now."""
    ours = Photo.objects.filter(library_id=library).values("id")
    given_way = Photo.objects.filter(Q(library_id=library) | Q(duplicate_of__in=ours), duplicate_of__isnull=False)
    kept = Photo.objects.in_bulk({photo.duplicate_of for photo in given_way if photo.duplicate_of})
    for photo in given_way.order_by("id"):
        other = kept.get(photo.duplicate_of) if photo.duplicate_of else None
        if other is not None and not of_one_owner([photo, other]):
            show_again(photo.id, actor=actor)
