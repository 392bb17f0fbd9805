"""The sidecars of each photo: files beside it that tell about it, and what became of them."""

from collections.abc import Callable
from uuid import UUID, uuid5

from django.db import models

from core.domain import codec, sidecars
from core.domain.streams import subject_of
from events.event import Event


class Sidecar(models.Model):
    """One sidecar of one photo; `file_id` is that of its path. One file may tell about several photos."""

    id = models.UUIDField(primary_key=True)
    file_id = models.UUIDField()
    photo_id = models.UUIDField()
    path = models.TextField()
    source = models.TextField()
    sha256 = models.CharField(max_length=64)
    written = models.BooleanField(default=False)
    notes = models.JSONField(default=list)

    class Meta:
        db_table = "sidecar"
        indexes = [
            models.Index("photo_id", name="sidecar_photo"),
            models.Index("file_id", name="sidecar_file"),
        ]


def _read(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, sidecars.SidecarRead)
    notes = list(fact.notes)
    _put(event, fact.file, path=fact.path, source=fact.source, sha256=fact.sha256, written=False, notes=notes)


def _written(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, sidecars.SidecarWritten)
    _put(event, fact.file, path=fact.path, source="sidecar", sha256=fact.sha256, written=True, notes=[])


def _gone(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, sidecars.SidecarGone)
    Sidecar.objects.filter(id=_row(event, fact.file)).delete()


def _forgotten(event: Event) -> None:
    Sidecar.objects.filter(photo_id=subject_of(event.stream_id)).delete()


def _put(event: Event, file: UUID, **values: object) -> None:
    photo = subject_of(event.stream_id)
    defaults = {"file_id": file, "photo_id": photo, **values}
    Sidecar.objects.update_or_create(id=_row(event, file), defaults=defaults)


def _row(event: Event, file: UUID) -> UUID:
    return uuid5(subject_of(event.stream_id), f"sidecar:{file}")


HANDLERS: dict[str, Callable[[Event], None]] = {
    "photo.sidecar_read": _read,
    "photo.sidecar_written": _written,
    "photo.sidecar_gone": _gone,
    "photo.forgotten": _forgotten,
}
TABLES = (Sidecar,)


def sidecars_of_photo(photo_id: UUID) -> list[Sidecar]:
    """What lies beside a photo. The caller has checked who asks."""
    return list(Sidecar.objects.filter(photo_id=photo_id).order_by("path"))


def sidecars_in_file(file: UUID) -> list[Sidecar]:
    """The photos that a sidecar tells about."""
    return list(Sidecar.objects.filter(file_id=file).order_by("photo_id"))
