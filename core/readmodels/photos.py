"""The photos: everything that pages know of each one, and who may see it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q

from core.accounts import Account
from core.domain import codec, photos
from core.domain.photos import PhotoNotFound, Step
from core.domain.streams import photo_stream, subject_of
from core.readmodels.fields import WallTimeField
from core.readmodels.files import PhotoFile
from core.readmodels.libraries import libraries_of
from events.event import Event
from events.reading import read_stream


class PreviewState(models.TextChoices):
    WAITING = "waiting"  # the job has not ended
    READY = "ready"  # tile and large preview are in their place
    FAILED = "failed"  # the job died; the failures page says why


class Photo(models.Model):
    """One photo. `taken_local` is the camera's wall time; `facts` maps a name to its value and source."""

    id = models.UUIDField(primary_key=True)
    library_id = models.UUIDField()
    sha256 = models.CharField(max_length=64)
    kind = models.TextField()
    media = models.TextField()
    mime = models.TextField()
    name = models.TextField()
    path = models.TextField()
    size = models.BigIntegerField()
    missing = models.BooleanField(default=False)
    width = models.IntegerField(null=True)
    height = models.IntegerField(null=True)
    taken_local = WallTimeField(null=True)
    taken_offset = models.TextField(default="")
    taken_source = models.TextField(default="")
    preview_state = models.CharField(max_length=10, choices=PreviewState, default=PreviewState.WAITING)
    revision = models.TextField(default="")
    tile_width = models.IntegerField(null=True)
    tile_height = models.IntegerField(null=True)
    thumbhash = models.TextField(default="")
    method = models.TextField(default="")
    camera = models.TextField(default="")
    lens = models.TextField(default="")
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    facts = models.JSONField(default=dict)
    notes = models.JSONField(default=list)
    labels = models.JSONField(null=True)
    labels_model = models.TextField(default="")
    imported_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "photo"
        indexes = [
            models.Index("taken_local", "id", name="photo_timeline", condition=Q(missing=False)),
            models.Index(
                "library_id", "taken_local", "id", name="photo_library_timeline", condition=Q(missing=False)
            ),
            models.Index("library_id", "missing", "preview_state", name="photo_counts"),
        ]

    @property
    def has_preview(self) -> bool:
        return bool(self.revision)


def _imported(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.PhotoImported)
    Photo.objects.create(
        id=subject_of(event.stream_id),
        library_id=fact.library,
        sha256=fact.sha256,
        kind=fact.kind,
        media=fact.media,
        mime=fact.mime,
        name=_name(fact.file.path),
        path=fact.file.path,
        size=fact.file.size,
        notes=[fact.mismatch] if fact.mismatch else [],
        imported_at=event.recorded_at,
    )


def _file_added(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.FileAdded)
    came_back = Photo.objects.filter(id=subject_of(event.stream_id), missing=True)
    came_back.update(missing=False, path=fact.file.path, name=_name(fact.file.path))


def _file_gone(event: Event) -> None:
    left = PhotoFile.objects.filter(photo_id=subject_of(event.stream_id)).order_by("path").first()
    if left is None:
        _update(event, missing=True)
    else:
        _update(event, path=left.path, name=_name(left.path))


def _metadata_read(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.MetadataRead)
    said = fact.facts
    taken = _value(said, "taken_at")
    make, model = _value(said, "camera_make") or "", _value(said, "camera_model") or ""
    _update(
        event,
        facts={name: {"value": one.value, "source": one.source} for name, one in said.items()},
        taken_local=datetime.fromisoformat(taken) if taken else None,
        taken_offset=_value(said, "taken_offset") or "",
        taken_source=said["taken_at"].source if taken else "",
        camera=model if model.lower().startswith(make.lower()) else f"{make} {model}".strip(),
        lens=_value(said, "lens") or "",
        latitude=_value(said, "latitude"),
        longitude=_value(said, "longitude"),
    )
    _add_notes(event, fact.notes)


def _previews_rendered(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.PreviewsRendered)
    _update(
        event,
        preview_state=PreviewState.READY,
        revision=fact.revision,
        width=fact.width,
        height=fact.height,
        tile_width=fact.tile.width,
        tile_height=fact.tile.height,
        thumbhash=fact.thumbhash,
        method=fact.method,
    )
    _add_notes(event, fact.notes)


def _labels_found(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.LabelsFound)
    seen = [{"label": one.label, "score": one.score, "box": list(one.box)} for one in fact.labels]
    _update(event, labels=seen, labels_model=f"{fact.model} {fact.model_version}".strip())


def _step_failed(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.StepFailed)
    if fact.step == Step.PREVIEWS:
        Photo.objects.filter(id=subject_of(event.stream_id), revision="").update(preview_state=PreviewState.FAILED)


def _step_retried(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.StepRetried)
    if fact.step == Step.PREVIEWS:
        Photo.objects.filter(id=subject_of(event.stream_id), revision="").update(
            preview_state=PreviewState.WAITING
        )


def _processed(event: Event) -> None:
    _update(event, processed_at=event.recorded_at)


def _update(event: Event, **values: Any) -> None:
    Photo.objects.filter(id=subject_of(event.stream_id)).update(**values)


def _add_notes(event: Event, notes: tuple[str, ...]) -> None:
    if not notes:
        return
    photo = Photo.objects.only("notes").get(id=subject_of(event.stream_id))
    _update(event, notes=[*photo.notes, *(note for note in notes if note not in photo.notes)])


def _value(facts: dict[str, photos.Fact], name: str) -> Any:
    return facts[name].value if name in facts else None


def _name(path: str) -> str:
    return path.rpartition("/")[2]


HANDLERS: dict[str, Callable[[Event], None]] = {
    "photo.imported": _imported,
    "photo.file_added": _file_added,
    "photo.file_gone": _file_gone,
    "photo.metadata_read": _metadata_read,
    "photo.previews_rendered": _previews_rendered,
    "photo.labels_found": _labels_found,
    "photo.step_failed": _step_failed,
    "photo.step_retried": _step_retried,
    "photo.processed": _processed,
}
TABLES = (Photo,)


def visible_photos(account: Account) -> models.QuerySet[Photo]:
    """Every photo that an account may see."""
    everything = Photo.objects.filter(missing=False)
    if account.is_staff:
        return everything
    # The ids themselves, not a subquery: with them the timeline's index gives the order.
    owned = list(libraries_of(account).values_list("id", flat=True))
    return everything.filter(library_id__in=owned)


def photo_for(account: Account, photo_id: UUID) -> Photo:
    """One photo, if this account may see it. Raises PhotoNotFound."""
    found = visible_photos(account).filter(id=photo_id).first()
    if found is None:
        raise PhotoNotFound(str(photo_id))
    return found


def history_of(account: Account, photo_id: UUID) -> list[Event]:
    """Everything that ever happened to a photo, oldest first. Raises PhotoNotFound."""
    photo_for(account, photo_id)
    return read_stream(photo_stream(photo_id))
