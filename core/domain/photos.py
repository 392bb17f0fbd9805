"""What can happen to a photo, and what may be decided about it."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid5

from core.domain import analysis
from core.domain.analysis import AboutAnalysis, Analysed, Analysis, AnalysisEvent
from core.domain.duplicates import AboutDuplicates, DuplicateEvent
from core.domain.edits import AboutFacts, EditEvent
from core.domain.facts import Fact as Fact
from core.domain.looks import AboutLooks, LooksEvent
from core.domain.personal import Personal
from core.domain.places import PlaceFound
from core.domain.sidecars import SidecarEvent
from core.domain.stacks import AboutStack, StackEvent


class Step(enum.StrEnum):
    """A piece of the machine's work on one photo."""

    PREVIEWS = "previews"  # tile, large preview and placeholder from the original
    LABELS = "labels"  # whatever needs a model: things, scenes, faces, likeness, from the large preview


@dataclass(frozen=True, slots=True)
class OriginalFile:
    """One file that holds a photo's content. `path` is inside its folder, as text (`core.storage`).

    `folder` is one of the library's; None means its first.
    """

    id: UUID
    path: Personal[str]
    size: int
    mtime_ns: int
    folder: UUID | None = None


@dataclass(frozen=True, slots=True)
class Rendition:
    """One made picture file: pixels wide and high, and its bytes."""

    width: int
    height: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Label:
    """A thing seen in a photo: score 0..1, box x0, y0, x1, y1 as fractions of the upright picture."""

    label: Personal[str]
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class PhotoImported:
    """New content was found: a photo begins.

    `name` is what its owner calls it, where that is not the last part of the path: an upload lies under its hash.
    """

    library: UUID
    file: OriginalFile
    sha256: str
    kind: str
    media: str
    mime: str
    mismatch: str = ""
    name: Personal[str] = ""


@dataclass(frozen=True, slots=True)
class FileAdded:
    """The same content was found in one more file, or again in a file whose time changed."""

    file: OriginalFile


@dataclass(frozen=True, slots=True)
class FileGone:
    """A file no longer holds this photo's content."""

    file: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class FileMoved:
    """A file of this photo has another name or place now; `file` is the id that it had."""

    file: UUID
    to: OriginalFile


@dataclass(frozen=True, slots=True)
class FileMissing:
    """A file is not where it was, though its folder can be read. The photo keeps everything else."""

    file: UUID
    path: Personal[str]


@dataclass(frozen=True, slots=True)
class FileBack:
    """A file that was missing is there again, unchanged."""

    file: OriginalFile


@dataclass(frozen=True, slots=True)
class ContentReplaced:
    """The file was edited: the photo stays itself and has a new version, from which all previews are made anew.

    `copies` are files that held the former content; what they hold now is read again, for it is another photo's.
    """

    file: OriginalFile
    sha256: str
    kind: str
    media: str
    mime: str
    mismatch: str = ""
    previous: str = ""
    copies: tuple[OriginalFile, ...] = ()


@dataclass(frozen=True, slots=True)
class TakenOut:
    """The photo is no longer shown; it is again as soon as one of its files is found. No file is touched."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class MetadataRead:
    """What the file says of the photo."""

    step_version: int
    facts: Personal[dict[str, Fact]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PreviewsRendered:
    """Tile and large preview are in their place. Width and height are those of the upright original.

    `likeness` is by what the same picture is known again (`core.domain.likeness`); "" when nothing is in it.
    """

    step_version: int
    revision: str
    width: int
    height: int
    tile: Rendition
    large: Rendition
    thumbhash: Personal[str]
    method: str
    notes: tuple[str, ...] = ()
    likeness: Personal[str] = ""


@dataclass(frozen=True, slots=True)
class LabelsFound:
    """What the object model saw; an empty list is an answer too."""

    step_version: int
    model: str
    model_version: str
    labels: Personal[tuple[Label, ...]]


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A step ended for good without a result; `reason` is for the photo's owner."""

    step: Step
    code: str
    reason: str
    job: int | None
    error_class: str


@dataclass(frozen=True, slots=True)
class StepRetried:
    """A person asked for a failed step to be tried again."""

    step: Step


@dataclass(frozen=True, slots=True)
class StepSetAside:
    """A person has seen the failure and does not want to be reminded of it."""

    step: Step


@dataclass(frozen=True, slots=True)
class PhotoProcessed:
    """Every step has a result. Follows from the others, exactly once per set of steps."""

    steps: tuple[Step, ...]


PhotoEvent = (
    PhotoImported
    | FileAdded
    | FileGone
    | FileMoved
    | FileMissing
    | FileBack
    | ContentReplaced
    | TakenOut
    | MetadataRead
    | PreviewsRendered
    | LabelsFound
    | StepFailed
    | StepRetried
    | StepSetAside
    | PhotoProcessed
    | EditEvent
    | PlaceFound
    | SidecarEvent
    | StackEvent
    | DuplicateEvent
    | AnalysisEvent
    | LooksEvent
)


class PhotoNotFound(LookupError):
    """There is no such photo, or not for this account."""


class NothingToRetry(ValueError):
    """The step has not failed."""


class OtherContent(ValueError):
    """The photo holds another content than the one that was found."""


