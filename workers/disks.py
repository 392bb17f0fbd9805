"""Whether a library's folder can be reached: files on a disk that is not mounted must not be taken for deleted."""

import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import structlog

from core.commands.libraries import record_folder
from core.domain.libraries import FolderOffline, FolderOnline
from core.readmodels.files import some_files
from core.readmodels.libraries import Folder, folder_by_id
from core.storage import original_path

_ACTOR = "worker:folders"
# As many files are looked for on a folder that seems to be another disk's; one that is there proves it the same.
_SAMPLE = 50
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """How a folder was found: reachable on a device, or not, and why."""

    device: int | None
    code: str = ""
    reason: str = ""


def is_reachable(folder_id: UUID) -> bool:
    """Look whether a folder is there, and record it where that is news."""
    folder = folder_by_id(folder_id)
    if folder.removed:
        return False
    seen = look(folder)
    if seen.device is None:
        if record_folder(folder.library_id, FolderOffline(folder.id, seen.code, seen.reason), actor=_ACTOR):
            _log.warning("a folder cannot be reached; its photos stay", root=folder.root, reason=seen.reason)
        return False
    if folder.offline_since is not None or folder.device != seen.device:
        back = folder.offline_since is not None
        record_folder(folder.library_id, FolderOnline(folder.id, seen.device, back), actor=_ACTOR)
    return True


def look(folder: Folder) -> Look:
    """How a folder is found now."""
    try:
        device = folder.place.stat().st_dev
        with os.scandir(folder.place) as entries:
            is_empty = next(entries, None) is None
    except FileNotFoundError:
        return Look(
            None, "not-there", "The folder is not there: its disk is not connected, or it has another name."
        )
    except PermissionError:
        return Look(None, "no-permission", "Filmroll's user has no right to read the folder.")
    except OSError as error:
        return Look(None, "disk-error", f"The folder cannot be read: {error.strerror or error}.")
    if folder.device == device and not is_empty:
        return Look(device)
    known = some_files(folder.id, _SAMPLE)
    if known and is_empty:
        return Look(None, "empty", "The folder is empty where photos were: its disk is not connected.")
    if known and folder.device is not None and not any(_is_there(folder.root, path) for path in known):
        return Look(None, "other-disk", "Another disk is connected at this place: none of the photos is there.")
    return Look(device)


def _is_there(root: str, path: str) -> bool:
    return not is_gone(original_path(root, path))


def is_gone(path: Path) -> bool:
    """Whether there is nothing at a path, as far as the system says so; an error of the disk says nothing."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
