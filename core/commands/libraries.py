"""What may be done with a library."""

from contextlib import suppress
from pathlib import Path
from uuid import UUID

from core.commands.log import write
from core.domain.libraries import LibraryAdded, NotAFolder, library_id
from core.domain.streams import library_stream
from core.storage import path_to_text
from events.store import NO_STREAM, VersionConflict


def add_library(folder: Path, *, name: str = "", owner: UUID | None = None, actor: str) -> UUID:
    """Register a folder as a library that is indexed in place; one that is registered already stays as it is.

    Raises NotAFolder.
    """
    resolved = folder.expanduser().resolve()
    if not resolved.is_dir():
        raise NotAFolder(f"{folder} is not a folder that can be read.")
    root = path_to_text(resolved)
    identity = library_id(root)
    added = LibraryAdded(name or path_to_text(resolved.name) or root, root, owner)
    with suppress(VersionConflict):  # it is there already, which is what was asked for
        write(library_stream(identity), [added], actor=actor, expected=NO_STREAM)
    return identity
