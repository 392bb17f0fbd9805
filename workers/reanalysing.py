"""Finds the photos of a library that are to be looked at: those left out meanwhile, or seen by older models."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction

from core.domain.analysis import BY_MODEL, Analysis
from core.readmodels.libraries import library_by_id
from core.readmodels.photos import Photo
from workers.analyses import TASK as ANALYSE
from workers.analyses import made_of, queue_for, undone, waiting_in, wanted
from workers.queue import NewJob, defer_batch

TASK = "analyse_library"
_SLICE = 500


def analyse_library(library_id: UUID, *, older: bool) -> int:
    """Queue a job for each photo with something to do; how many. A photo that waits already is left alone."""
    off = library_by_id(library_id).analyses_off
    todo = wanted(off)
    count, after = 0, UUID(int=0)
    while photos := _next(library_id, after):
        count += _queue(photos, todo, older)
        after = photos[-1].id
    return count


def let_go(library_id: UUID, off: Iterable[Analysis]) -> None:
    """Take out the jobs that wait for the model of an analysis that the library does without by now."""
    queues = [queue_for(one) for one in off if one in BY_MODEL]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'cancelled' WHERE queue_name = ANY(%s) AND status = 'todo'"
            " AND EXISTS (SELECT 1 FROM photo WHERE photo.id = (args ->> 'photo')::uuid AND library_id = %s)",
            [queues, library_id],
        )


def _next(library_id: UUID, after: UUID) -> list[Photo]:
    shown = Photo.objects.filter(library_id=library_id, hidden="", id__gt=after).exclude(revision="")
    return list(shown.only("id", "labels_model").order_by("id")[:_SLICE])


def _queue(photos: list[Photo], wanted: list[Analysis], older: bool) -> int:
    ids = [photo.id for photo in photos]
    with transaction.atomic():
        waiting = waiting_in(ids)
        made = made_of(photos)
        jobs = [
            NewJob(ANALYSE, queue="labels", args={"photo": str(photo.id), "only": [str(one) for one in todo]})
            for photo in photos
            if (todo := _todo(made[photo.id], wanted, older, waiting.get(photo.id, set())))
        ]
        defer_batch(jobs)
    return len(jobs)


def _todo(made: dict[str, str], wanted: list[Analysis], older: bool, waiting: set[str]) -> list[Analysis]:
    """What nobody waits for yet: a photo's own job, or one that waits for a model."""
    if "labels" in waiting:
        return []
    return [one for one in undone(made, wanted, older=older) if queue_for(one) not in waiting]
