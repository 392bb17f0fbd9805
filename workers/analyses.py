"""Which analyses a photo has had, which it still wants, and the queues in which it waits for their models."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection

from core import meaning
from core.domain.analysis import BY_MODEL, Analysis, maker
from core.readmodels.analysis import PhotoAnalysis
from core.readmodels.photos import Photo
from core.vectors import without_numbers
from workers import modelfiles, presets
from workers.catalog import BY_ANALYSIS
from workers.queue import NewJob, defer_batch

TASK, FORMER_TASK = "analyse_photo", "detect_objects"
# Measured (docs/analysis.md): some 780 MiB with all models loaded, of which TensorFlow itself is 550.
_MEMORY_MIB = 1024
# A preset's weights are in memory twice while they are read; keras-hub with tensorflow-text takes 200 by itself.
_PRESET_TIMES, _PRESET_MIB = 2.5, 384


def queue_for(analysis: Analysis) -> str:
    """The queue in which photos wait for the model of one analysis."""
    return f"labels-{analysis}"


def model_of(analysis: Analysis) -> tuple[str, str]:
    """Name and version of the model that does an analysis now."""
    return modelfiles.identity(BY_ANALYSIS[analysis].name)


def made_by(analysis: Analysis) -> str:
    """The model, with its version, that does an analysis now."""
    return maker(*model_of(analysis))


def wanted(off: Collection[str]) -> list[Analysis]:
    """What a library wants that does without these. What is not installed nobody waits for."""
    return [one for one in BY_MODEL if one not in off and (one is not Analysis.MEANING or not presets.why_not())]


def memory_mib() -> int:
    """Memory that the child may use which analyses: more where it holds a preset as well, of any size."""
    preset = presets.chosen()
    if preset is None or presets.why_not():
        return _MEMORY_MIB
    return _MEMORY_MIB + _PRESET_MIB + int(_PRESET_TIMES * presets.size_of(preset)) // (1 << 20)


def undone(made: dict[str, str], wanted: Sequence[Analysis], *, older: bool) -> list[Analysis]:
    """Of the wanted analyses those that nobody did, and with `older` those that another model did."""
    return [one for one in wanted if one not in made or (older and made[one] != made_by(one))]


def wait_for_models(photo_id: UUID, missing: Sequence[Analysis], *, later: bool = False) -> None:
    """Have a photo wait for each of these models, once.

    `later`: not before a minute is over. Where a file went just now, workers may take its queue for one that can
    be worked on.
    """
    waiting = waiting_in([photo_id]).get(photo_id, set()) if missing else set()
    soon = datetime.now(UTC) + timedelta(minutes=1) if later else None
    defer_batch(
        [
            NewJob(TASK, queue_for(one), {"photo": str(photo_id), "only": [str(one)]}, scheduled_at=soon)
            for one in missing
            if queue_for(one) not in waiting
        ]
    )


def waiting_in(photos: Sequence[UUID]) -> dict[UUID, set[str]]:
    """Photo → the queues in which a job of its analysis waits."""
    waiting: dict[UUID, set[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args ->> 'photo', queue_name FROM procrastinate_jobs"
            " WHERE args ->> 'photo' = ANY(%s) AND task_name = ANY(%s) AND status = 'todo'",
            [[str(one) for one in photos], [TASK, FORMER_TASK]],
        )
        for photo, queue in cursor.fetchall():
            waiting.setdefault(UUID(photo), set()).add(queue)
    return waiting


def made_of(photos: Sequence[Photo]) -> dict[UUID, dict[str, str]]:
    """Photo → analysis → the model that did it. Whose numbers are not kept is not done: pgvector came later."""
    ids = [photo.id for photo in photos]
    known = PhotoAnalysis.objects.in_bulk(ids)
    alone, faceless = without_numbers(ids)
    wordless = meaning.without_numbers(ids)
    found: dict[UUID, dict[str, str]] = {}
    for photo in photos:
        one = known.get(photo.id)
        made = found[photo.id] = {} if one is None else dict(one.made)
        if photo.labels_model:
            made.setdefault(str(Analysis.OBJECTS), photo.labels_model)
        if photo.id in alone:
            made.pop(str(Analysis.SIMILAR), None)
        if photo.id in wordless:
            made.pop(str(Analysis.MEANING), None)
        if photo.id in faceless and one is not None and one.faces:
            made.pop(str(Analysis.FACES), None)
    return found
