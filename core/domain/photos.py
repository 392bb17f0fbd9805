"""What can happen to a photo, and what may be decided about it."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid5


class Step(enum.StrEnum):
    """A piece of the machine's work on one photo."""

    PREVIEWS = "previews"  # tile, large preview and placeholder from the original
    LABELS = "labels"  # objects with boxes, from the large preview


@dataclass(frozen=True, slots=True)
class OriginalFile:
    """One file that holds a photo's content. `path` is inside its library, as text (`core.storage`)."""

    id: UUID
    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Rendition:
    """One made picture file: pixels wide and high, and its bytes."""

    width: int
    height: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known of a photo, and who says so ("exif", "xmp", "file name", …)."""

    value: Any
    source: str


@dataclass(frozen=True, slots=True)
class Label:
    """A thing seen in a photo: score 0..1, box x0, y0, x1, y1 as fractions of the upright picture."""

    label: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class PhotoImported:
    """New content was found: a photo begins."""

    library: UUID
    file: OriginalFile
    sha256: str
    kind: str
    media: str
    mime: str
    mismatch: str = ""


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
class MetadataRead:
    """What the file says of the photo."""

    step_version: int
    facts: dict[str, Fact]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PreviewsRendered:
    """Tile and large preview are in their place. Width and height are those of the upright original."""

    step_version: int
    revision: str
    width: int
    height: int
    tile: Rendition
    large: Rendition
    thumbhash: str
    method: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelsFound:
    """What the object model saw; an empty list is an answer too."""

    step_version: int
    model: str
    model_version: str
    labels: tuple[Label, ...]


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
    | MetadataRead
    | PreviewsRendered
    | LabelsFound
    | StepFailed
    | StepRetried
    | StepSetAside
    | PhotoProcessed
)


class PhotoNotFound(LookupError):
    """There is no such photo, or not for this account."""


class NothingToRetry(ValueError):
    """The step has not failed."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo's state, folded from its events, as far as decisions need it."""

    version: int = 0
    library: UUID | None = None
    files: dict[UUID, OriginalFile] = field(default_factory=dict)
    done: dict[Step, int] = field(default_factory=dict)
    failed: frozenset[Step] = frozenset()
    processed: bool = False

    @property
    def exists(self) -> bool:
        return self.version > 0


def photo_id(library: UUID, sha256: str) -> UUID:
    """A photo's id: importing twice is harmless, and a moved file stays the same photo."""
    return uuid5(library, sha256)


def result_id(photo: UUID, step: str, step_version: int) -> UUID:
    """The id of a step's result event, so that a job that runs twice leaves one result."""
    return uuid5(photo, f"{step}:{step_version}")


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
        case PhotoImported(library=library, file=file):
            return replace(photo, library=library, files={file.id: file})
        case FileAdded(file=file):
            return replace(photo, files={**photo.files, file.id: file})
        case FileGone(file=gone):
            return replace(photo, files={key: file for key, file in photo.files.items() if key != gone})
        case PreviewsRendered(step_version=version):
            return _done(photo, Step.PREVIEWS, version)
        case LabelsFound(step_version=version):
            return _done(photo, Step.LABELS, version)
        case StepFailed(step=step):
            return replace(photo, failed=photo.failed | {step})
        case StepRetried(step=step):
            return replace(photo, failed=photo.failed - {step})
        case PhotoProcessed():
            return replace(photo, processed=True)
        case MetadataRead() | StepSetAside():
            return photo


def decide_import(photo: Photo, found: PhotoImported, read: MetadataRead) -> list[PhotoEvent]:
    """What finding this content in this file means: a new photo, one more copy, or nothing new."""
    if not photo.exists:
        return [found, read]
    return [] if photo.files.get(found.file.id) == found.file else [FileAdded(found.file)]


def decide_result(photo: Photo, step: Step, result: PreviewsRendered | LabelsFound) -> list[PhotoEvent]:
    """A step's result counts once per step version; a late second one is no news."""
    return [] if photo.done.get(step) == result.step_version else [result]


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


def _done(photo: Photo, step: Step, version: int) -> Photo:
    return replace(photo, done={**photo.done, step: version}, failed=photo.failed - {step})
