"""The files of each library: what was found at which path, and what became of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, models
from django.db.models import Count, Q

from core import singlerows
from core.accounts import Account
from core.domain import codec, files, libraries, photos
from core.domain.forgetting import PhotoForgotten
from core.domain.streams import subject_of
from core.readmodels.libraries import libraries_of
from events.event import Event


class FileState(models.TextChoices):
    INDEXED = "indexed"  # its content is a photo
    SKIPPED = "skipped"  # nothing wrong, but not shown
    FAILED = "failed"  # should be a photo, could not be imported


class Role(models.TextChoices):
    """What a file is to its photo."""

    ORIGINAL = "original"  # it holds the photo's content


class PhotoFile(models.Model):
    """One file; `path` is inside its folder, as text (`core.storage`).

    `since` is the position of the event that brought it: the order in which a photo's files were found.
    """

    id = models.UUIDField(primary_key=True)
    library_id = models.UUIDField()
    folder_id = models.UUIDField()
    photo_id = models.UUIDField(null=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.ORIGINAL)
    # Compared byte by byte, in the order in which a scan walks.
    path = models.TextField(db_collation="C")
    # What its owner calls it, where that is not the last part of the path.
    name = models.TextField(default="", db_collation="C")
    missing_since = models.DateTimeField(null=True)
    since = models.BigIntegerField(default=0)
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
            models.Index("folder_id", "path", name="photo_file_place"),
            models.Index("folder_id", "name", name="photo_file_name", condition=~Q(name="")),
        ]

    @property
    def known_as(self) -> str:
        """How its owner knows it: an upload by its name, any other file by its path."""
        return self.name or self.path


_LYING = "folder_id = %s AND path >= %s AND path < %s"
_NAMED = "folder_id = %s AND name >= %s AND name < %s"


@dataclass(frozen=True, slots=True)
class SkippedGroup:
    """How many files are not shown for one reason."""

    code: str
    reason: str
    count: int


def _put(file: UUID, **values: object) -> None:
    """One statement, for there may be thousands: what is not among the values stays as it is."""
    row = {"missing_since": None, **values}
    singlerows.put(PhotoFile(id=file, **row), *row)


def _imported(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.PhotoImported)
    _put_indexed(event, fact.library, fact.file, fact.kind, since=event.position)
    if fact.name:
        PhotoFile.objects.filter(id=fact.file.id).update(name=fact.name)


def _added(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.FileAdded | photos.FileBack)
    library, kind = _photo_of(event)
    _put_indexed(event, library, fact.file, kind)


def _moved(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.FileMoved)
    to, photo = fact.to, subject_of(event.stream_id)
    PhotoFile.objects.filter(id=to.id).exclude(id=fact.file).delete()
    library, kind = _photo_of(event)
    place = {"id": to.id, "folder_id": to.folder or library, "path": to.path}
    state = {"size": to.size, "mtime_ns": to.mtime_ns, "state": FileState.INDEXED, "code": "", "reason": ""}
    moved = PhotoFile.objects.filter(id=fact.file, photo_id=photo).update(**place, **state, missing_since=None)
    if not moved:  # its old place holds another photo's file by now
        _put_indexed(event, library, to, kind, since=event.position)


def _missing(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.FileMissing)
    claimed = PhotoFile.objects.filter(id=fact.file, photo_id=subject_of(event.stream_id))
    claimed.update(missing_since=event.recorded_at)


def _replaced(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.ContentReplaced)
    library, _ = _photo_of(event)
    PhotoFile.objects.filter(photo_id=subject_of(event.stream_id)).exclude(id=fact.file.id).delete()
    _put_indexed(event, library, fact.file, fact.kind)


def _photo_of(event: Event) -> tuple[UUID, str]:
    """A photo's library and kind, from the photo's own row: all its files may be gone."""
    from core.readmodels.photos import Photo

    return Photo.objects.values_list("library_id", "kind").get(id=subject_of(event.stream_id))


def _put_indexed(
    event: Event, library: UUID, file: photos.OriginalFile, kind: str, since: int | None = None
) -> None:
    photo = subject_of(event.stream_id)
    if since is None:
        # Found again it keeps its place among the photo's files.
        since = PhotoFile.objects.filter(id=file.id, photo_id=photo).values_list("since", flat=True).first()
    _put(
        file.id,
        library_id=library,
        folder_id=file.folder or library,
        photo_id=photo,
        path=file.path,
        size=file.size,
        mtime_ns=file.mtime_ns,
        state=FileState.INDEXED,
        kind=kind,
        code="",
        reason="",
        since=since or event.position,
    )


def _gone(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.FileGone)
    # The path may hold another photo by now: only this photo's claim to it ends.
    PhotoFile.objects.filter(id=fact.file, photo_id=subject_of(event.stream_id)).delete()


def _forgotten(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, PhotoForgotten)
    PhotoFile.objects.filter(Q(photo_id=subject_of(event.stream_id)) | Q(id__in=fact.files)).delete()


def _vanished(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, files.FileVanished)
    PhotoFile.objects.filter(id=files.id_of(fact), photo_id=None).delete()


def _folder_removed(event: Event) -> None:
    """What is no photo is found anew when the folder comes back; the photos' files are kept."""
    fact = codec.decode(event)
    assert isinstance(fact, libraries.FolderRemoved)
    PhotoFile.objects.filter(folder_id=fact.folder, photo_id=None).delete()


