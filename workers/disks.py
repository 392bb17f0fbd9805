"""Whether a library's folder can be reached: files on a disk that is not mounted must not be taken for deleted.

A disk may also be mounted somewhere below the folder. Such places are remembered, and looked at in the same way.
"""

import errno
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import structlog

from core.commands.libraries import record_folder
from core.domain.libraries import FolderOffline, FolderOnline, MountForgotten
from core.readmodels.files import some_files
from core.readmodels.libraries import Folder, all_folders, folder_by_id
from core.readmodels.mounts import Mount, mounts_below
from core.storage import original_path, path_to_text
from workers.mounts import mounted_below

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


_NOT_MOUNTED = Look(None, "not-mounted", "The disk with the photos that were here is not connected.")


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


def within_reach(folder_id: UUID, path: str) -> bool:
    """Whether a file could be read if it were there: its folder can be reached, and its disk below it."""
    return is_reachable(folder_id) and not any(one.holds(path) for one in look_below(folder_by_id(folder_id)))


def look_below(folder: Folder) -> list[Mount]:
    """Look at the disks below a folder that is there, and record what is news; those that are away."""
    mounted = {path_to_text(path) for path in mounted_below(folder.place)}
    known = {one.path: one for one in mounts_below([folder.id])}
    fresh = [Mount(folder_id=folder.id, path=path) for path in sorted(mounted - known.keys())]
    return [one for one in (*known.values(), *fresh) if not _is_mount_there(folder, one, one.path in mounted)]


def note_disks() -> None:
    """Remember the disks that are mounted below libraries' folders by now, so that they are missed from now on.

    Only those that are not known yet: whether one is away is for those to say who look for its files.
    """
    folders = all_folders()
    known = {(one.folder_id, one.path) for one in mounts_below([folder.id for folder in folders])}
    for folder in folders:
        for path in sorted(path_to_text(path) for path in mounted_below(folder.place)):
            if (folder.id, path) not in known:
                _is_mount_there(folder, Mount(folder_id=folder.id, path=path), mounted=True)


def _is_mount_there(folder: Folder, mount: Mount, mounted: bool) -> bool:
    place = original_path(folder.root, mount.path)
    known = [original_path(folder.root, path) for path in some_files(folder.id, _SAMPLE, below=mount.path)]
    if not mounted and not (known and all(is_gone(path) for path in known)):
        # Nothing was on it, or its files lie on the folder's own disk by now.
        record_folder(folder.library_id, MountForgotten(folder.id, mount.path), actor=_ACTOR)
        return True
    if not mount.device and not place.is_dir():
        return True  # a single file is mounted there
    seen = _look_at(place, mount.device, known) if mounted else _NOT_MOUNTED
    if seen.device is None:
        offline = FolderOffline(folder.id, seen.code, seen.reason, mount.path)
        if record_folder(folder.library_id, offline, actor=_ACTOR):
            _log.warning("a disk cannot be reached; its photos stay", place=str(place), reason=seen.reason)
        return False
    if mount.offline_since is not None or mount.device != seen.device:
        back = mount.offline_since is not None
        record_folder(folder.library_id, FolderOnline(folder.id, seen.device, back, mount.path), actor=_ACTOR)
    return True


def look(folder: Folder) -> Look:
    """How a folder is found now."""
    return _look_at(folder.place, folder.device, folder)


def _look_at(place: Path, known_device: int | None, files: Folder | Sequence[Path]) -> Look:
    try:
        device = place.stat().st_dev
        with os.scandir(place) as entries:
            is_empty = next(entries, None) is None
    except FileNotFoundError:
        return Look(
            None, "not-there", "The folder is not there: its disk is not connected, or it has another name."
        )
    except PermissionError:
        return Look(None, "no-permission", "Filmroll's user has no right to read the folder.")
    except OSError as error:
        return Look(None, "disk-error", f"The folder cannot be read: {error.strerror or error}.")
    if known_device == device and not is_empty:
        return Look(device)
    known = _sample(files) if isinstance(files, Folder) else files
    if known and is_empty:
        return Look(None, "empty", "The folder is empty where photos were: its disk is not connected.")
    if known and known_device is not None and all(is_gone(path) for path in known):
        return Look(None, "other-disk", "Another disk is connected at this place: none of the photos is there.")
    return Look(device)


def _sample(folder: Folder) -> list[Path]:
    return [original_path(folder.root, path) for path in some_files(folder.id, _SAMPLE)]


def is_gone(path: Path) -> bool:
    """Whether there is no file at a path, as far as the system says so; an error of the disk says nothing.

    A folder of that name is no file, and neither is a link that leads nowhere.
    """
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError as error:
        return error.errno == errno.ELOOP
