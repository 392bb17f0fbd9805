"""Makes again what an earlier version made of photos, previews and the facts of files, and previews that are gone.

Never by itself: a new version is no reason to read a hundred thousand originals.
"""

from collections.abc import Iterable
from itertools import islice
from uuid import UUID

from django.db import connection
from django.db.models import IntegerField, Max
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from core.commands.photos import record_metadata
from core.domain.streams import photo_stream, subject_of
from core.readmodels.photos import Photo
from events.models import StoredEvent
from workers.pipelines.versions import METADATA_VERSION, PREVIEWS_VERSION
from workers.queue import NewJob, defer_batch
from workers.rendering import previews_are_there

TASK, LIBRARY_TASK = "remake_photo", "remake_library"
_ACTOR = "worker:remake"
_BATCH = 1000
# Behind whatever else there is to do.
_PRIORITY = -50


def queue_older(library: UUID) -> int:
    """Queue each photo of which something is of an earlier version or gone; how many. Twice is once."""
    count, ids = 0, Photo.objects.filter(library_id=library, hidden="", missing=False).order_by("id")
    known = ids.values_list("id", "revision").iterator(_BATCH)
    while batch := dict(islice(known, _BATCH)):
        older = {photo for photo, revision in batch.items() if wants_previews(photo, revision)}
        older |= _with_older_facts(batch)
        wanted = sorted(older - _waiting(older))
        defer_batch([NewJob(TASK, "previews", {"photo": str(one)}, _PRIORITY) for one in wanted])
        count += len(wanted)
    return count


def has_older_previews(revision: str) -> bool:
    """Whether there are previews, and not today's. Their version is the last part of their revision."""
    return bool(revision) and revision.rpartition("-")[2] != str(PREVIEWS_VERSION)


def wants_previews(photo: UUID, revision: str) -> bool:
    """Whether its previews are of an earlier version, or gone."""
    return bool(revision) and (has_older_previews(revision) or not previews_are_there(photo, revision))


def read_older_facts(photo: Photo) -> str:
    """Read the facts of a photo again where they are of an earlier version; in a few words, what was done."""
    from workers.imports import find_original, read_again  # what reads files is loaded where some are read

    if not _with_older_facts([photo.id]):
        return ""
    original = find_original(photo)
    if original is None:
        return "the original is not there"
    read = read_again(photo, original)
    record_metadata(photo.id, read, original.stat().st_mtime_ns, actor=_ACTOR, content=photo.sha256)
    return "facts read again"


def _with_older_facts(photos: Iterable[UUID]) -> set[UUID]:
    said = StoredEvent.objects.filter(
        stream_id__in=[photo_stream(one) for one in photos], type="photo.metadata_read"
    )
    newest = said.values("stream_id").annotate(version=Max(Cast(KT("data__step_version"), IntegerField())))
    return {subject_of(row["stream_id"]) for row in newest if row["version"] < METADATA_VERSION}


def _waiting(photos: set[UUID]) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args->>'photo' FROM procrastinate_jobs"
            " WHERE task_name = %s AND status IN ('todo', 'doing') AND args->>'photo' = ANY(%s)",
            [TASK, [str(one) for one in photos]],
        )
        return {UUID(row[0]) for row in cursor.fetchall()}
