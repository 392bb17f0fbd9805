"""What lies outside the log when a photo or a person is forgotten: files, jobs and what they say.

A job removes it after the commit, so that no crash in between leaves any of it for ever. Work that was under way
then may still leave something: as long as anything is found, the job comes again.
"""

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from core import groups
from core.commands.forgetting import forget_again
from core.commands.log import named
from core.domain import codec, files, photos
from core.domain.files import file_id
from core.domain.forgetting import PhotoForgotten
from core.domain.people import PersonForgotten
from core.domain.streams import file_stream, subject_of
from core.readmodels.failures import IMPORT, failure_id
from core.readmodels.files import PhotoFile
from core.readmodels.libraries import Library, folder_by_id
from core.readmodels.uploads import UploadedFile
from core.storage import is_managed, original_path, previews_of
from core.turns import take_turns
from core.uploads import Upload, turn_of
from events.event import Event
from events.reading import read_stream
from workers.queue import NewJob, defer_batch

TASK, PORTRAITS, QUEUE = "clear_forgotten", "clear_portraits", "operations"
_ACTOR, _REASON = "worker:forgetting", "said after the photo was forgotten"
# By then a page that was being answered, or a run of a job, has ended as a rule.
_AGAIN = timedelta(seconds=60)
_log = structlog.get_logger(__name__)

_ABOUT = """
SELECT id, status::text FROM procrastinate_jobs
 WHERE task_name <> %(own)s AND (args ->> 'photo' = %(photo)s OR (id < %(first)s AND (
       args ->> 'file' = ANY (%(files)s)
       OR (args ->> 'folder' = ANY (%(folders)s) AND args ->> 'path' = ANY (%(paths)s)))))
"""
# Procrastinate's events go with their job, by their foreign key.
_DELETE = """
WITH gone AS (DELETE FROM procrastinate_jobs WHERE id = ANY (%(jobs)s) AND status <> 'doing' RETURNING id),
     tried AS (DELETE FROM job_attempt WHERE job_id IN (SELECT id FROM gone)),
     told AS (DELETE FROM job_action WHERE job_id IN (SELECT id FROM gone))
SELECT count(*) FROM gone
"""
_UNSAY = """
UPDATE job_attempt SET message = replace(message, %(text)s, '…'), reason = replace(reason, %(text)s, '…'),
       traceback = replace(traceback, %(text)s, '…')
 WHERE strpos(message, %(text)s) > 0 OR strpos(reason, %(text)s) > 0 OR strpos(traceback, %(text)s) > 0
"""
_UNNAME = "UPDATE job_operation_item SET subject = '' WHERE key = ANY (%(failures)s) OR job_id = ANY (%(jobs)s)"
_FORGET_ARGS = "UPDATE procrastinate_jobs SET args = jsonb_build_object('photo', args -> 'photo') WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Left:
    """What is to go of a photo. `places`: id, folder and path of each of its files; `names`: its uploads'.

    `first`: the first of the jobs that do it. What came after that to the same places is something else.
    """

    photo: str
    library: str
    places: Sequence[Sequence[str]]
    names: Sequence[str]
    first: int = 0

    @property
    def files(self) -> list[str]:
        return [file for file, _, _ in self.places]

    @property
    def nobodys(self) -> list[UUID]:
        """The files at whose places nothing has come meanwhile: the same content has the same id."""
        known = set(UploadedFile.objects.filter(id__in=self.files).values_list("id", flat=True))
        known |= set(
            PhotoFile.objects.filter(id__in=self.files, photo_id__isnull=False).values_list("id", flat=True)
        )
        return [file for file in map(UUID, self.files) if file not in known]

    def as_args(self) -> dict[str, Any]:
        return {**asdict(self), "places": [list(one) for one in self.places]}

    @property
    def texts(self) -> list[str]:
        """What others may say of it, the longest first."""
        paths = [path for _, _, path in self.places]
        return sorted({*paths, *(path.rpartition("/")[2] for path in paths), *self.names}, key=len, reverse=True)


def _forgotten(event: Event) -> None:
    """The events are still there to be read: where its files are stands nowhere else from now on."""
    fact = codec.decode(event)
    assert isinstance(fact, PhotoForgotten)
    photo, library = subject_of(event.stream_id), fact.library
    said = [one for _, one in named(read_stream(event.stream_id))]
    if not any(isinstance(one, photos.PhotoImported) for one in said):
        return  # forgotten once more, for what was said too late
    uploaded = [
        one
        for file in fact.files
        for _, one in named(read_stream(file_stream(file)))
        if isinstance(one, files.FileUploaded)
    ]
    places = {
        (str(file_id(folder or library, path)), str(folder or library), path)
        for _, folder, path in [*photos.files_named(said), *((None, one.folder, one.path) for one in uploaded)]
    }
    own = {str(file) for file in fact.files}
    names = {one.name for one in [*uploaded, *said] if isinstance(one, photos.PhotoImported | files.FileUploaded)}
    mine = sorted(place for place in places if place[0] in own)
    left = Left(str(photo), str(library), mine, sorted(names - {""}))
    _forget_uploads(photo, library, {one.sha256 for one in uploaded})
    defer_batch([NewJob(TASK, QUEUE, left.as_args(), priority=50)])


