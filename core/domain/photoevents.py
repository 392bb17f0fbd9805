"""What can happen to a photo: its events, and the values that they hold."""

import enum
from dataclasses import dataclass
from uuid import UUID

from core.domain.analysis import AnalysisEvent
from core.domain.duplicates import DuplicateEvent
from core.domain.edits import EditEvent
from core.domain.facts import Fact
from core.domain.forgetting import PhotoForgotten
from core.domain.looks import LooksEvent
from core.domain.personal import Personal
from core.domain.places import PlaceFound
from core.domain.sidecars import SidecarEvent
from core.domain.stacks import StackEvent


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
    | PhotoForgotten
)
