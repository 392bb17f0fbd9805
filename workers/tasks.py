"""One thin task per step: run the pipeline, hand its result to a command.

A task swallows no failure: it is the queue's to record, retry and show. When a job dies for good,
`workers.deaths` says so in the photo's own history. What decodes, reads files or counts with numpy is loaded by
the task that needs it: every program knows the tasks, few run one.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from procrastinate.contrib.django import app
from procrastinate.job_context import JobContext

from core.commands.accounts import forget_old_sessions
from core.commands.looks import record_looks
from core.readmodels.libraries import all_libraries, folder_by_id, library_by_id
from core.readmodels.photos import Photo, photo_by_id
from core.storage import preview_path
from workers import (
    analyses,
    forgetting,
    looking,
    meaning,
    oldpreviews,
    places,
    purge,
    reanalysing,
    rebuilding,
    remaking,
    rendering,
    schedules,
    stacking,
    uploads,
)
from workers.children import run_in_child
from workers.operations import run_slice
from workers.retries import RetryPolicy
from workers.scan import queue_scans, scan_folders

if TYPE_CHECKING:
    from workers.pipelines.looks import Looks

_LOOKS = "worker:looks"


@app.task(name="scan_library", queue="scan", priority=5, retry=RetryPolicy())
def scan_library(library: str) -> dict[str, Any]:
    """Queue what is new or changed in a library, and record what is gone or back."""
    return scan_folders(library_by_id(UUID(library)))


@app.task(name=uploads.SWEEP, queue="scan", retry=RetryPolicy())
def sweep_uploads() -> int:
    """Throw away uploads that nobody went on with, and come again when the next one expires."""
    return uploads.sweep()


@app.task(name="import_file", queue="files", priority=10, retry=RetryPolicy())
def import_file(library: str, path: str, file: str, folder: str = "") -> str:  # noqa: ARG001  # `file` is for the console
    """Read a file once; it becomes a photo, a new version or one more copy of a photo, or a skipped file."""
    from workers.imports import import_found

    return import_found(folder_by_id(UUID(folder or library)), path)


@app.task(name="attach_sidecars", queue="files", priority=15, retry=RetryPolicy())
def attach_sidecars(folder: str, path: str) -> int:
    """Have the sidecars read that lie beside a picture at its new place."""
    from workers import sidecars

    return sidecars.call_for(folder_by_id(UUID(folder)), path)


@app.task(name="forget_sidecar", queue="files", priority=15, retry=RetryPolicy())
def forget_sidecar(file: str) -> None:
    """What a sidecar said counts no longer: it is gone."""
    from workers import sidecars

    sidecars.forget(UUID(file))


@app.task(name="write_sidecar", queue="files", priority=40, retry=RetryPolicy())
def write_sidecar(photo: str) -> str:
    """Write what is known of a photo into the XMP sidecar beside its original."""
    from workers import sidecarwriting

    return sidecarwriting.write_sidecar(photo_by_id(UUID(photo)))


@app.task(name="render_previews", queue="previews", priority=20, retry=RetryPolicy())
def render_previews(photo: str) -> str:
    """Decode the original once, in a child process, and put tile and large preview in their place."""
    return rendering.render(photo_by_id(UUID(photo)))


@app.task(name=remaking.LIBRARY_TASK, queue="scan", retry=RetryPolicy())
def remake_library(library: str) -> int:
    """Queue what an earlier version made of a library's photos, to be made again."""
    return remaking.queue_older(UUID(library))


@app.task(name=remaking.TASK, queue="previews", priority=-50, retry=RetryPolicy())
def remake_photo(photo: str) -> str:
    """Make again what an earlier version made of a photo, and nothing else."""
    known = photo_by_id(UUID(photo))
    done = [remaking.read_older_facts(known)]
    if remaking.wants_previews(known.id, known.revision):
        done.append(rendering.render(known))
    return ", ".join(filter(None, done))


@app.task(name="find_looks", queue="previews", priority=0, retry=RetryPolicy())
def find_looks(photo: str) -> str:
    """Look at a photo again, on its tile, never again on the original: colours and styles by today's rules."""
    known = photo_by_id(UUID(photo))
    if not known.revision or not known.width or not known.height:
        return "there is no preview yet; its looks come with it"
    seen = rendering.with_previews(known, _measured)
    found = looking.looks_found(known, known.sha256, seen, (known.width, known.height))
    record_looks(known.id, found, actor=_LOOKS)
    return f"{len(found.colours or ())} colours, {len(found.styles or ())} styles"


def _measured(photo: Photo) -> "Looks":
    from workers.pipelines import looks

    tile = preview_path(photo.id, photo.revision, "tile")
    seen: Looks = run_in_child(
        "decode", looks.looks_in_file, tile, seconds=rendering.DECODE_SECONDS, memory_mib=settings.CHILD_MEMORY_MIB
    )
    return seen


