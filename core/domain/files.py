"""What can happen to a file before it is a photo: it is uploaded, skipped, cannot be read, or is there no more."""

from dataclasses import dataclass
from uuid import UUID, uuid5

from core.domain.personal import Personal

# In every event here `folder` is the library's folder that the path lies in; None means its first one.


@dataclass(frozen=True, slots=True)
class FileSkipped:
    """A file that Filmroll does not show, and why: nothing is wrong with it."""

    library: UUID
    path: Personal[str]
    size: int
    mtime_ns: int
    kind: str
    code: str
    reason: str
    folder: UUID | None = None


@dataclass(frozen=True, slots=True)
class FileFailed:
    """A file that should be a photo but could not be imported; `reason` is for its owner."""

    library: UUID
    path: Personal[str]
    size: int
    mtime_ns: int
    code: str
    reason: str
    job: int | None
    error_class: str
    folder: UUID | None = None


@dataclass(frozen=True, slots=True)
class FileRetried:
    """A person asked for a failed file to be tried again."""

    library: UUID
    path: Personal[str]
    folder: UUID | None = None


@dataclass(frozen=True, slots=True)
class FileSetAside:
    """A person has seen the failure and does not want to be reminded of it."""

    library: UUID
    path: Personal[str]
    folder: UUID | None = None


@dataclass(frozen=True, slots=True)
class FileVanished:
    """A skipped or failed file is there no more (or to be ignored now), so there is nothing to say of it."""

    library: UUID
    path: Personal[str]
    folder: UUID | None = None
    reason: str = "gone"


@dataclass(frozen=True, slots=True)
class FileUploaded:
    """A file came in and lies, whole and synced, in a managed library. `name` is what its owner calls it."""

    library: UUID
    path: Personal[str]
    name: Personal[str]
    sha256: str
    size: int
    mtime_ns: int
    folder: UUID | None = None


FileEvent = FileUploaded | FileSkipped | FileFailed | FileRetried | FileSetAside | FileVanished


def file_id(folder: UUID, path: str) -> UUID:
    """A file's id follows from its folder and its path in it. A library's first folder has the library's id."""
    return uuid5(folder, f"file:{path}")


def folder_name(library: UUID, folder: UUID) -> UUID | None:
    """How events name a folder: not at all when it is the library's first."""
    return None if folder == library else folder


def id_of(fact: FileEvent) -> UUID:
    """The id of the file that an event is about."""
    return file_id(fact.folder or fact.library, fact.path)