def _library_removed(event: Event) -> None:
    PhotoFile.objects.filter(library_id=subject_of(event.stream_id), photo_id=None).delete()


def _skipped(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, files.FileSkipped)
    _put_other(event, fact, FileState.SKIPPED, kind=fact.kind, photo_id=None)


def _failed(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, files.FileFailed)
    # A photo's file that cannot be read any more stays the photo's: mended, it is a new version of it.
    _put_other(event, fact, FileState.FAILED, kind="")


def _put_other(
    event: Event, fact: files.FileSkipped | files.FileFailed, state: FileState, **values: object
) -> None:
    _put(
        files.id_of(fact),
        library_id=fact.library,
        folder_id=fact.folder or fact.library,
        path=fact.path,
        name=_uploaded_as(files.id_of(fact)),
        size=fact.size,
        mtime_ns=fact.mtime_ns,
        state=state,
        code=fact.code,
        reason=fact.reason,
        since=event.position,
        **values,
    )


def _uploaded_as(file: UUID) -> str:
    from core.readmodels.uploads import name_of_upload

    return name_of_upload(file)


HANDLERS: dict[str, Callable[[Event], None]] = {
    "photo.imported": _imported,
    "photo.file_added": _added,
    "photo.file_gone": _gone,
    "photo.file_moved": _moved,
    "photo.file_missing": _missing,
    "photo.file_back": _added,
    "photo.content_replaced": _replaced,
    "photo.forgotten": _forgotten,
    "file.skipped": _skipped,
    "file.failed": _failed,
    "file.vanished": _vanished,
    "library.folder_removed": _folder_removed,
    "library.removed": _library_removed,
}
TABLES = (PhotoFile,)
READS = ("photos", "uploads")


def some_files(folder_id: UUID, limit: int, below: str = "") -> list[str]:
    """Paths of some files of photos in a folder, or `below` a place in it, that are not missing."""
    inside = files_below(folder_id, below) if below else PhotoFile.objects.filter(folder_id=folder_id)
    there = inside.filter(missing_since=None, photo_id__isnull=False)
    return list(there.order_by("path").values_list("path", flat=True)[:limit])


def files_below(folder_id: UUID, path: str) -> models.QuerySet[PhotoFile]:
    """The files of a folder at this path or, where it is a folder, anywhere below it."""
    # "0" is the sign after "/".
    inside = Q(path__gt=f"{path}/", path__lt=f"{path}0")
    return PhotoFile.objects.filter(Q(path=path) | inside, folder_id=folder_id).order_by("path")


def photos_beginning(starts: Iterable[tuple[UUID, bool, str, str]]) -> set[UUID]:
    """The photos with a file whose path (or, where that is asked, name) lies in one of these ranges of a folder.

    Of each range: the folder, whether the name counts, the first text in it and the first one behind it.
    """
    asked = list(starts)
    if not asked:
        return set()
    ways = " OR ".join(_NAMED if by_name else _LYING for _, by_name, _, _ in asked)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT photo_id FROM photo_file WHERE photo_id IS NOT NULL AND ({ways})",  # noqa: S608  # those two
            [value for folder, _, first, behind in asked for value in (folder, first, behind)],
        )
        return {photo for (photo,) in cursor.fetchall()}


def files_of_photo(photo_id: UUID) -> list[PhotoFile]:
    """Every copy of a photo. The caller has checked who asks."""
    return sorted(singlerows.find_all(PhotoFile, "photo_id", photo_id), key=lambda file: (file.path, file.id))


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