def _person_forgotten(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, PersonForgotten)
    faces = {str(one.face): str(one.photo) for one in fact.faces}
    defer_batch([NewJob(PORTRAITS, QUEUE, {"faces": faces}, priority=50)])


HANDLERS: dict[str, Callable[[Event], None]] = {
    "photo.forgotten": _forgotten,
    "person.forgotten": _person_forgotten,
}


def clear_portraits(faces: Mapping[str, str]) -> int:
    """Remove the pictures of faces (face → photo); as long as there are any, the job is queued again."""
    found = [path for face, photo in faces.items() for path in previews_of(UUID(photo)).glob(f"*-face-{face}-*")]
    for path in found:
        path.unlink(missing_ok=True)
    if found:
        defer_batch([NewJob(PORTRAITS, QUEUE, {"faces": faces}, scheduled_at=timezone.now() + _AGAIN)])
    return len(found)


def clear(left: Left, job: int) -> bool:
    """Remove what is there; whether there was anything, and so the job is queued again. Twice is harmless."""
    left = replace(left, first=left.first or job)
    photo, library = UUID(left.photo), UUID(left.library)
    jobs = _clear_jobs(left)
    late = forget_again(photo, library, left.nobodys, actor=_ACTOR, reason=_REASON)
    found = any([jobs, late, _clear_previews(photo), _clear_originals(left)])
    _settle_groups(library)
    with transaction.atomic(), connection.cursor() as cursor:
        if found:
            defer_batch([NewJob(TASK, QUEUE, left.as_args(), scheduled_at=timezone.now() + _AGAIN)])
        cursor.execute(_FORGET_ARGS, [job])
    return found


def _clear_jobs(left: Left) -> bool:
    """Those that wait are not needed, and those that have ended say what they were about."""
    about: dict[str, Any] = {
        "own": TASK,
        "first": left.first,
        "photo": left.photo,
        "files": left.files,
        "folders": [folder for _, folder, _ in left.places],
        "paths": [path for _, _, path in left.places],
    }
    failures = [failure_id(UUID(left.photo), step) for step in photos.Step]
    failures += [failure_id(UUID(file), IMPORT) for file in left.files]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ABOUT, about)
        jobs = dict(cursor.fetchall())
        cursor.execute(_UNNAME, {"failures": list(map(str, failures)), "jobs": list(jobs)})
        cursor.execute(_DELETE, {"jobs": list(jobs)})
        for text in left.texts:
            cursor.execute(_UNSAY, {"text": text})
    return bool(jobs)


def _clear_previews(photo: UUID) -> bool:
    folder = previews_of(photo)
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)
        return True
    return False


def _clear_originals(left: Left) -> bool:
    """Files in folders of Filmroll's own; where the same content was uploaded again meanwhile, it stays."""
    gone = [_remove(UUID(file), UUID(folder), path) for file, folder, path in left.places]
    return any(gone)


def _remove(file: UUID, folder: UUID, path: str) -> bool:
    root = folder_by_id(folder).root
    if not is_managed(root):
        return False
    place = original_path(root, path)
    with transaction.atomic():
        take_turns(turn_of(folder, path))
        if UploadedFile.objects.filter(id=file).exists() or not place.exists():
            return False
        place.unlink()
    _log.info("deleted the original of a forgotten photo", file=str(file))
    return True


def _forget_uploads(photo: UUID, library: UUID, hashes: Iterable[str]) -> None:
    """What was announced of its uploads, kept for a while for browsers that lost the answer."""
    owner = Library.objects.filter(id=library).values("owner_id")
    same = Q(photo_id=photo) | Q(sha256__in=list(hashes))
    Upload.objects.filter(same, account_id__in=owner, finished_at__isnull=False).delete()


def _settle_groups(library: UUID) -> None:
    """The faces that are left make the groups' means."""
    if groups.make_table():
        from workers.grouping import settle_people  # brings numpy, which few programs need

        owner = Library.objects.values_list("owner_id", flat=True).get(id=library) or library
        settle_people(groups.miscounted(owner))
