"""The pipeline as one table: event → the jobs that follow, deferred in the event's own transaction."""

from collections.abc import Callable

from core.domain import codec, files, photos
from core.domain.photos import Step
from core.domain.streams import subject_of
from events.event import Event
from workers.queue import NewJob, defer_batch
from workers.redrive import redrive_or_defer
from workers.scan import import_job, scan_job

# A person who presses Retry waits for the answer: it goes before the machine's own work.
_BY_HAND = 50


def _scan_library(event: Event) -> None:
    defer_batch([scan_job(str(subject_of(event.stream_id)))])


def _render_previews(event: Event) -> None:
    defer_batch([_step_job(event, Step.PREVIEWS)])


def _detect_objects(event: Event) -> None:
    defer_batch([_step_job(event, Step.LABELS)])


def _retry_step(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.StepRetried)
    redrive_or_defer(_step_job(event, fact.step, _BY_HAND), "photo")


def _retry_import(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, files.FileRetried)
    redrive_or_defer(import_job(fact.library, fact.path, _BY_HAND), "file")


_TASKS = {Step.PREVIEWS: ("render_previews", "previews", 20), Step.LABELS: ("detect_objects", "labels", 0)}


def _step_job(event: Event, step: Step, more: int = 0) -> NewJob:
    task, queue, priority = _TASKS[step]
    photo = str(subject_of(event.stream_id))
    return NewJob(task, queue=queue, args={"photo": photo}, priority=priority + more)


HANDLERS: dict[str, Callable[[Event], None]] = {
    "library.added": _scan_library,
    "photo.imported": _render_previews,
    "photo.previews_rendered": _detect_objects,
    "photo.step_retried": _retry_step,
    "file.retried": _retry_import,
}
