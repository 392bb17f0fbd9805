"""The files of each library: what was found at which path, and what became of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import models
from django.db.models import Count

from core.accounts import Account
from core.domain import codec, files, photos
from core.domain.streams import subject_of
from core.readmodels.libraries import libraries_of
from events.event import Event


class FileState(models.TextChoices):
    INDEXED = "indexed"  # its content is a photo
    SKIPPED = "skipped"  # nothing wrong, but not shown
    FAILED = "failed"  # should be a photo, could not be imported


class PhotoFile(models.Model):
    """One file; `path` is inside its library, as text (`core.storage`)."""

    id = models.UUIDField(primary_key=True)
    library_id = models.UUIDField()
    photo_id = models.UUIDField(null=True)
    path = models.TextField()
    size = models.BigIntegerField()
    mtime_ns = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=FileState)
    kind = models.TextField()
    code = models.TextField(default="")
    reason = models.TextField(default="")

    class Meta:
        db_table = "photo_file"
        indexes = [
            models.Index("photo_id", name="photo_file_photo"),
            models.Index("library_id", "state", "code", "path", name="photo_file_state"),
        ]


@dataclass(frozen=True, slots=True)
class SkippedGroup:
    """How many files are not shown for one reason."""

    code: str
    reason: str
    count: int


def _put(file: UUID, **values: object) -> None:
    PhotoFile.objects.update_or_create(id=file, defaults=values)


def _imported(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.PhotoImported)
    _put_indexed(event, fact.library, fact.file, fact.kind)


def _added(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.FileAdded)
    known = (
        PhotoFile.objects.filter(photo_id=subject_of(event.stream_id)).values_list("library_id", "kind").first()
    )
    if known is None:
        # Every copy went away and one came back; the photo's own row still knows its library.
        from core.readmodels.photos import Photo

        known = Photo.objects.values_list("library_id", "kind").get(id=subject_of(event.stream_id))
    _put_indexed(event, known[0], fact.file, known[1])


def _put_indexed(event: Event, library: UUID, file: photos.OriginalFile, kind: str) -> None:
    _put(
        file.id,
        library_id=library,
        photo_id=subject_of(event.stream_id),
        path=file.path,
        size=file.size,
        mtime_ns=file.mtime_ns,
        state=FileState.INDEXED,
        kind=kind,
        code="",
        reason="",
    )


def _gone(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.FileGone)
    # The path may hold another photo by now: only this photo's claim to it ends.
    PhotoFile.objects.filter(id=fact.file, photo_id=subject_of(event.stream_id)).delete()


def _skipped(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, files.FileSkipped)
    _put_other(fact, FileState.SKIPPED, fact.kind)


def _failed(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, files.FileFailed)
    _put_other(fact, FileState.FAILED, "")


def _put_other(fact: files.FileSkipped | files.FileFailed, state: FileState, kind: str) -> None:
    _put(
        files.file_id(fact.library, fact.path),
        library_id=fact.library,
        photo_id=None,
        path=fact.path,
        size=fact.size,
        mtime_ns=fact.mtime_ns,
        state=state,
        kind=kind,
        code=fact.code,
        reason=fact.reason,
    )


HANDLERS: dict[str, Callable[[Event], None]] = {
    "photo.imported": _imported,
    "photo.file_added": _added,
    "photo.file_gone": _gone,
    "file.skipped": _skipped,
    "file.failed": _failed,
}
TABLES = (PhotoFile,)


def known_files(ids: Iterable[UUID]) -> dict[UUID, PhotoFile]:
    """What is known of these files, for a rescan."""
    return PhotoFile.objects.in_bulk(list(ids))


def files_of_photo(photo_id: UUID) -> list[PhotoFile]:
    """Every copy of a photo. The caller has checked who asks."""
    return list(PhotoFile.objects.filter(photo_id=photo_id).order_by("path"))


def skipped_groups(account: Account) -> list[SkippedGroup]:
    """The files that are not shown, counted by reason."""
    rows = (
        PhotoFile.objects.filter(library_id__in=libraries_of(account).values("id"), state=FileState.SKIPPED)
        .values_list("code", "reason")
        .annotate(count=Count("id"))
        .order_by("-count", "reason")
    )
    return [SkippedGroup(code, reason, count) for code, reason, count in rows]


def skipped_files(account: Account, code: str, after: str = "", limit: int = 100) -> list[PhotoFile]:
    """The files that are not shown for one reason, by path, from behind `after`."""
    return list(
        PhotoFile.objects.filter(
            library_id__in=libraries_of(account).values("id"),
            state=FileState.SKIPPED,
            code=code,
            path__gt=after,
        ).order_by("path")[:limit]
    )
