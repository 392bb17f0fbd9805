"""What the watcher does with changes: at once where a file is complete, else when it has come to rest."""

import time
from collections.abc import Iterable
from itertools import islice

from core.readmodels.files import files_below
from core.readmodels.libraries import Folder
from core.storage import path_to_text
from workers.ignoring import Rules
from workers.inotify import Changes, Tree
from workers.moves import follow_moves
from workers.scan import Found, found_at, let_go, take_up, walk_files

# A file of which nobody says that it is complete is taken up once its size and time have stayed the same so long.
_REST_SECONDS = 0.25
# Programs delete and write anew, or move out and in again: what is gone is looked for once more after so long.
_GONE_SECONDS = 1.0
# Programs that keep a backup rename the file first and write anew under its old name: then nothing has moved.
_MOVE_SECONDS = 0.2
_BATCH = 1000


class Following:
    """One folder's changes on their way into the library. One thread at a time, and never on the event loop."""

    def __init__(self, folder: Folder, rules: Rules, tree: Tree) -> None:
        self.folder = folder
        self.rules = rules
        self.tree = tree
        self._settling: dict[str, tuple[tuple[int, int], float]] = {}
        self._moves: list[tuple[tuple[str, str], float]] = []
        self._gone: dict[str, float] = {}
        self._gone_folders: dict[str, float] = {}

    def due_in(self) -> float | None:
        """Seconds until something has to be looked at again; None while everything is at rest."""
        now = time.monotonic()
        dues = [since + _REST_SECONDS for _, since in self._settling.values()]
        dues += [since + _MOVE_SECONDS for _, since in self._moves]
        dues += [since + _GONE_SECONDS for since in (*self._gone.values(), *self._gone_folders.values())]
        return max(0.01, min(dues) - now) if dues else None

    def take_in(self, changes: Changes) -> None:
        """Take up what is complete, remember what has to come to rest, and look at what has."""
        now = time.monotonic()
        written = {path_to_text(path) for path in changes.written}
        moved = [(path_to_text(before), path_to_text(after)) for before, after in changes.moved]
        self._moves += [(move, now) for move in moved]
        written |= self._follow_moves(now)
        for path in changes.folders:
            self._arrived(path, now)
        self._touch((path_to_text(path) for path in changes.touched), now)
        self._gone.update((path_to_text(path), now) for path in changes.gone)
        self._gone_folders.update((path_to_text(path), now) for path in changes.gone_folders)
        self._take_written(written, now)
        self._look_again(now)

    def _follow_moves(self, now: float) -> set[str]:
        """Follow the moves that have stood for long enough; the paths that have to be looked at instead."""
        due = [move for move, since in self._moves if now - since >= _MOVE_SECONDS]
        if not due:
            return set()
        # Taken out first: should the database fail, a rescan finds what has moved.
        del self._moves[: len(due)]
        rest = follow_moves(self.folder, self.rules, due)
        self._gone.update(dict.fromkeys(rest.gone, now))
        return rest.found

    def _take_written(self, paths: Iterable[str], now: float) -> None:
        found = [one for path in paths if (one := found_at(self.folder.place, path, self.rules))]
        # Some programs make an empty file first, close it, and write it then.
        self._touch((one.path for one in found if not one.size), now)
        complete = [one for one in found if one.size]
        for one in complete:
            self._settling.pop(one.path, None)
        take_up(self.folder, complete, just_written=True)

    def _arrived(self, folder: str, now: float) -> None:
        """A folder has come, with files of which nobody tells. It is watched first, so that none is missed."""
        self.tree.add(folder)
        walk = walk_files(self.folder.place, self.rules, [], path_to_text(folder))
        while batch := [Found(*seen) for seen in islice(walk, _BATCH)]:
            self._touch((one.path for one in batch), now)

    def _touch(self, paths: Iterable[str], now: float) -> None:
        for path in paths:
            self._settling[path] = ((-1, -1), now)

    def _look_again(self, now: float) -> None:
        rested = self._rested(now)
        for start in range(0, len(rested), _BATCH):
            take_up(self.folder, rested[start : start + _BATCH], just_written=True)
        gone = _take_older(self._gone, now - _GONE_SECONDS)
        for folder in _take_older(self._gone_folders, now - _GONE_SECONDS):
            gone += files_below(self.folder.id, folder).values_list("path", flat=True)
        for start in range(0, len(gone), _BATCH):
            let_go(self.folder, gone[start : start + _BATCH])

    def _rested(self, now: float) -> list[Found]:
        """Take out the files that have come to rest, and forget those that are gone."""
        ready: list[Found] = []
        for path, (before, since) in list(self._settling.items()):
            found = found_at(self.folder.place, path, self.rules)
            if found is None:
                del self._settling[path]
            elif (found.size, found.mtime_ns) != before:
                self._settling[path] = ((found.size, found.mtime_ns), now)
            elif now - since >= _REST_SECONDS:
                ready.append(found)
                del self._settling[path]
        return ready


def _take_older(waiting: dict[str, float], than: float) -> list[str]:
    old = [path for path, since in waiting.items() if since <= than]
    for path in old:
        del waiting[path]
    return old