class NotMissing(ValueError):
    """An original of this photo is there, so it is not for taking out as a missing one."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo's state, folded from its events, as far as decisions need it."""

    version: int = 0
    library: UUID | None = None
    sha256: str = ""
    edition: int = 0  # how often the content was replaced
    files: dict[UUID, OriginalFile] = field(default_factory=dict)  # in the order in which they were found
    missing: frozenset[UUID] = frozenset()
    taken_out: bool = False
    done: dict[Step, int] = field(default_factory=dict)
    failed: frozenset[Step] = frozenset()
    processed: bool = False
    analysed: Analysed = field(default_factory=Analysed)

    @property
    def exists(self) -> bool:
        return self.version > 0

    @property
    def there(self) -> list[OriginalFile]:
        """The files that are not missing; the first is the one that the photo is known by."""
        return [file for key, file in self.files.items() if key not in self.missing]


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


def fold(events: Iterable[PhotoEvent]) -> Photo:
    """The state after these events."""
    state = Photo()
    for event in events:
        state = replace(evolve(state, event), version=state.version + 1)
    return state


def evolve(photo: Photo, event: PhotoEvent) -> Photo:
    """The state after one more event."""
    match event:
        case PhotoImported(library=library, file=file, sha256=sha256):
            return replace(photo, library=library, sha256=sha256, files={file.id: file})
        case FileAdded() | FileGone() | FileMoved() | FileMissing() | FileBack() | ContentReplaced() | TakenOut():
            return _evolve_files(photo, event)
        case PreviewsRendered(step_version=version):
            return _done(photo, Step.PREVIEWS, version)
        case LabelsFound() | AboutAnalysis():
            return _evolve_analysed(photo, event)
        case StepFailed(step=step):
            return replace(photo, failed=photo.failed | {step})
        case StepRetried(step=step):
            return replace(photo, failed=photo.failed - {step})
        case PhotoProcessed():
            return replace(photo, processed=True)
        case MetadataRead() | StepSetAside() | AboutFacts() | AboutStack() | AboutDuplicates() | AboutLooks():
            return photo


def _evolve_analysed(photo: Photo, event: LabelsFound | AnalysisEvent) -> Photo:
    match event:
        case LabelsFound(step_version=version, model=model, model_version=model_version):
            by = analysis.maker(model, model_version)
            seen = analysis.with_made(photo.analysed, Analysis.OBJECTS, by)
            return _done(replace(photo, analysed=seen), Step.LABELS, version)
        case analysis.PhotoAnalysed():
            return _done(photo, Step.LABELS, photo.done.get(Step.LABELS, 0))
        case _:
            seen = analysis.evolve(photo.analysed, event)
            return replace(photo, analysed=seen, failed=photo.failed - {Step.LABELS})


FilesEvent = FileAdded | FileGone | FileMoved | FileMissing | FileBack | ContentReplaced | TakenOut


def _evolve_files(photo: Photo, event: FilesEvent) -> Photo:
    match event:
        case FileAdded(file=file) | FileBack(file=file):
            files, missing = {**photo.files, file.id: file}, photo.missing - {file.id}
            return replace(photo, files=files, missing=missing, taken_out=False)
        case FileGone(file=gone):
            return replace(photo, files=_without(photo.files, gone), missing=photo.missing - {gone})
        case FileMoved(file=old, to=to):
            files = {
                (to.id if key == old else key): (to if key == old else file) for key, file in photo.files.items()
            }
            return replace(
                photo, files={**files, to.id: to}, missing=photo.missing - {old, to.id}, taken_out=False
            )
        case FileMissing(file=gone):
            return replace(photo, missing=photo.missing | ({gone} & photo.files.keys()))
        case ContentReplaced(file=file, sha256=sha256):
            fresh = replace(photo, done={}, failed=frozenset(), processed=False, taken_out=False)
            fresh = replace(fresh, analysed=analysis.without_results(photo.analysed))
            files, edition = {file.id: file}, photo.edition + 1
            return replace(fresh, sha256=sha256, edition=edition, files=files, missing=frozenset())
        case TakenOut():
            return replace(photo, taken_out=True)


def decide_import(
    photo: Photo, found: PhotoImported, read: MetadataRead, gone: frozenset[UUID] = frozenset()
) -> list[PhotoEvent]:
    """What finding this content in this file means: a new photo, one more copy, a moved file, or nothing new.

    `gone` names files of the photo that are not where they were, known to be missing or not. Raises OtherContent.
    """
    file = found.file
    if not photo.exists:
        return [found, read]
    if photo.sha256 != found.sha256:
        raise OtherContent(found.sha256)
    if photo.files.get(file.id) == file:
        return [FileBack(file)] if file.id in photo.missing or photo.taken_out else []
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


def decide_missing(photo: Photo, file: UUID) -> list[PhotoEvent]:
    """A file is not where it was."""
    return [FileMissing(file, photo.files[file].path)] if file in photo.files.keys() - photo.missing else []


def decide_back(photo: Photo, file: UUID) -> list[PhotoEvent]:
    """A missing file is there again."""
    return [FileBack(photo.files[file])] if file in photo.missing else []


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


def _without(files: dict[UUID, OriginalFile], gone: UUID) -> dict[UUID, OriginalFile]:
    return {key: file for key, file in files.items() if key != gone}


def _done(photo: Photo, step: Step, version: int) -> Photo:
    return replace(photo, done={**photo.done, step: version}, failed=photo.failed - {step})
