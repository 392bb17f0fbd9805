"""One thin task per step: run the pipeline, hand its result to a command.

A task swallows no failure: it is the queue's to record, retry and show. When a job dies for good,
`workers.deaths` says so in the photo's own history.
"""

from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from procrastinate.contrib.django import app

from core.commands import photos as photo_commands
from core.domain import photos
from core.readmodels.libraries import library_by_id
from core.readmodels.photos import Photo
from core.storage import original_path, preview_path, put_in_place, text_to_path, working_folder
from workers import modelfiles
from workers.children import run_in_child
from workers.errors import TransientError
from workers.imports import import_found
from workers.pipelines import labels, previews
from workers.retries import RetryPolicy
from workers.scan import scan

_DECODE_SECONDS = 60
_LABELS_SECONDS = 60
_LABELS_MEMORY_MIB = 2048


@app.task(name="scan_library", queue="scan", priority=5, retry=RetryPolicy())
def scan_library(library: str) -> dict[str, Any]:
    """Queue what is new or changed in a library."""
    known = library_by_id(UUID(library))
    result = scan(known.id, Path(text_to_path(known.root)))
    return {"files": result.files, "queued": result.queued, "unreadable": list(result.unreadable)}


@app.task(name="import_file", queue="files", priority=10, retry=RetryPolicy())
def import_file(library: str, path: str, file: str) -> str:  # noqa: ARG001  # `file` is for the console
    """Read a file once; it becomes a photo, one more copy of a photo, or a skipped file."""
    return import_found(library_by_id(UUID(library)), path)


@app.task(name="render_previews", queue="previews", priority=20, retry=RetryPolicy())
def render_previews(photo: str) -> None:
    """Decode the original once, in a child process, and put tile and large preview in their place."""
    known = Photo.objects.get(id=UUID(photo))
    original = original_path(library_by_id(known.library_id).root, known.path)
    orientation = known.facts.get("orientation", {}).get("value")
    revision = f"{known.sha256[:12]}-{previews.PREVIEWS_VERSION}"
    with working_folder() as folder:
        made: previews.Previews = run_in_child(
            "decode",
            previews.render_previews,
            original,
            known.kind,
            folder,
            orientation,
            seconds=_DECODE_SECONDS,
            memory_mib=settings.CHILD_MEMORY_MIB,
        )
        put_in_place(folder / made.tile.name, preview_path(known.id, revision, "tile"))
        put_in_place(folder / made.large.name, preview_path(known.id, revision, "large"))
    photo_commands.record_previews(known.id, _rendered(made, revision), actor="worker:previews")


@app.task(name="detect_objects", queue="labels", priority=0, retry=RetryPolicy())
def detect_objects(photo: str) -> None:
    """See what is in a photo, on its large preview, never again on the original."""
    known = Photo.objects.get(id=UUID(photo))
    model = modelfiles.find(modelfiles.OBJECTS)
    if model is None:
        # The worker leaves this queue alone while the model is missing; this is the file gone just now.
        raise TransientError("model-missing", "The model that recognises things is not installed.")
    found = run_in_child(
        "analysis",
        labels.detect_objects,
        preview_path(known.id, known.revision, "large"),
        model,
        seconds=_LABELS_SECONDS,
        memory_mib=_LABELS_MEMORY_MIB,
    )
    photo_commands.record_labels(known.id, _seen(found), actor="worker:labels")


def _rendered(made: previews.Previews, revision: str) -> photos.PreviewsRendered:
    return photos.PreviewsRendered(
        step_version=previews.PREVIEWS_VERSION,
        revision=revision,
        width=made.width,
        height=made.height,
        tile=photos.Rendition(made.tile.width, made.tile.height, made.tile.bytes),
        large=photos.Rendition(made.large.width, made.large.height, made.large.bytes),
        thumbhash=made.thumbhash,
        method=made.method,
        notes=tuple(made.notes),
    )


def _seen(found: list[labels.Label]) -> photos.LabelsFound:
    return photos.LabelsFound(
        step_version=labels.LABELS_VERSION,
        model=modelfiles.OBJECTS,
        model_version=modelfiles.MODELS[modelfiles.OBJECTS].version,
        labels=tuple(photos.Label(one.label, one.score, one.box) for one in found),
    )
