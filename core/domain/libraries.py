"""What can happen to a library: a folder of originals that is indexed in place."""

from dataclasses import dataclass
from uuid import UUID, uuid5

_NAMESPACE = UUID("5b1f5f0e-8a54-4e0e-9c62-6d1b8e3a7f10")


@dataclass(frozen=True, slots=True)
class LibraryAdded:
    """A folder was registered. `root` is text as `core.storage` makes it."""

    name: str
    root: str
    owner: UUID | None = None
    in_place: bool = True


LibraryEvent = LibraryAdded


class LibraryNotFound(LookupError):
    """There is no such library, or not for this account."""


class NotAFolder(ValueError):
    """A library needs a folder that exists and can be read."""


def library_id(root: str) -> UUID:
    """A library's id follows from its folder, so registering it twice is harmless."""
    return uuid5(_NAMESPACE, root)
