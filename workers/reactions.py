"""The pipeline as one table: event → the jobs that follow, deferred in the event's own transaction.

Where an event takes away the cause of a dead job, that job is resolved in the same transaction.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

from core import singlerows
from core.domain import analysis, codec, files, libraries, photos
from core.domain.photos import Step
from core.domain.streams import subject_of
from core.readmodels.failures import Failure
from core.readmodels.libraries import Library
from core.readmodels.photos import Photo, row_of
from core.readmodels.places import place_waiting
from core.readmodels.sidecars import sidecars_in_file
from events.event import Event
from workers import facereactions, forgetting, remaking
from workers.actions import supersede_dead, withdraw_waiting
from workers.jobsettings import upload_priority
from workers.places import call_for_older, call_for_places
from workers.queue import NewJob, defer_batch
from workers.reanalysing import TASK as ANALYSE_LIBRARY
from workers.reanalysing import let_go
from workers.redrive import defer_unless_waiting, redrive_or_defer
from workers.scan import import_job_of, queue_scans
from workers.stacking import may_belong_to_others

# A person who presses Retry, or uploads, waits for the answer: it goes before the machine's own work.
_BY_HAND = 50
_IMPORT_PRIORITY = 10
_DONE, _GONE, _ASIDE = "The work is done by now.", "The file is there no more.", "A person has set it aside."
_IMPORT = ("import_file",)


def _scan_library(event: Event) -> None:
    queue_scans([subject_of(event.stream_id)])


def _folder_online(event: Event) -> None:
    """What could not be read while the disk was away is taken up again."""
    fact = codec.decode(event)
    assert isinstance(fact, libraries.FolderOnline)
    if not fact.back:
        return
    queue_scans([subject_of(event.stream_id)])
    waiting = Photo.objects.filter(folder_id=fact.folder, revision="", missing=False)
    if fact.below:
        waiting = waiting.filter(path__startswith=f"{fact.below}/")
    for photo in waiting.values_list("id", flat=True):
        _render_unless_failed(photo)


def _remake_library(event: Event) -> None:
    args = {"library": str(subject_of(event.stream_id))}
    defer_batch([NewJob(remaking.LIBRARY_TASK, queue="scan", args=args)])


def _uploaded(event: Event) -> None:
    """Who uploads a photo waits for it; a whole folder that is copied in takes its turn."""
    fact = codec.decode(event)
    assert isinstance(fact, files.FileUploaded)
    more = 0 if event.meta.get("source") == "cli" else upload_priority()
    defer_batch([import_job_of(fact.library, fact.folder or fact.library, fact.path, _IMPORT_PRIORITY + more)])


def _imported(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.PhotoImported)
    _resolve_file(fact.file.id, _DONE)
    # Only what was uploaded has a name besides its path.
    more = upload_priority() if fact.name else 0
    defer_batch([_step_job(subject_of(event.stream_id), Step.PREVIEWS, more)])


def _file_found(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.FileAdded | photos.FileBack)
    _resolve_file(fact.file.id, _DONE)
    _render_unless_failed(subject_of(event.stream_id))
    _find_stack(event)


def _file_moved(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.FileMoved)
    _resolve_file(fact.file, _GONE)
    _render_unless_failed(subject_of(event.stream_id))
    _look_beside(event)
    _find_stack(event)


def _look_beside(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.FileMoved)
    folder = fact.to.folder or Photo.objects.values_list("library_id", flat=True).get(
        id=subject_of(event.stream_id)
    )
    args = {"folder": str(folder), "path": fact.to.path}
    defer_batch([NewJob("attach_sidecars", queue="files", args=args, priority=15)])


def _said_by_hand(event: Event) -> None:
    """Where the library wants it, a person's words go into the sidecar."""
    photo = subject_of(event.stream_id)
    library = Photo.objects.values("library_id").filter(id=photo)
    if Library.objects.filter(id__in=library, write_sidecars=True).exists():
        _write_sidecar(event)


def _place_wanted(event: Event) -> None:
    """The position may be another one now. What an import says of it, the import itself sees to."""
    photo = subject_of(event.stream_id)
    if place_waiting(photo):
        call_for_places([photo])


def _words_and_place(event: Event) -> None:
    _said_by_hand(event)
    _place_wanted(event)


def _write_sidecar(event: Event) -> None:
    args = {"photo": str(subject_of(event.stream_id))}
    defer_unless_waiting(NewJob("write_sidecar", queue="files", args=args, priority=40), "photo")


def _file_left(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.FileGone | photos.FileMissing)
    _resolve_file(fact.file, _GONE)
    photo = subject_of(event.stream_id)
    if Photo.objects.filter(id=photo, missing=True).exists():
        supersede_dead(_ALL_STEPS, "photo", [str(photo)], _GONE)
        # What can be made from the original alone comes again with the file.
        withdraw_waiting(("render_previews",), [str(photo)], _GONE)


def _content_replaced(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.ContentReplaced)
    photo = subject_of(event.stream_id)
    library = Photo.objects.values_list("library_id", flat=True).get(id=photo)
    supersede_dead(_ALL_STEPS, "photo", [str(photo)], "The photo has a new version.")
    _resolve_file(fact.file.id, _DONE)
    copies = [import_job_of(library, copy.folder or library, copy.path) for copy in fact.copies]
    defer_batch([_step_job(photo, Step.PREVIEWS), *copies])


def _previews_rendered(event: Event) -> None:
    _resolve_step(event, Step.PREVIEWS, _DONE)
    photo = subject_of(event.stream_id)
    # Made again by a newer version, the picture shows what it has shown: it need not be looked at again.
    if singlerows.one_value(Photo, photo, "processed_at") is None:
        defer_batch([_step_job(photo, Step.LABELS)])


