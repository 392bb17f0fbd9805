"""What may be recorded of the files that tell about a photo beside them."""

from uuid import UUID

from core.commands.log import load_photo, write
from core.domain import sidecars
from core.domain.photos import PhotoNotFound
from core.domain.streams import photo_stream


def record_sidecar(photo_id: UUID, read: sidecars.SidecarRead, *, actor: str) -> None:
    """Record what a sidecar says. Whether it is news, the caller knows from the read model."""
    _write(photo_id, read, actor)


def record_sidecar_gone(photo_id: UUID, gone: sidecars.SidecarGone, *, actor: str) -> None:
    """Record that a sidecar is no longer there, or tells about another photo."""
    _write(photo_id, gone, actor)


def ask_for_sidecar(photo_id: UUID, *, actor: str) -> None:
    """Have the sidecar of a photo written now. Raises PhotoNotFound."""
    _write(photo_id, sidecars.SidecarAsked(), actor)


def record_sidecar_written(photo_id: UUID, written: sidecars.SidecarWritten, *, actor: str) -> None:
    """Record what was written into a sidecar, and its hash, so that reading it again is no news."""
    _write(photo_id, written, actor)


def record_sidecar_not_written(photo_id: UUID, failure: sidecars.SidecarNotWritten, *, actor: str) -> None:
    """Record why a sidecar could not be written."""
    _write(photo_id, failure, actor)


def _write(photo_id: UUID, event: sidecars.SidecarEvent, actor: str) -> None:
    if not load_photo(photo_id).exists:
        raise PhotoNotFound(str(photo_id))
    write(photo_stream(photo_id), [event], actor=actor)
