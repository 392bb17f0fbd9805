"""What may be decided about a photo, and what everybody needs to speak of one."""

from collections.abc import Iterable, Iterator
from uuid import UUID, uuid5

from core.domain import analysis, sidecars
from core.domain.analysis import Analysis
from core.domain.facts import Fact
from core.domain.photoevents import (
    ContentReplaced,
    FileAdded,
    FileBack,
    FileGone,
    FileMissing,
    FileMoved,
    Label,
    LabelsFound,
    MetadataRead,
    OriginalFile,
    PhotoEvent,
    PhotoImported,
    PhotoProcessed,
    PreviewsRendered,
    Rendition,
    Step,
    StepFailed,
    StepRetried,
    StepSetAside,
    TakenOut,
)
from core.domain.photostate import Photo, evolve, fold

__all__ = [
    "ContentReplaced",
    "Fact",
    "FileAdded",
    "FileBack",
    "FileGone",
    "FileMissing",
    "FileMoved",
    "Label",
    "LabelsFound",
    "MetadataRead",
    "OriginalFile",
    "Photo",
    "PhotoEvent",
    "PhotoImported",
    "PhotoProcessed",
    "PreviewsRendered",
    "Rendition",
    "Step",
    "StepFailed",
    "StepRetried",
    "StepSetAside",
    "TakenOut",
    "evolve",
    "fold",
]


class PhotoNotFound(LookupError):
    """There is no such photo, or not for this account."""


class NothingToRetry(ValueError):
    """The step has not failed."""


class OtherContent(ValueError):
    """The photo holds another content than the one that was found."""


class NotMissing(ValueError):
    """An original of this photo is there, so it is not for taking out as a missing one."""


def photo_id(library: UUID, sha256: str, attempt: int = 0) -> UUID:
    """A new photo's id, from the content that it begins with: importing twice is harmless.

    `attempt` counts up when a photo that began with this content was edited since, and so holds another one.
    """
    return uuid5(library, f"{sha256}:{attempt}" if attempt else sha256)


def result_id(photo: UUID, step: str, step_version: int, edition: int = 0) -> UUID:
    """The id of a step's result event, so that a job that runs twice leaves one per version of the photo."""
    return uuid5(photo, f"{step}:{step_version}:{edition}" if edition else f"{step}:{step_version}")


def failure_id(photo: UUID, step: str, job: int | None, run: int) -> UUID:
    """The id of a failure event: one for each time that a job died."""
    return uuid5(photo, f"{step}:failed:{job}:{run}")


def decide_import(
    photo: Photo,
    found: PhotoImported,
    read: MetadataRead,
    gone: frozenset[UUID] = frozenset(),
    *,
    listed: bool = True,
) -> list[PhotoEvent]:
    """What finding this content in this file means: a new photo, one more copy, a moved file, or nothing new.

    `gone` names files of the photo that are not where they were, known to be missing or not. Not `listed`
    is a file that is another photo's by now, or nobody's, though this one never let it go: it is said again.
    Raises OtherContent.
    """
    file = found.file
    if photo.forgotten:
        raise OtherContent(found.sha256)
    if not photo.exists:
        return [found, read]
    if photo.sha256 != found.sha256:
        raise OtherContent(found.sha256)
    if photo.files.get(file.id) == file:
        return [FileBack(file)] if file.id in photo.missing or photo.taken_out or not listed else []
    moved = next((key for key in photo.files if key in gone), None)
    if file.id not in photo.files and moved is not None:
        return [FileMoved(moved, file)]
    return [FileAdded(file)]


def decide_replaced(photo: Photo, found: PhotoImported, read: MetadataRead) -> list[PhotoEvent]:
    """What new content in one of the photo's files means.

    The photo goes along with the file that it is known by. Another copy that changes goes its own way.
    """
    file = found.file
    if file.id not in photo.files or photo.sha256 == found.sha256:
        return []
    known_by = next((one.id for one in photo.there), file.id)
    if file.id not in (known_by, *photo.missing):
        return [FileGone(file.id, "replaced")]
    copies = tuple(one for key, one in photo.files.items() if key != file.id)
    content = (found.sha256, found.kind, found.media, found.mime, found.mismatch)
    return [ContentReplaced(file, *content, previous=photo.sha256, copies=copies), read]


def files_named(facts: Iterable[object]) -> Iterator[tuple[UUID, UUID | None, str]]:
    """Every file that a photo's events name, its sidecars too: id, folder where that is said, path."""
    for fact in facts:
        match fact:
            case (
                PhotoImported(file=file)
                | FileAdded(file=file)
                | FileMoved(to=file)
                | FileBack(file=file)
                | ContentReplaced(file=file)
            ):
                yield file.id, file.folder, file.path
            case (
                sidecars.SidecarRead(file=identity, path=path) | sidecars.SidecarWritten(file=identity, path=path)
            ):
                yield identity, None, path


def decide_moved(photo: Photo, old: UUID, to: OriginalFile) -> list[PhotoEvent]:
    """A file was renamed or moved."""
    return [FileMoved(old, to)] if old in photo.files else []


def decide_taken_out(photo: Photo, reason: str) -> list[PhotoEvent]:
    """Take a photo out whose originals are all missing. Raises NotMissing."""
    if photo.there:
        raise NotMissing("An original of this photo is there")
    return [] if photo.taken_out else [TakenOut(reason)]


def decide_result(photo: Photo, step: Step, result: PreviewsRendered) -> list[PhotoEvent]:
    """A step's result counts once per step version; a late second one is no news."""
    return [] if photo.done.get(step) == result.step_version else [result]


Seen = LabelsFound | analysis.Found


def decide_seen(photo: Photo, result: Seen | analysis.PhotoAnalysed) -> list[Seen | analysis.PhotoAnalysed]:
    """What an analysis found counts once for each content and model."""
    match result:
        case LabelsFound(step_version=version, model=model, model_version=model_version):
            by = photo.analysed.made.get(Analysis.OBJECTS)
            known = by == analysis.maker(model, model_version) and photo.done.get(Step.LABELS) == version
            return [] if known else [result]
        case analysis.PhotoAnalysed():
            return [] if Step.LABELS in photo.done else [result]
        case _:
            return [*analysis.decide_found(photo.analysed, result)]


def seen_id(identity: UUID, photo: Photo, event: Seen | analysis.PhotoAnalysed) -> UUID:
    """The id of what an analysis found: one for each content and model, whoever records it."""
    match event:
        case LabelsFound(step_version=version, model=model, model_version=model_version):
            by = analysis.maker(model, model_version)
            return result_id(identity, f"{Step.LABELS}:{by}", version, photo.edition)
        case analysis.PhotoAnalysed(content=content):
            return uuid5(identity, f"analysed:{content}")
        case _:
            return analysis.found_id(identity, photo.analysed, event)


def decide_processed(photo: Photo) -> list[PhotoEvent]:
    """The follow-up of the last step to end."""
    if photo.processed or set(photo.done) != set(Step):
        return []
    return [PhotoProcessed(tuple(Step))]


def decide_retry(photo: Photo, step: Step) -> list[PhotoEvent]:
    """Raises NothingToRetry unless the step has failed."""
    if step not in photo.failed:
        raise NothingToRetry(f"{step} has not failed")
    return [StepRetried(step)]


def decide_set_aside(photo: Photo, step: Step) -> list[PhotoEvent]:
    """Raises NothingToRetry unless the step has failed."""
    if step not in photo.failed:
        raise NothingToRetry(f"{step} has not failed")
    return [StepSetAside(step)]
