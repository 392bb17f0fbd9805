"""What can happen to a file that is no photo: it is skipped, or it cannot be read."""

from dataclasses import dataclass
from uuid import UUID, uuid5


@dataclass(frozen=True, slots=True)
class FileSkipped:
    """A file that Filmroll does not show, and why: nothing is wrong with it."""

    library: UUID
    path: str
    size: int
    mtime_ns: int
    kind: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class FileFailed:
    """A file that should be a photo but could not be imported; `reason` is for its owner."""

    library: UUID
    path: str
    size: int
    mtime_ns: int
    code: str
    reason: str
    job: int | None
    error_class: str


@dataclass(frozen=True, slots=True)
class FileRetried:
    """A person asked for a failed file to be tried again."""

    library: UUID
    path: str


@dataclass(frozen=True, slots=True)
class FileSetAside:
    """A person has seen the failure and does not want to be reminded of it."""

    library: UUID
    path: str


FileEvent = FileSkipped | FileFailed | FileRetried | FileSetAside


class FileNotFailed(ValueError):
    """There is no failure of this file to act on."""


def file_id(library: UUID, path: str) -> UUID:
    """A file's id follows from its library and its path inside it."""
    return uuid5(library, f"file:{path}")
