"""What a person may do about a failure, whichever step it was."""

from typing import Protocol
from uuid import UUID

from core.commands import files, photos
from core.domain.files import folder_name
from core.domain.photos import Step


class FailureLike(Protocol):
    """What these commands need to know of a failure; the read model's rows have it."""

    photo_id: UUID | None
    library_id: UUID
    folder_id: UUID
    path: str
    step: str


def retry_failure(failure: FailureLike, *, actor: str) -> None:
    """Have the failed step tried again. Raises NothingToRetry when it has not failed (any more)."""
    if failure.photo_id is None:
        folder = folder_name(failure.library_id, failure.folder_id)
        files.retry_file(failure.library_id, failure.path, actor=actor, folder=folder)
    else:
        photos.retry_step(failure.photo_id, Step(failure.step), actor=actor)


def set_aside_failure(failure: FailureLike, *, actor: str) -> None:
    """Stop reminding of the failure. Raises NothingToRetry when it has not failed (any more)."""
    if failure.photo_id is None:
        folder = folder_name(failure.library_id, failure.folder_id)
        files.set_aside_file(failure.library_id, failure.path, actor=actor, folder=folder)
    else:
        photos.set_aside_step(failure.photo_id, Step(failure.step), actor=actor)
