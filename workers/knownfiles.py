"""A file's row as commands want it, which know nothing of read models, and who may change which file is whose."""

from uuid import UUID

from core.commands.files import KnownFile
from core.readmodels.files import PhotoFile
from core.turns import take_turns


def known_file(row: PhotoFile) -> KnownFile:
    """A row of the read model as commands want it."""
    return KnownFile(row.id, row.library_id, row.folder_id, row.path, row.size, row.mtime_ns, row.photo_id)


def hold_places(folder: UUID, *, alone: bool = False) -> None:
    """Until commit, nobody moves photos from place to place in this folder; `alone`: nor finds any there.

    Who says that a photo's file lies at another place has looked whether that place is free, and an import may
    find another photo there at this very moment.
    """
    take_turns(f"places:{folder}", shared=not alone)
