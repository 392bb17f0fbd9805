"""A photo's state, folded from its events, as far as decisions need it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from uuid import UUID

from core.domain import analysis
from core.domain.analysis import AboutAnalysis, Analysed, Analysis, AnalysisEvent
from core.domain.duplicates import AboutDuplicates
from core.domain.edits import AboutFacts
from core.domain.forgetting import PhotoForgotten
from core.domain.looks import AboutLooks
from core.domain.photoevents import (
    ContentReplaced,
    FileAdded,
    FileBack,
    FileGone,
    FileMissing,
    FileMoved,
    LabelsFound,
    MetadataRead,
    OriginalFile,
    PhotoEvent,
    PhotoImported,
    PhotoProcessed,
    PreviewsRendered,
    Step,
    StepFailed,
    StepRetried,
    StepSetAside,
    TakenOut,
)
from core.domain.stacks import AboutStack


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
    forgotten: bool = False
    done: dict[Step, int] = field(default_factory=dict)
    failed: frozenset[Step] = frozenset()
    processed: bool = False
    analysed: Analysed = field(default_factory=Analysed)

    @property
    def exists(self) -> bool:
        return self.version > 0 and not self.forgotten

    @property
    def there(self) -> list[OriginalFile]:
        """The files that are not missing; the first is the one that the photo is known by."""
        return [file for key, file in self.files.items() if key not in self.missing]


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
        case PhotoForgotten():
            return Photo(forgotten=True)
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


def _without(files: dict[UUID, OriginalFile], gone: UUID) -> dict[UUID, OriginalFile]:
    return {key: file for key, file in files.items() if key != gone}


def _done(photo: Photo, step: Step, version: int) -> Photo:
    return replace(photo, done={**photo.done, step: version}, failed=photo.failed - {step})
