"""Looks at a photo with every model that its library wants and that is there, and records what was seen."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

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
)
from core.domain.faces import NAMELESS, Face
from core.readmodels.libraries import library_by_id
from core.readmodels.photos import Photo
from core.storage import preview_path
from workers import modelfiles
from workers.alike import find_alike
from workers.analyses import made_of, memory_mib, model_of, undone, wait_for_models, wanted
from workers.catalog import BY_ANALYSIS
from workers.children import run_in_child
from workers.errors import JobError, ResourceError, TransientError
from workers.pipelines import analysis as pipeline
from workers.rendering import with_previews

_SECONDS = 90

Models = dict[Analysis, dict[str, Path]]


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


def _look(photo: Photo, models: Models) -> tuple[pipeline.Seen, list[JobError]]:
    """What was seen, and what broke down. Where the whole child did, each analysis is done by itself."""
    return with_previews(photo, lambda known: _look_at_previews(known, models))


def _look_at_previews(photo: Photo, models: Models) -> tuple[pipeline.Seen, list[JobError]]:
    try:
        seen = _in_child(photo, models, _persons_in(photo))
    except ResourceError:
        if len(models) == 1:
            raise
        return _one_by_one(photo, models)
    return seen, _errors(seen)


def _one_by_one(photo: Photo, models: Models) -> tuple[pipeline.Seen, list[JobError]]:
    parts: dict[str, object] = {}
    persons = _persons_in(photo)
    errors: list[JobError] = []
    for one, files in models.items():
        try:
            seen = _in_child(photo, {one: files}, persons)
            parts[one] = getattr(seen, one)
            if isinstance(seen.objects, list):
                persons = sum(label.label == pipeline.PERSON for label in seen.objects)
            errors += _errors(seen)
        except ResourceError as error:
            errors.append(error)
    return pipeline.Seen(**parts), errors  # type: ignore[arg-type]  # each under the name that it has there


def _persons_in(photo: Photo) -> int | None:
    """How many people are known to be in it; None where nobody has looked for objects."""
    return None if photo.labels is None else sum(label["label"] == pipeline.PERSON for label in photo.labels)


def _in_child(photo: Photo, models: Models, persons: int | None) -> pipeline.Seen:
    previews = pipeline.Previews(*(preview_path(photo.id, photo.revision, name) for name in ("tile", "large")))
    wanted = {str(one): files for one, files in models.items()}
    limits = {"seconds": _SECONDS, "memory_mib": memory_mib()}
    return run_in_child("analysis", pipeline.look_at, previews, wanted, persons, **limits)


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
        results.append(ScenesFound(photo.sha256, *model_of(Analysis.SCENES), shown))
    if isinstance(seen.faces, list):
        faces = tuple(_face(one, photo.width or 0) for one in seen.faces)
        results.append(FacesFound(photo.sha256, *model_of(Analysis.FACES), faces))
        numbers = Numbers(faces=[one.vector for one in seen.faces])
    if isinstance(seen.similar, list):
        results.append(VectorMade(photo.sha256, *model_of(Analysis.SIMILAR)))
        numbers = replace(numbers, photo=seen.similar)
    if isinstance(seen.meaning, list):
        results.append(MeaningMade(photo.sha256, *model_of(Analysis.MEANING)))
        numbers = replace(numbers, meaning=seen.meaning)
    # Last: with it the photo is complete.
    if isinstance(seen.objects, list):
        labels = tuple(photos.Label(one.label, one.score, one.box) for one in seen.objects)
        results.append(photos.LabelsFound(pipeline.LABELS_VERSION, *model_of(Analysis.OBJECTS), labels))
    elif not any(isinstance(getattr(seen, one), pipeline.Trouble) for one in BY_MODEL):
        done = tuple(one for one in BY_MODEL if isinstance(getattr(seen, one), list))
        results.append(PhotoAnalysed(photo.sha256, done, tuple(off), tuple(missing)))
    record_seen(photo.id, results, numbers, content=photo.sha256, actor="worker:analysis")
    if numbers.photo is not None:
        # After the commit: of two photos whose numbers come at the same time, one of the two sees both.
        find_alike(photo.id)


def _face(found: pipeline.Face, width: int) -> Face:
    left, _, right, _ = found.box
    size = round((right - left) * width, 1)
    return Face(NAMELESS, found.box, found.points, found.score, size, found.sharp, found.pose)


def _in_words(done: Models, off: Sequence[Analysis], missing: Sequence[Analysis]) -> str:
    parts = ((done, "done"), (off, "skipped: switched off"), (missing, "model missing"))
    return "; ".join(f"{', '.join(names)} {words}" for names, words in parts if names) or "nothing was to be done"
