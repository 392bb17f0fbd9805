"""Watches the libraries' folders and takes up what changes there, at once where a file is known to be complete.

Without a word from the system (its limits, network folders) a folder is looked through now and then instead. At
rest nothing runs: no statement, no timer but those of folders that something is wrong with.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import structlog
from asgiref.sync import sync_to_async
from django.db import close_old_connections

from core.commands.libraries import record_folder
from core.domain.libraries import FolderWatched, FolderWatchFailed
from core.readmodels.libraries import LIBRARIES_CHANGED, Folder, Library, all_folders, all_libraries
from core.storage import path_to_text
from events import listener
from workers.disks import is_reachable, look_below, note_disks
from workers.following import Following
from workers.ignoring import Rules
from workers.inotify import CannotWatch, Changes, Tree
from workers.mounts import Mounts, mounted_below
from workers.scan import queue_scans

# How a watcher's connections are called, by which its health is told.
WATCHER_NAME = "filmroll-watch"
_ACTOR = "worker:watch"
_BETWEEN_TRIES = 5.0
_RESCAN_SECONDS = 600.0
_BACK_SECONDS = 1.0  # a folder that was gone for a moment
# The two halves of a move come together; one that stays alone for so long went out of sight.
_HALF_SECONDS = 0.02

P = ParamSpec("P")
T = TypeVar("T")
_log = structlog.get_logger(__name__)


async def watch(stop: asyncio.Event) -> None:
    """Watch every library, those added later too, until `stop` is set."""
    watchers: dict[tuple[object, ...], asyncio.Task[None]] = {}
    helpers = [asyncio.create_task(stop.wait()), asyncio.create_task(_patiently(note_disks))]
    mounts = Mounts()
    close_mounts = mounts.open()
    try:
        async with listener.shared().subscribe(LIBRARIES_CHANGED) as changes:
            while not stop.is_set():
                waking = asyncio.create_task(changes.wait())
                await asyncio.wait([waking, helpers[0]], return_when=asyncio.FIRST_COMPLETED)
                waking.cancel()
                if not stop.is_set():
                    await _watch_as_they_are(watchers, mounts, stop)
    finally:
        close_mounts()
        for task in [*helpers, *watchers.values()]:
            task.cancel()
        await asyncio.gather(*helpers, *watchers.values(), return_exceptions=True)


async def _watch_as_they_are(
    watchers: dict[tuple[object, ...], asyncio.Task[None]], mounts: Mounts, stop: asyncio.Event
) -> None:
    """End the watch over folders that are no longer wanted as they were, and begin the others."""
    try:
        libraries = {library.id: library for library in await in_thread(all_libraries)}
        folders = await in_thread(all_folders)
    except Exception as error:  # noqa: BLE001  # the outermost edge: the listener wakes us when the database is back
        _log.warning("the libraries could not be read", error=repr(error))
        return
    wanted = {
        _key(folder, libraries[folder.library_id]): folder for folder in folders if folder.library_id in libraries
    }
    for key in watchers.keys() - wanted.keys():
        watchers.pop(key).cancel()
    for key, folder in wanted.items():
        if key not in watchers or watchers[key].done():
            watchers[key] = asyncio.create_task(_keep_watching(folder, libraries[folder.library_id], mounts, stop))


def _key(folder: Folder, library: Library) -> tuple[object, ...]:
    return folder.id, folder.root, library.watching, tuple(library.ignore_rules)


async def _keep_watching(folder: Folder, library: Library, mounts: Mounts, stop: asyncio.Event) -> None:
    """Follow one folder for as long as it is wanted, whatever goes wrong with it in between."""
    log = _log.bind(root=folder.root)
    if not library.watching:
        await _patiently(queue_scans, [library.id])
        return
    while not stop.is_set():
        try:
            await _watch_folder(folder, Rules(library.ignore_rules), mounts, stop)
        except FileNotFoundError:
            # Looked at first: it may come back while the database is asked.
            before = await asyncio.to_thread(_looks, folder.place)
            if await _patiently(is_reachable, folder.id):
                await asyncio.sleep(_BACK_SECONDS)
            else:
                await _until_it_looks_different(folder.place, before, mounts)
        except CannotWatch as error:
            log.warning(error.reason)
            await _patiently(_note_unwatched, folder, error)
            await asyncio.sleep(_RESCAN_SECONDS)
        except Exception as error:  # noqa: BLE001  # the outermost edge: a watcher must not end
            log.warning("the watcher stumbled and goes on", error=repr(error))
            await asyncio.sleep(_BETWEEN_TRIES)


async def _watch_folder(folder: Folder, rules: Rules, mounts: Mounts, stop: asyncio.Event) -> None:
    """Watch until something is wrong. Raises FileNotFoundError, CannotWatch, and whatever the database raises."""

    def leave(name: str, path: str) -> bool:
        return rules.leaves_out_folder(path_to_text(name), path_to_text(path))

    tree = Tree(os.fspath(folder.place), leave)
    disks = mounted_below(folder.place)
    try:
        await in_thread(tree.add)
        if not await in_thread(is_reachable, folder.id):
            raise FileNotFoundError(folder.root)
        await in_thread(record_folder, folder.library_id, FolderWatched(folder.id), actor=_ACTOR)
        # Only now: what changes from here on is told, and what changed before is found.
        await in_thread(queue_scans, [folder.library_id])
        _log.debug("watching", root=folder.root, folders=len(tree))
        await _follow(folder, tree, disks, mounts, rules, stop)
    finally:
        tree.close()


async def _follow(
    folder: Folder, tree: Tree, disks: frozenset[str], mounts: Mounts, rules: Rules, stop: asyncio.Event
) -> None:
    following = Following(folder, rules, tree)
    loop, stirred, remounted = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    changes, place = Changes(), _identity(folder.place)

    def read() -> None:
        tree.read(changes)
        stirred.set()

    def mounted() -> None:
        changes.root_gone |= _identity(folder.place) != place
        remounted.set()
        stirred.set()

    loop.add_reader(tree.fileno(), read)
    mounts.add(mounted)
    mounted()  # what has changed since the folders were listed
    try:
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stirred.wait(), _HALF_SECONDS if tree.has_halves else following.due_in())
            if tree.has_halves:
                await asyncio.sleep(_HALF_SECONDS)
                tree.read(changes)
                tree.give_up_halves(changes)
            stirred.clear()
            now, changes = changes, Changes()
            if now.root_gone:
                raise FileNotFoundError(folder.root)
            if remounted.is_set():
                remounted.clear()
                before, disks = disks, mounted_below(folder.place)
                if disks != before:
                    await in_thread(_disks_changed, folder, tree)
            if now.lost_count:
                _log.warning("the system told of more changes than it keeps: looking through the folder")
                await in_thread(tree.add)
                await in_thread(queue_scans, [folder.library_id])
            await in_thread(following.take_in, now)
    finally:
        mounts.remove(mounted)
        loop.remove_reader(tree.fileno())


def _disks_changed(folder: Folder, tree: Tree) -> None:
    """A disk below the folder came or went: nobody tells of the files on it."""
    tree.add()
    look_below(folder)
    queue_scans([folder.library_id])


def _note_unwatched(folder: Folder, error: CannotWatch) -> None:
    record_folder(folder.library_id, FolderWatchFailed(folder.id, error.code, error.reason), actor=_ACTOR)
    queue_scans([folder.library_id])


async def _until_it_looks_different(root: Path, before: tuple[int, bool] | None, mounts: Mounts) -> None:
    """Wait, without a statement, until the place of an unreachable folder looks different from before."""
    mounted = asyncio.Event()
    mounts.add(mounted.set)
    try:
        while await asyncio.to_thread(_looks, root) == before:
            mounted.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(mounted.wait(), _BETWEEN_TRIES)
    finally:
        mounts.remove(mounted.set)


def _identity(root: Path) -> tuple[int, int] | None:
    """Which folder it is that lies at this place: another one when a disk is mounted over it, or goes away."""
    try:
        facts = root.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def _looks(root: Path) -> tuple[int, bool] | None:
    try:
        with os.scandir(root) as entries:
            return root.stat().st_dev, next(entries, None) is None
    except OSError:
        return None


async def _patiently(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do it, however often the database has to be asked."""
    while True:
        try:
            return await in_thread(function, *args, **kwargs)
        except Exception as error:  # noqa: BLE001  # the outermost edge: a watcher must not end
            _log.warning("the watcher stumbled and goes on", error=repr(error))
            await asyncio.sleep(_BETWEEN_TRIES)


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function that uses the database, and give its connection back."""

    def run() -> T:
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    return await sync_to_async(run, thread_sensitive=False)()