@app.task(name=places.TASK, queue="files", priority=3, retry=RetryPolicy())
def find_places(photo: str = "", library: str = "") -> int:
    """Find out what the position of a photo means, or of all that wait; in a library also anew."""
    if library:
        return places.find_places() + places.find_older(UUID(library))
    return places.find_places([UUID(photo)] if photo else None)


@app.task(name="find_stack", queue="files", priority=5, retry=RetryPolicy())
def find_stack(photo: str) -> int:
    """Show a photo as one with those that it belongs with."""
    return stacking.find_stack(UUID(photo))


@app.task(name=analyses.TASK, queue="labels", priority=0, retry=RetryPolicy())
def analyse_photo(photo: str, only: list[str] | None = None) -> str:
    """See what is in a photo, on its previews, never again on the original."""
    from workers import analysing

    return analysing.analyse(UUID(photo), only or ())


@app.task(name=meaning.TASK, queue=meaning.QUEUE, priority=100, retry=RetryPolicy())
def describe_text(text: str) -> str:
    """Make the numbers of what somebody looks for."""
    return meaning.describe(UUID(text))


@app.task(name=analyses.FORMER_TASK, queue="labels", priority=0, retry=RetryPolicy())
def detect_objects(photo: str) -> str:
    """What `analyse_photo` was called when things were all that was looked for; such jobs may still be queued."""
    from workers import analysing

    return analysing.analyse(UUID(photo))


@app.task(name=reanalysing.TASK, queue="scan", priority=0, retry=RetryPolicy())
def analyse_library(library: str, older: bool = False) -> int:
    """Queue the photos of a library that something wanted is not known of, or was seen by an older model."""
    looked = looking.queue_again(UUID(library), older=older)
    return looked + reanalysing.analyse_library(UUID(library), older=older)


@app.task(name="group_faces", queue="people", retry=RetryPolicy())
def group_faces(photo: str) -> int:
    """Find out who the faces of a photo are."""
    from workers import grouping

    return grouping.group_photo(UUID(photo))


@app.task(name="settle_people", queue="people", priority=50, retry=RetryPolicy())
def settle_people(people: list[str], faces: list[str]) -> int:
    """After what a person said: whom these people look like now, and who the faces may be."""
    from workers import grouping

    return grouping.settle_people(map(UUID, people), map(UUID, faces))


@app.task(name="regroup_people", queue="people", priority=50, retry=RetryPolicy())
def regroup_people(owner: str) -> int:
    """Group all faces of an owner anew; what people said of them stays."""
    from workers import regrouping

    return regrouping.regroup_all(UUID(owner))


@app.task(name=rebuilding.TASK, queue=rebuilding.QUEUE, retry=RetryPolicy())
def rebuild_read_models() -> str:
    """Fill read models anew that an older version of their code has filled."""
    return rebuilding.rebuild()


@app.task(name="run_operation", queue="operations", retry=RetryPolicy())
def run_operation(operation: int) -> None:
    """Go on with an act on many jobs."""
    run_slice(operation)


@app.task(name=schedules.FIRE, queue="operations", retry=RetryPolicy(), pass_context=True)
def fire_schedule(context: JobContext, schedule: str) -> None:
    """The time of something periodic has come."""
    assert context.job.id is not None
    schedules.fire(schedule, context.job.id)


@app.task(name=purge.TASK, queue="operations", retry=RetryPolicy())
def purge_jobs(after: int = 0) -> int:
    """Clear away jobs that ended long ago; how many went in this slice."""
    return purge.purge(after).jobs


@app.task(name=oldpreviews.TASK, queue="operations", retry=RetryPolicy())
def clear_previews(after: str = "") -> int:
    """Clear away the files of previews that newer ones have replaced; how many went in this slice."""
    return oldpreviews.clear(after)


@app.task(name=forgetting.TASK, queue=forgetting.QUEUE, retry=RetryPolicy(), pass_context=True)
def clear_forgotten(
    context: JobContext,
    photo: str,
    library: str = "",
    places: Sequence[Sequence[str]] = (),
    names: Sequence[str] = (),
    first: int = 0,
) -> bool:
    """Remove the files of a forgotten photo, its jobs and what they say; whether there was anything.

    A run that was killed at its very end has no arguments left, and nothing to do.
    """
    assert context.job.id is not None
    left = forgetting.Left(photo, library, places, names, first)
    return bool(library) and forgetting.clear(left, context.job.id)


@app.task(name=forgetting.PORTRAITS, queue=forgetting.QUEUE, retry=RetryPolicy())
def clear_portraits(faces: dict[str, str]) -> int:
    """Remove the pictures of the faces of somebody who was forgotten; how many there were."""
    return forgetting.clear_portraits(faces)


@app.task(name="clear_sessions", queue="operations", retry=RetryPolicy())
def clear_sessions() -> int:
    """Forget the sign-ins that have run out; how many."""
    return forget_old_sessions()


@app.task(name="rescan_libraries", queue="scan", retry=RetryPolicy())
def rescan_libraries() -> None:
    """Have every library looked through: no system tells of every change."""
    queue_scans([library.id for library in all_libraries()])
