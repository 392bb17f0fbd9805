"""The photos: everything that pages know of each one, and who may see it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce

from core import singlerows
from core.accounts import Account
from core.domain import codec, duplicates, libraries, photos
from core.domain.photos import PhotoNotFound, Step
from core.domain.streams import photo_stream, subject_of
from core.readmodels import facts
from core.readmodels.fields import WallTimeField
from core.readmodels.files import PhotoFile
from core.readmodels.libraries import Folder, libraries_of
from events import consumers
from events.event import Event
from events.reading import read_stream


class PreviewState(models.TextChoices):
    WAITING = "waiting"  # the job has not ended
    READY = "ready"  # tile and large preview are in their place
    FAILED = "failed"  # the job died; the failures page says why


# The version of a photo's stream with which its import ends: photo.imported, photo.metadata_read.
IMPORTED = 2

_HOLDER = "SELECT id FROM photo WHERE library_id = %s AND sha256 = %s ORDER BY imported_at, id LIMIT 1"


class Hidden(models.TextChoices):
    """Why a photo is not shown, though nothing of it is deleted."""

    FOLDER = "folder"  # its folder was taken out of the library
    LIBRARY = "library"  # its library was taken out
    IGNORED = "ignored"  # its files are to be left out
    TAKEN_OUT = "taken out"  # its original is missing, and a person wants to see it no more


class Photo(models.Model):
    """One photo. `path` is that of the file it is known by, inside its folder; `missing`: no file is there.

    `duplicate_of`: a person keeps that one in the timeline instead. `taken_local` is the camera's wall time.
    `said` keeps what every source says; `facts` maps a name to the value that counts, its source, and what others
    say instead.
    """

    id = models.UUIDField(primary_key=True)
    library_id = models.UUIDField()
    sha256 = models.CharField(max_length=64)
    kind = models.TextField()
    media = models.TextField()
    mime = models.TextField()
    name = models.TextField()
    folder_id = models.UUIDField()
    path = models.TextField()
    size = models.BigIntegerField()
    missing = models.BooleanField(default=False)
    missing_since = models.DateTimeField(null=True)
    hidden = models.CharField(max_length=10, choices=Hidden, default="", blank=True)
    duplicate_of = models.UUIDField(null=True)
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
    rating = models.SmallIntegerField(null=True)
    favourite = models.BooleanField(default=False)
    said = models.JSONField(default=dict)
    facts = models.JSONField(default=dict)
    notes = models.JSONField(default=list)
    labels = models.JSONField(null=True)
    labels_model = models.TextField(default="")
    imported_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "photo"
        indexes = [
            models.Index("taken_local", "id", name="photo_timeline", condition=Q(hidden="")),
            models.Index("library_id", "taken_local", "id", name="photo_library_timeline", condition=Q(hidden="")),
            models.Index("library_id", "hidden", "preview_state", name="photo_counts"),
            models.Index("library_id", "sha256", name="photo_content"),
            models.Index(
                KT("facts__content_identifier__value"),
                name="photo_live",
                condition=Q(facts__has_key="content_identifier"),
            ),
            models.Index("duplicate_of", "id", name="photo_duplicate", condition=Q(duplicate_of__isnull=False)),
            models.Index("missing_since", "id", name="photo_missing", condition=Q(missing=True, hidden="")),
        ]

    @property
    def has_preview(self) -> bool:
        return bool(self.revision)


def _imported(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.PhotoImported)
    photo = Photo(
        id=subject_of(event.stream_id),
        library_id=fact.library,
        sha256=fact.sha256,
        kind=fact.kind,
        media=fact.media,
        mime=fact.mime,
        name=fact.name or _name(fact.file.path),
        folder_id=fact.file.folder or fact.library,
        path=fact.file.path,
        size=fact.file.size,
        notes=[fact.mismatch] if fact.mismatch else [],
        imported_at=event.recorded_at,
    )
    singlerows.add(photo)
    if (kept := consumers.kept()) is not None:
        kept[_kept_as(event)] = photo


def _files_changed(event: Event) -> None:
    """Name, place and presence follow from the files as they are now: first the ones there, then the oldest."""
    photo = subject_of(event.stream_id)
    known = PhotoFile.objects.filter(photo_id=photo).order_by(F("missing_since").asc(nulls_first=True), "since")
    file = known.first()
    now: dict[str, Any] = {}
    match codec.decode(event):
        case photos.FileGone(reason="ignored") if file is None:
            _update(event, hidden=Hidden.IGNORED)
            return
        case photos.FileAdded() | photos.FileBack() | photos.FileMoved() | photos.ContentReplaced():
            now = {"hidden": ""}
    if file is not None:
        now |= {
            "path": file.path,
            "name": file.name or _name(file.path),
            "folder_id": file.folder_id,
            "size": file.size,
        }
    if file is None or file.missing_since is not None:
        since = Coalesce("missing_since", Value(event.recorded_at))
        _update(event, missing=True, missing_since=since, **now)
    else:
        _update(event, missing=False, missing_since=None, **now)


def _content_replaced(event: Event) -> None:
    """The former previews stay until the new ones are made; what was seen in the former content does not."""
    fact = codec.decode(event)
    assert isinstance(fact, photos.ContentReplaced)
    _update(
        event,
        sha256=fact.sha256,
        kind=fact.kind,
        media=fact.media,
        mime=fact.mime,
        notes=[fact.mismatch] if fact.mismatch else [],
        preview_state=PreviewState.WAITING,
        duplicate_of=None,
        labels=None,
        labels_model="",
        processed_at=None,
    )
    _files_changed(event)


def _marked_duplicate(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, duplicates.MarkedDuplicate)
    _update(event, duplicate_of=fact.of)


def _unmarked_duplicate(event: Event) -> None:
    _update(event, duplicate_of=None)


def _taken_out(event: Event) -> None:
    _update(event, hidden=Hidden.TAKEN_OUT)


def _forgotten(event: Event) -> None:
    (consumers.kept() or {}).pop(_kept_as(event), None)
    Photo.objects.filter(id=subject_of(event.stream_id)).delete()


def _folder_removed(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, libraries.FolderRemoved)
    kept = Folder.objects.filter(library_id=subject_of(event.stream_id), removed=False).values("id")
    elsewhere = PhotoFile.objects.filter(photo_id=OuterRef("id"), folder_id__in=kept)
    _lying_in(fact.folder).filter(~Exists(elsewhere), hidden="").update(hidden=Hidden.FOLDER)


def _folder_added(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, libraries.FolderAdded)
    _lying_in(fact.folder).filter(hidden=Hidden.FOLDER).update(hidden="")


def _lying_in(folder: UUID) -> models.QuerySet[Photo]:
    return Photo.objects.filter(id__in=PhotoFile.objects.filter(folder_id=folder).values("photo_id"))


def _library_removed(event: Event) -> None:
    shown = Photo.objects.filter(library_id=subject_of(event.stream_id), hidden="")
    shown.update(hidden=Hidden.LIBRARY)


def _library_restored(event: Event) -> None:
    Photo.objects.filter(library_id=subject_of(event.stream_id), hidden=Hidden.LIBRARY).update(hidden="")


def _metadata_read(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.MetadataRead)
    _heard(event)
    _add_notes(event, fact.notes)


def _heard(event: Event) -> None:
    """Somebody says something of the photo: whose word counts is decided anew."""
    said = facts.hear(row_of(event, "said").said, codec.decode(event))
    _update(event, said=said, **facts.columns(said))


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
        _after_previews(event, PreviewState.FAILED)


def _step_retried(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.StepRetried)
    if fact.step == Step.PREVIEWS:
        _after_previews(event, PreviewState.WAITING)


def _after_previews(event: Event, state: PreviewState) -> None:
    """The state of a photo without previews. One that has those of an older version is shown with them."""
    photo = Photo.objects.filter(id=subject_of(event.stream_id))
    photo.filter(revision="").update(preview_state=state)
    photo.exclude(revision="").update(preview_state=PreviewState.READY)


def _processed(event: Event) -> None:
    _update(event, processed_at=event.recorded_at)


def row_of(event: Event, *columns: str) -> Photo:
    """The photo that an event is about, as its own events have left it: read once for all who hear of them.

    At least these columns, and none that other streams' events change. Raises Photo.DoesNotExist.
    """
    kept = consumers.kept()
    if kept is None:
        return Photo.objects.only(*columns).get(id=subject_of(event.stream_id))
    if _kept_as(event) not in kept:
        kept[_kept_as(event)] = photo_by_id(subject_of(event.stream_id))
    photo: Photo = kept[_kept_as(event)]
    return photo


def _update(event: Event, **values: Any) -> None:
    photo = (consumers.kept() or {}).get(_kept_as(event))
    for name, value in values.items() if photo else ():
        # What the database has to work out nobody asks of this row.
        setattr(photo, name, value)
    if any(hasattr(value, "resolve_expression") for value in values.values()):
        Photo.objects.filter(id=subject_of(event.stream_id)).update(**values)
    else:
        singlerows.change(Photo, subject_of(event.stream_id), **values)


def _kept_as(event: Event) -> tuple[str, str]:
    return "photo", event.stream_id


def _add_notes(event: Event, notes: tuple[str, ...]) -> None:
    if not notes:
        return
    known = row_of(event, "notes").notes
    _update(event, notes=[*known, *(note for note in notes if note not in known)])


def _name(path: str) -> str:
    return path.rpartition("/")[2]


HANDLERS: dict[str, Callable[[Event], None]] = {
    "photo.imported": _imported,
    "photo.file_added": _files_changed,
    "photo.file_gone": _files_changed,
    "photo.file_moved": _files_changed,
    "photo.file_missing": _files_changed,
    "photo.file_back": _files_changed,
    "photo.content_replaced": _content_replaced,
    "photo.taken_out": _taken_out,
    "photo.forgotten": _forgotten,
    "photo.metadata_read": _metadata_read,
    "photo.previews_rendered": _previews_rendered,
    "photo.labels_found": _labels_found,
    "photo.step_failed": _step_failed,
    "photo.step_retried": _step_retried,
    "photo.processed": _processed,
    "library.folder_added": _folder_added,
    "library.folder_removed": _folder_removed,
    "library.removed": _library_removed,
    "library.restored": _library_restored,
    "photo.rated": _heard,
    "photo.favoured": _heard,
    "photo.titled": _heard,
    "photo.captioned": _heard,
    "photo.keywords_changed": _heard,
    "photo.placed": _heard,
    "photo.dated": _heard,
    "photo.place_corrected": _heard,
    "photo.style_corrected": _heard,
    "photo.change_undone": _heard,
    "photo.sidecar_read": _heard,
    "photo.sidecar_gone": _heard,
    "photo.sidecar_written": _heard,
    "photo.marked_duplicate": _marked_duplicate,
    "photo.unmarked_duplicate": _unmarked_duplicate,
}
TABLES = (Photo,)
READS = ("files", "libraries")


def visible_photos(account: Account) -> models.QuerySet[Photo]:
    """Every photo that an account may see."""
    everything = Photo.objects.filter(hidden="")
    if account.is_staff:
        return everything
    # The ids themselves, not a subquery: with them the timeline's index gives the order.
    owned = list(libraries_of(account).values_list("id", flat=True))
    return everything.filter(library_id__in=owned)


def without_duplicates(photos: models.QuerySet[Photo]) -> models.QuerySet[Photo]:
    """Without those instead of which another one is kept, as long as that one is shown."""
    return photos.filter(Q(duplicate_of__isnull=True) | ~_kept_instead())


def only_duplicates(photos: models.QuerySet[Photo]) -> models.QuerySet[Photo]:
    """None but those instead of which another one is kept."""
    return photos.filter(_kept_instead(), duplicate_of__isnull=False)


def _kept_instead() -> Exists:
    return Exists(Photo.objects.filter(id=OuterRef("duplicate_of"), hidden=""))


def with_a_picture(photos: models.QuerySet[Photo]) -> models.QuerySet[Photo]:
    """Those that have a tile to show: what anything is shown by is one of them."""
    return photos.exclude(revision="")


def photo_for(account: Account, photo_id: UUID) -> Photo:
    """One photo, if this account may see it. Raises PhotoNotFound."""
    found = visible_photos(account).filter(id=photo_id).first()
    if found is None:
        raise PhotoNotFound(str(photo_id))
    return found


def photo_by_id(photo_id: UUID) -> Photo:
    """A photo, whoever asks. Raises Photo.DoesNotExist."""
    found = singlerows.find(Photo, photo_id)
    if found is None:
        raise Photo.DoesNotExist(str(photo_id))
    return found


def holder_of(library_id: UUID, sha256: str) -> UUID | None:
    """The photo of a library that holds this content now, hidden or not."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLDER, [library_id, sha256])
        found = cursor.fetchone()
    return found[0] if found else None


def history_by_people(photo_id: UUID) -> bool:
    """Whether a person has ever done something to this photo."""
    events = read_stream(photo_stream(photo_id))
    return any(event.meta.get("actor", "").startswith("account:") for event in events)


def missing_photos(account: Account) -> models.QuerySet[Photo]:
    """Photos without an original, those that went missing last first."""
    return visible_photos(account).filter(missing=True).order_by("-missing_since", "-id")


def history_of(account: Account, photo_id: UUID) -> list[Event]:
    """Everything that ever happened to a photo and was not erased, oldest first. Raises PhotoNotFound."""
    photo_for(account, photo_id)
    return [event for event in read_stream(photo_stream(photo_id)) if not event.erased]
