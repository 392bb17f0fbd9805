"""A folder and everything below it under the kernel's eye: what was written, moved or deleted, by path.

`inotify_simple` is the thinnest of the kept libraries: names come as `os.fsdecode` makes them, so bytes that are
no UTF-8 survive; moves come as pairs; and we add each watch ourselves, so an error says which one it was.
"""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from inotify_simple import INotify, flags

_MASK = (
    flags.CLOSE_WRITE
    | flags.CREATE
    | flags.ATTRIB
    | flags.MOVED_FROM
    | flags.MOVED_TO
    | flags.DELETE
    | flags.DELETE_SELF
    | flags.MOVE_SELF
    # A link to a folder is not followed, and a file is not watched by itself.
    | flags.ONLYDIR
    | flags.DONT_FOLLOW
    | flags.EXCL_UNLINK
)
_LIMITS = {
    errno.ENOSPC: ("watch-limit", "fs.inotify.max_user_watches"),
    errno.EMFILE: ("instance-limit", "fs.inotify.max_user_instances"),
    errno.ENFILE: ("instance-limit", "fs.inotify.max_user_instances"),
}

Leave = Callable[[str, str], bool]


class CannotWatch(Exception):
    """The system does not tell of changes here; `code` for programs, `reason` for the operator."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(slots=True)
class Changes:
    """What happened since the last look. Paths are inside the root, as the file system has them.

    `written` files are complete; of `touched` ones that is not known. `folders` have come, with what is in them.
    `moved` are pairs of names before and after, folders among them; `gone` were deleted or moved out of sight.
    """

    written: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    moved: list[tuple[str, str]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    gone_folders: set[str] = field(default_factory=set)
    lost_count: bool = False  # the kernel's queue was full: only a rescan knows what happened
    root_gone: bool = False

    def __bool__(self) -> bool:
        return bool(
            self.written
            or self.touched
            or self.folders
            or self.moved
            or self.gone
            or self.gone_folders
            or self.lost_count
            or self.root_gone
        )


class Tree:
    """The watches of one root. `leave(name, path)` says which folders are left out."""

    def __init__(self, root: str, leave: Leave) -> None:
        self.root = root
        self.leave = leave
        self._paths: dict[int, str] = {}
        self._watches: dict[str, int] = {}
        # The first half of a move whose second half has not been read yet, by the kernel's cookie.
        self._halves: dict[int, tuple[str, bool]] = {}
        try:
            self._inotify = INotify(nonblocking=True)
        except (OSError, AttributeError) as error:
            raise _why(error, "/proc/sys/fs/inotify/max_user_instances") from error

    def fileno(self) -> int:
        return int(self._inotify.fileno())

    def close(self) -> None:
        self._inotify.close()

    def __len__(self) -> int:
        return len(self._paths)

    def add(self, path: str = "") -> None:
        """Watch a folder and everything below it. Each is watched before it is listed, so that nothing is missed.

        Takes a while: not for the event loop. Raises CannotWatch; FileNotFoundError when the root is not there.
        """
        waiting = [path]
        while waiting:
            folder = waiting.pop()
            if not self._add_one(folder):
                continue
            waiting += self._folders_in(folder)

    def read(self, changes: Changes) -> None:
        """Add everything that happened since the last call; at once, without waiting."""
        for watch, mask, cookie, name in self._inotify.read(timeout=0):
            if mask & flags.Q_OVERFLOW:
                changes.lost_count = True
            elif watch in self._paths:
                self._note(changes, self._paths[watch], mask, cookie, name)

    def give_up_halves(self, changes: Changes) -> None:
        """Take moves of which the second half has not come for what they are: these went out of sight."""
        for path, is_folder in self._halves.values():
            (changes.gone_folders if is_folder else changes.gone).add(path)
            if is_folder:
                self._forget(path)
        self._halves.clear()

    @property
    def has_halves(self) -> bool:
        return bool(self._halves)

    def _note(self, changes: Changes, folder: str, mask: int, cookie: int, name: str) -> None:
        if mask & (flags.DELETE_SELF | flags.MOVE_SELF | flags.UNMOUNT | flags.IGNORED):
            if not folder:
                changes.root_gone = True
            elif mask & (flags.IGNORED | flags.UNMOUNT):
                self._drop(folder)
            return
        path = f"{folder}/{name}" if folder else name
        is_folder = bool(mask & flags.ISDIR)
        if mask & flags.MOVED_FROM:
            self._halves[cookie] = (path, is_folder)
        elif mask & flags.MOVED_TO:
            self._moved_to(changes, path, cookie, name, is_folder)
        elif mask & flags.DELETE:
            (changes.gone_folders if is_folder else changes.gone).add(path)
        elif is_folder:
            # New, or readable now: its rights have changed.
            if not self.leave(name, path):
                changes.folders.add(path)
        elif mask & flags.CLOSE_WRITE:
            changes.written.add(path)
        else:
            changes.touched.add(path)

    def _moved_to(self, changes: Changes, path: str, cookie: int, name: str, is_folder: bool) -> None:
        before = self._halves.pop(cookie, None)
        left_out = is_folder and self.leave(name, path)
        if before is None:
            if not left_out:
                (changes.folders if is_folder else changes.written).add(path)
            return
        if is_folder:
            self._rename(before[0], path) if not left_out else self._forget(before[0])
        if left_out:
            changes.gone_folders.add(before[0])
        else:
            changes.moved.append((before[0], path))
            if is_folder:
                # It may come from a folder that was left out, and hold some that are not watched yet.
                changes.folders.add(path)

    def _add_one(self, folder: str) -> bool:
        place = f"{self.root}/{folder}" if folder else self.root
        try:
            # The root may have become a link: people move their photos and leave one behind.
            watch = self._inotify.add_watch(place, _MASK if folder else _MASK & ~flags.DONT_FOLLOW)
        except OSError as error:
            if folder and error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES):
                return False  # gone since, turned into a link, or not ours to read
            raise _why(error, place) from error
        former = self._paths.get(watch, folder)
        if former != folder:  # the same folder under another name: it was moved
            self._watches.pop(former, None)
        self._paths[watch] = folder
        self._watches[folder] = watch
        return True

    def _folders_in(self, folder: str) -> list[str]:
        found: list[str] = []
        try:
            with os.scandir(f"{self.root}/{folder}" if folder else self.root) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}" if folder else entry.name
                    if entry.is_dir(follow_symlinks=False) and not self.leave(entry.name, path):
                        found.append(path)
        except OSError:
            return found  # gone since, or not ours to read
        return found

    def _below(self, folder: str) -> list[str]:
        return [path for path in list(self._watches) if path == folder or path.startswith(f"{folder}/")]

    def _rename(self, before: str, after: str) -> None:
        """A watch follows its folder: only our name for it changes."""
        for path in self._below(before):
            watch, new = self._watches.pop(path), after + path[len(before) :]
            self._watches[new] = watch
            self._paths[watch] = new

    def _forget(self, folder: str) -> None:
        """A folder out of sight must not go on telling under its old name."""
        for path in self._below(folder):
            watch = self._watches[path]
            self._drop(path)
            try:
                self._inotify.rm_watch(watch)
            except OSError:
                continue  # it went with its folder

    def _drop(self, folder: str) -> None:
        self._paths.pop(self._watches.pop(folder, -1), None)


def _why(error: Exception, place: str) -> Exception:
    number = error.errno if isinstance(error, OSError) else None
    if number in _LIMITS:
        code, setting = _LIMITS[number]
        return CannotWatch(
            code,
            f"The system's limit {setting} ({_limit(setting)}) is used up, so changes in this folder are not "
            f"told. It is looked through every 10 minutes instead. Raise the limit, for instance by "
            f"“sysctl {setting}=524288” on the host.",
        )
    if number in (errno.ENOENT, errno.ENOTDIR):
        return FileNotFoundError(number, "the folder is not there", place)
    return CannotWatch(
        "not-watchable",
        f"Changes in this folder are not told by the system ({error}). It is looked through every 10 minutes "
        "instead.",
    )


def _limit(setting: str) -> str:
    try:
        with open(f"/proc/sys/{setting.replace('.', '/')}", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return "unknown"
