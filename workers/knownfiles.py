"""A file's row as commands want it, which know nothing of read models."""

from core.commands.files import KnownFile
from core.readmodels.files import PhotoFile


def known_file(row: PhotoFile) -> KnownFile:
    """A row of the read model as commands want it."""
    return KnownFile(row.id, row.library_id, row.folder_id, row.path, row.size, row.mtime_ns, row.photo_id)