def _seen(event: Event) -> None:
    _resolve_step(event, Step.LABELS, _DONE)


def _analyses_switched(event: Event) -> None:
    """What is off waits for no model any more; what is on again is made up for."""
    fact = codec.decode(event)
    assert isinstance(fact, analysis.AnalysesSwitched)
    let_go(subject_of(event.stream_id), fact.off)
    _analyse_library(event, older=False)
    call_for_places()


def _analysis_asked(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, analysis.AnalysisAsked)
    _analyse_library(event, older=fact.older)
    if fact.older:
        call_for_older(subject_of(event.stream_id))
    else:
        call_for_places()


def _analyse_library(event: Event, *, older: bool) -> None:
    args = {"library": str(subject_of(event.stream_id)), "older": older}
    defer_batch([NewJob(ANALYSE_LIBRARY, queue="scan", args=args)])


def _find_stack(event: Event) -> None:
    """Most photos have no namesake beside them; for those that have, the rules are looked at after the commit."""
    photo = row_of(event, "library_id", "facts")
    if may_belong_to_others(photo):
        defer_batch([NewJob("find_stack", queue="files", args={"photo": str(photo.id)}, priority=5)])


def _retry_step(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.StepRetried)
    redrive_or_defer(_step_job(subject_of(event.stream_id), fact.step, _BY_HAND), "photo")


def _step_set_aside(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.StepSetAside)
    _resolve_step(event, fact.step, _ASIDE)


def _retry_import(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, files.FileRetried)
    redrive_or_defer(import_job_of(fact.library, fact.folder or fact.library, fact.path, _BY_HAND), "file")


def _file_skipped(event: Event) -> None:
    _resolve_file(subject_of(event.stream_id), _DONE)


def _file_vanished(event: Event) -> None:
    file = subject_of(event.stream_id)
    _resolve_file(file, _GONE)
    if sidecars_in_file(file):
        defer_batch([NewJob("forget_sidecar", queue="files", args={"file": str(file)}, priority=15)])


def _file_set_aside(event: Event) -> None:
    _resolve_file(subject_of(event.stream_id), _ASIDE)


_TASKS = {Step.PREVIEWS: ("render_previews", "previews", 20), Step.LABELS: ("analyse_photo", "labels", 0)}
# Jobs queued under a task's former name may still be there.
_FORMER = {Step.LABELS: ["detect_objects"]}
_ALL_STEPS: Sequence[str] = [task for task, _, _ in _TASKS.values()] + [
    name for old in _FORMER.values() for name in old
]


def _step_job(photo: UUID, step: Step, more: int = 0) -> NewJob:
    task, queue, priority = _TASKS[step]
    return NewJob(task, queue=queue, args={"photo": str(photo)}, priority=priority + more)


def _render_unless_failed(photo: UUID) -> None:
    """A photo without previews has them made, unless that is under way, or has failed for want of nothing here."""
    if not Photo.objects.filter(id=photo, revision="", missing=False).exists():
        return
    if not Failure.objects.filter(photo_id=photo, step=Step.PREVIEWS).exists():
        redrive_or_defer(_step_job(photo, Step.PREVIEWS), "photo")


def _resolve_file(file: UUID, reason: str) -> None:
    supersede_dead(_IMPORT, "file", [str(file)], reason)


def _resolve_step(event: Event, step: Step, reason: str) -> None:
    supersede_dead([_TASKS[step][0], *_FORMER.get(step, [])], "photo", [str(subject_of(event.stream_id))], reason)


HANDLERS: dict[str, Callable[[Event], None]] = {
    "library.added": _scan_library,
    "library.restored": _scan_library,
    "library.folder_added": _scan_library,
    "library.folder_online": _folder_online,
    "library.ignore_rules_changed": _scan_library,
    "library.rescan_asked": _scan_library,
    "library.remake_asked": _remake_library,
    "library.analyses_switched": _analyses_switched,
    "library.analysis_asked": _analysis_asked,
    "photo.imported": _imported,
    "photo.file_added": _file_found,
    "photo.file_back": _file_found,
    "photo.file_moved": _file_moved,
    "photo.file_gone": _file_left,
    "photo.file_missing": _file_left,
    "photo.content_replaced": _content_replaced,
    "photo.rated": _said_by_hand,
    "photo.titled": _said_by_hand,
    "photo.captioned": _said_by_hand,
    "photo.keywords_changed": _said_by_hand,
    "photo.placed": _words_and_place,
    "photo.dated": _said_by_hand,
    "photo.change_undone": _words_and_place,
    "photo.sidecar_read": _place_wanted,
    "photo.sidecar_gone": _place_wanted,
    "photo.sidecar_asked": _write_sidecar,
    "photo.metadata_read": _find_stack,
    "photo.previews_rendered": _previews_rendered,
    # Faces have handlers of their own, below; a look that found them ends with one of these.
    **dict.fromkeys(
        ("photo.labels_found", "photo.scenes_found", "photo.vector_made", "photo.meaning_made", "photo.analysed"),
        _seen,
    ),
    "photo.step_retried": _retry_step,
    "photo.step_set_aside": _step_set_aside,
    **facereactions.HANDLERS,
    **forgetting.HANDLERS,
    "file.uploaded": _uploaded,
    "file.skipped": _file_skipped,
    "file.retried": _retry_import,
    "file.set_aside": _file_set_aside,
    "file.vanished": _file_vanished,
}
