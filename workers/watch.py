"""Watches the libraries' folders and queues what is new, as soon as a file has come to rest."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar
from uuid import UUID

import structlog
from asgiref.sync import sync_to_async
from django.db import close_old_connections
from watchfiles import Change, awatch

from core.domain.libraries import DEFAULT_IGNORE
from core.readmodels.libraries import LIBRARIES_CHANGED, Folder, all_folders
from core.storage import path_to_text
from events import listener
from workers.ignoring import Rules
from workers.scan import Found, found_at, queue_scans, take_up

# A file is taken up once its size and time have stayed the same for so long.
_REST_SECONDS = 0.25
_BETWEEN_TRIES = 5.0
# Without change notifications (network folders, inotify's limit) the folder is walked through this often.
_RESCAN_SECONDS = 600.0
_MISSED = "This folder cannot be watched for changes; it is looked through every 10 minutes instead."

P = ParamSpec("P")
T = TypeVar("T")
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Settling:
    """Files that changed a moment ago, until they have come to rest."""

    seen: dict[Path, tuple[tuple[int, int], float]] = field(default_factory=dict)

    def touch(self, paths: Iterable[Path], now: float) -> None:
        for path in paths:
            self.seen[path] = ((-1, -1), now)

    def rested(self, root: Path, now: float) -> list[Found]:
        """Take out the files that have come to rest, and forget those that are gone."""
        ready: list[Found] = []
        for path, (before, since) in list(self.seen.items()):
            found = found_at(root, path_to_text(path.relative_to(root)), Rules(DEFAULT_IGNORE))
            if found is None:
                del self.seen[path]
            elif (found.size, found.mtime_ns) != before:
                self.seen[path] = ((found.size, found.mtime_ns), now)
            elif now - since >= _REST_SECONDS:
                ready.append(found)
                del self.seen[path]
        return ready


async def watch(stop: asyncio.Event) -> None:
    """Watch every library, those added later too, until `stop` is set."""
    watchers: dict[UUID, asyncio.Task[None]] = {}
    stopping = asyncio.create_task(stop.wait())
    try:
        async with listener.shared().subscribe(LIBRARIES_CHANGED) as changes:
            while not stop.is_set():
                waking = asyncio.create_task(changes.wait())
                await asyncio.wait([waking, stopping], return_when=asyncio.FIRST_COMPLETED)
                waking.cancel()
                if not stop.is_set():
                    await _watch_new(watchers, stop)
    finally:
        stopping.cancel()
        await asyncio.gather(*watchers.values(), return_exceptions=True)


async def _watch_new(watchers: dict[UUID, asyncio.Task[None]], stop: asyncio.Event) -> None:
    # After a reconnect every library comes by again: a scan finds what changed while nobody looked.
    folders = await _in_thread(all_folders)
    await _in_thread(queue_scans, {folder.library_id for folder in folders})
    for folder in folders:
        if folder.id not in watchers or watchers[folder.id].done():
            watchers[folder.id] = asyncio.create_task(_watch_folder(folder, stop))


async def _watch_folder(folder: Folder, stop: asyncio.Event) -> None:
    """Follow one folder for as long as the process lives, whatever goes wrong with it in between."""
    root = folder.place
    log = _log.bind(root=str(root))
    away = False
    while not stop.is_set():
        try:
            if away:
                await _in_thread(queue_scans, [folder.library_id])
            away = False
            await _follow(folder, root, stop)
        except FileNotFoundError:
            log.warning("the folder is not there; its photos stay, and it is looked for again")
            away = True
            await _pause(stop, _BETWEEN_TRIES)
        except OSError as error:
            log.warning(_MISSED, error=str(error))
            away = True
            await _pause(stop, _RESCAN_SECONDS)
        except Exception as error:  # noqa: BLE001  # the outermost edge: a watcher must not end
            log.warning("the watcher stumbled and goes on", error=repr(error))
            away = True
            await _pause(stop, _BETWEEN_TRIES)


async def _follow(folder: Folder, root: Path, stop: asyncio.Event) -> None:
    settling = Settling()
    waiting: asyncio.Task[None] | None = None
    async for changes in awatch(root, watch_filter=None, debounce=100, step=30, stop_event=stop, recursive=True):
        paths = [Path(path) for change, path in changes if change != Change.deleted]
        now = time.monotonic()
        settling.touch((path for path in paths if not path.is_dir()), now)
        for moved in (path for path in paths if path.is_dir()):
            # A folder moved in brings its files without a word about each.
            settling.touch((Path(file) for file in _files_below(moved)), now)
        if settling.seen and (waiting is None or waiting.done()):
            waiting = asyncio.create_task(_settle(folder, root, settling))
    if waiting is not None:
        waiting.cancel()


async def _settle(folder: Folder, root: Path, settling: Settling) -> None:
    while settling.seen:
        rested = await _in_thread(settling.rested, root, time.monotonic())
        if rested:
            queued = await _in_thread(take_up, folder, rested)
            _log.debug("files found", files=len(rested), queued=queued)
        await asyncio.sleep(_REST_SECONDS / 2)


def _files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def _in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function that uses the database, and give its connection back."""

    def run() -> T:
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    return await sync_to_async(run, thread_sensitive=False)()
