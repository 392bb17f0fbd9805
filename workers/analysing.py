"""Looks at a photo with every model that its library wants and that is there, and records what was seen."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.db import connection

from core import meaning
from core.commands.analysis import Numbers, record_seen
from core.domain import photos
from core.domain.analysis import (
    BY_MODEL,
    Analysis,
    FacesFound,
    MeaningMade,
    PhotoAnalysed,
    Scene,
    ScenesFound,
    VectorMade,
    maker,
)
from core.domain.faces import NAMELESS, Face
from core.readmodels.analysis import PhotoAnalysis
from core.readmodels.libraries import library_by_id
from core.readmodels.photos import Photo
from core.storage import preview_path
from core.vectors import without_numbers
from workers import modelfiles, presets
from workers.alike import find_alike
from workers.catalog import BY_ANALYSIS
from workers.children import run_in_child
from workers.errors import JobError, ResourceError, TransientError
from workers.pipelines import analysis as pipeline
from workers.queue import NewJob, defer_batch

TASK, FORMER_TASK = "analyse_photo", "detect_objects"
_SECONDS = 90
# Measured (docs/analysis.md): some 780 MiB with all models loaded, of which TensorFlow itself is 550.
_MEMORY_MIB = 1024
# A preset's weights are in memory twice while they are read; keras-hub with tensorflow-text takes 200 by itself.
_PRESET_TIMES, _PRESET_MIB = 2.5, 384

Models = dict[Analysis, dict[str, Path]]


def queue_for(analysis: Analysis) -> str:
    """The queue in which photos wait for the model of one analysis."""
    return f"labels-{analysis}"


def analyse(photo_id: UUID, only: Sequence[str] = ()) -> str:
    """Do what is still to be done for a photo, or `only` these analyses of it; says what came of it.

    What has no model waits for it in a queue of its own. What breaks down is raised after the rest was recorded.
    """
    photo = Photo.objects.get(id=photo_id)
    if not photo.revision:
        return "there is no preview yet"
    off = [one for one in BY_MODEL if one in library_by_id(photo.library_id).analyses_off]
    made = made_of([photo])[photo_id]
    todo = [one for one in undone(made, wanted(off), older=True) if not only or one in only]
    found = {one: modelfiles.find(BY_ANALYSIS[one].name) for one in todo}
    models: Models = {one: paths for one, paths in found.items() if paths}
    missing = [one for one in todo if one not in models]
    seen, errors = _look(photo, models) if models else (pipeline.Seen(), [])
    _record(photo, seen, off, missing)
    wait_for_models(photo_id, missing, later=list(missing) == list(only))
    if errors:
        raise errors[0]
    return _in_words(models, off, missing)


def made_by(analysis: Analysis) -> str:
    """The model, with its version, that does an analysis now."""
    return maker(*_model(analysis))


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


def _look(photo: Photo, models: Models) -> tuple[pipeline.Seen, list[JobError]]:
    """What was seen, and what broke down. Where the whole child did, each analysis is done by itself."""
    try:
        seen = _in_child(photo, models)
    except ResourceError:
        if len(models) == 1:
            raise
        return _one_by_one(photo, models)
    return seen, _errors(seen)


def _one_by_one(photo: Photo, models: Models) -> tuple[pipeline.Seen, list[JobError]]:
    parts: dict[str, object] = {}
    errors: list[JobError] = []
    for one, files in models.items():
        try:
            seen = _in_child(photo, {one: files})
            parts[one] = getattr(seen, one)
            errors += _errors(seen)
        except ResourceError as error:
            errors.append(error)
    return pipeline.Seen(**parts), errors  # type: ignore[arg-type]  # each under the name that it has there


def _in_child(photo: Photo, models: Models) -> pipeline.Seen:
    previews = pipeline.Previews(*(preview_path(photo.id, photo.revision, name) for name in ("tile", "large")))
    wanted = {str(one): files for one, files in models.items()}
    return run_in_child("analysis", pipeline.look_at, previews, wanted, seconds=_SECONDS, memory_mib=memory_mib())


def _errors(seen: pipeline.Seen) -> list[JobError]:
    errors: list[JobError] = []
    for one in BY_MODEL:
        trouble = getattr(seen, one)
        if isinstance(trouble, pipeline.Trouble):
            said = f"The model for {one} could not be used ({trouble.kind}: {trouble.message[:300]})."
            error = TransientError("analysis-failed", said)
            error.add_note(trouble.traceback)
            errors.append(error)
    return errors


def _record(photo: Photo, seen: pipeline.Seen, off: Sequence[Analysis], missing: Sequence[Analysis]) -> None:
    results: list[photos.Seen | PhotoAnalysed] = []
    numbers = Numbers()
    if isinstance(seen.scenes, list):
        shown = tuple(Scene(one.label, one.score, one.kinds) for one in seen.scenes)
        results.append(ScenesFound(photo.sha256, *_model(Analysis.SCENES), shown))
    if isinstance(seen.faces, list):
        faces = tuple(_face(one, photo.width or 0) for one in seen.faces)
        results.append(FacesFound(photo.sha256, *_model(Analysis.FACES), faces))
        numbers = Numbers(faces=[one.vector for one in seen.faces])
    if isinstance(seen.similar, list):
        results.append(VectorMade(photo.sha256, *_model(Analysis.SIMILAR)))
        numbers = replace(numbers, photo=seen.similar)
    if isinstance(seen.meaning, list):
        results.append(MeaningMade(photo.sha256, *_model(Analysis.MEANING)))
        numbers = replace(numbers, meaning=seen.meaning)
    # Last: with it the photo is complete.
    if isinstance(seen.objects, list):
        labels = tuple(photos.Label(one.label, one.score, one.box) for one in seen.objects)
        results.append(photos.LabelsFound(pipeline.LABELS_VERSION, *_model(Analysis.OBJECTS), labels))
    elif not any(isinstance(getattr(seen, one), pipeline.Trouble) for one in BY_MODEL):
        done = tuple(one for one in BY_MODEL if isinstance(getattr(seen, one), list))
        results.append(PhotoAnalysed(photo.sha256, done, tuple(off), tuple(missing)))
    record_seen(photo.id, results, numbers, content=photo.sha256, actor="worker:analysis")
    if numbers.photo is not None:
        # After the commit: of two photos whose numbers come at the same time, one of the two sees both.
        find_alike(photo.id)


def _model(analysis: Analysis) -> tuple[str, str]:
    return modelfiles.identity(BY_ANALYSIS[analysis].name)


def _face(found: pipeline.Face, width: int) -> Face:
    left, _, right, _ = found.box
    size = round((right - left) * width, 1)
    return Face(NAMELESS, found.box, found.points, found.score, size, found.sharp, found.pose)


def _in_words(done: Models, off: Sequence[Analysis], missing: Sequence[Analysis]) -> str:
    parts = ((done, "done"), (off, "skipped: switched off"), (missing, "model missing"))
    return "; ".join(f"{', '.join(names)} {words}" for names, words in parts if names) or "nothing was to be done"
