"""What failed, for the people who own the photos: which picture, which step, why, and since when."""

from collections.abc import Callable
from uuid import UUID, uuid5

from django.db import models

from core import singlerows
from core.accounts import Account
from core.domain import codec, files, libraries, photos
from core.domain.forgetting import PhotoForgotten
from core.domain.streams import subject_of
from core.readmodels.files import PhotoFile
from core.readmodels.libraries import libraries_of
from core.readmodels.photos import Photo
from core.readmodels.uploads import name_of_upload
from events.event import Event

IMPORT = "import"


class Failure(models.Model):
    """One step that ended without a result, of a photo or of a file that never became one."""

    id = models.UUIDField(primary_key=True)
    photo_id = models.UUIDField(null=True)
    file_id = models.UUIDField(null=True)
    library_id = models.UUIDField()
    folder_id = models.UUIDField()
    name = models.TextField()
    path = models.TextField()
    step = models.TextField()
    code = models.TextField()
    reason = models.TextField()
    error_class = models.TextField()
    job = models.BigIntegerField(null=True)
    failed_at = models.DateTimeField()
    set_aside = models.BooleanField(default=False)
    retrying = models.BooleanField(default=False)

    class Meta:
        db_table = "failure"
        indexes = [
            models.Index("set_aside", "failed_at", "id", name="failure_newest"),
            models.Index("photo_id", name="failure_photo"),
        ]


class FailureNotFound(LookupError):
    """There is no such failure, or not for this account."""


def failure_id(subject: UUID, step: str) -> UUID:
    """The id of a photo's or a file's failure in one step."""
    return uuid5(subject, f"failure:{step}")


def _step_failed(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.StepFailed)
    photo = Photo.objects.get(id=subject_of(event.stream_id))
    _put(
        event,
        fact.step,
        fact,
        photo_id=photo.id,
        file_id=None,
        library_id=photo.library_id,
        folder_id=photo.folder_id,
        name=photo.name,
        path=photo.path,
    )


def _file_failed(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, files.FileFailed)
    _put(
        event,
        IMPORT,
        fact,
        photo_id=None,
        file_id=subject_of(event.stream_id),
        library_id=fact.library,
        folder_id=fact.folder or fact.library,
        name=name_of_upload(subject_of(event.stream_id)) or fact.path.rpartition("/")[2],
        path=fact.path,
    )


def _put(event: Event, step: str, fact: photos.StepFailed | files.FileFailed, **where: object) -> None:
    Failure.objects.update_or_create(
        id=failure_id(subject_of(event.stream_id), step),
        defaults={
            **where,
            "step": str(step),
            "code": fact.code,
            "reason": fact.reason,
            "error_class": fact.error_class,
            "job": fact.job,
            "failed_at": event.recorded_at,
            "set_aside": False,
            "retrying": False,
        },
    )


def _step_retried(event: Event) -> None:
    _update(event, _step(event), retrying=True)


def _step_set_aside(event: Event) -> None:
    _update(event, _step(event), set_aside=True)


def _file_retried(event: Event) -> None:
    _update(event, IMPORT, retrying=True)


def _file_set_aside(event: Event) -> None:
    _update(event, IMPORT, set_aside=True)


def _previews_rendered(event: Event) -> None:
    _mended(subject_of(event.stream_id), photos.Step.PREVIEWS)


def _seen(event: Event) -> None:
    _mended(subject_of(event.stream_id), photos.Step.LABELS)


def _file_skipped(event: Event) -> None:
    _mended(subject_of(event.stream_id), IMPORT)


def _file_is_photo(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.PhotoImported | photos.FileAdded | photos.FileBack)
    _mended(fact.file.id, IMPORT)


def _content_replaced(event: Event) -> None:
    """What failed with the former content is no longer of interest."""
    fact = codec.decode(event)
    assert isinstance(fact, photos.ContentReplaced)
    _mended(fact.file.id, IMPORT)
    Failure.objects.filter(photo_id=subject_of(event.stream_id)).delete()


def _file_left(event: Event) -> None:
    """A file that is not there cannot be tried again; nor can a photo that has none left."""
    fact = codec.decode(event)
    assert isinstance(fact, photos.FileGone | photos.FileMissing | photos.FileMoved)
    _mended(fact.file, IMPORT)
    photo = subject_of(event.stream_id)
    if isinstance(fact, photos.FileMoved):
        return
    if not PhotoFile.objects.filter(photo_id=photo, missing_since=None).exists():
        Failure.objects.filter(photo_id=photo).delete()


def _forgotten(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, PhotoForgotten)
    named = models.Q(photo_id=subject_of(event.stream_id)) | models.Q(file_id__in=fact.files)
    Failure.objects.filter(named).delete()


def _file_vanished(event: Event) -> None:
    _mended(subject_of(event.stream_id), IMPORT)


def _folder_removed(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, libraries.FolderRemoved)
    Failure.objects.filter(folder_id=fact.folder, file_id__isnull=False).delete()


def _update(event: Event, step: str, **values: object) -> None:
    Failure.objects.filter(id=failure_id(subject_of(event.stream_id), step)).update(**values)


def _mended(subject: UUID, step: str) -> None:
    singlerows.remove(Failure, failure_id(subject, step))


def _step(event: Event) -> str:
    fact = codec.decode(event)
    assert isinstance(fact, photos.StepRetried | photos.StepSetAside)
    return fact.step


HANDLERS: dict[str, Callable[[Event], None]] = {
    "photo.imported": _file_is_photo,
    "photo.file_added": _file_is_photo,
    "photo.file_gone": _file_left,
    "photo.file_moved": _file_left,
    "photo.file_missing": _file_left,
    "photo.file_back": _file_is_photo,
    "photo.content_replaced": _content_replaced,
    "photo.forgotten": _forgotten,
    "photo.previews_rendered": _previews_rendered,
    **dict.fromkeys(
        (
            *("photo.labels_found", "photo.scenes_found", "photo.faces_found", "photo.vector_made"),
            *("photo.meaning_made", "photo.analysed"),
        ),
        _seen,
    ),
    "photo.step_failed": _step_failed,
    "photo.step_retried": _step_retried,
    "photo.step_set_aside": _step_set_aside,
    "file.skipped": _file_skipped,
    "file.failed": _file_failed,
    "file.retried": _file_retried,
    "file.set_aside": _file_set_aside,
    "file.vanished": _file_vanished,
    "library.folder_removed": _folder_removed,
}
TABLES = (Failure,)
READS = ("files", "photos", "uploads")


def failures_for(account: Account, *, set_aside: bool = False) -> models.QuerySet[Failure]:
    """What failed among the things that an account may see, newest first; page by `failed_at` and `id`."""
    hidden = Photo.objects.filter(id=models.OuterRef("photo_id")).exclude(hidden="")
    return Failure.objects.filter(
        ~models.Exists(hidden), set_aside=set_aside, library_id__in=libraries_of(account).order_by().values("id")
    ).order_by("-failed_at", "-id")


def failure_for(account: Account, identity: UUID) -> Failure:
    """One failure, set aside or not, if this account may see it. Raises FailureNotFound."""
    found = Failure.objects.filter(id=identity).first()
    if found is None or not libraries_of(account).filter(id=found.library_id).exists():
        raise FailureNotFound(str(identity))
    return found


def failures_of_photo(photo_id: UUID) -> list[Failure]:
    """The failures of one photo. The caller has checked who asks."""
    return list(Failure.objects.filter(photo_id=photo_id).order_by("step"))
