"""Finds the files of a library and queues the ones that are new or changed.

A file that is known and unchanged costs one stat and a share of one query; nothing is written for it.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from uuid import UUID

from django.db import connection, transaction

from core.domain.files import file_id
from core.readmodels.files import known_files
from core.storage import path_to_text
from workers.queue import NewJob, defer_batch

_BATCH = 1000
# Folders of other programs' thumbnails, rubbish bins and sync state; hidden ones are left out as well.
_IGNORED_FOLDERS = {"@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found", "__MACOSX"}
_IGNORED_FILES = {"Thumbs.db", "desktop.ini"}


@dataclass(frozen=True, slots=True)
class Found:
    """A file at a path inside its library (text as `core.storage` makes it)."""

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What one walk through a library came to; `unreadable` names folders that could not be entered."""

    files: int
    queued: int
    unreadable: tuple[str, ...]


def scan(library: UUID, root: Path) -> ScanResult:
    """Walk through a library and queue what is new or changed.

    Raises OSError when the root itself cannot be read (an unmounted disk).
    """
    os.scandir(root).close()
    unreadable: list[str] = []
    files = queued = 0
    walk = walk_files(root, unreadable)
    while batch := list(islice(walk, _BATCH)):
        files += len(batch)
        queued += queue_files(library, batch)
    return ScanResult(files, queued, tuple(unreadable))


def queue_scans(libraries: Iterable[UUID]) -> int:
    """Queue a scan for each library that has none waiting; how many were queued."""
    wanted = [str(library) for library in libraries]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('queue scans', 0))")
        cursor.execute(
            "SELECT args->>'library' FROM procrastinate_jobs"
            " WHERE task_name = 'scan_library' AND status = 'todo' AND args->>'library' = ANY(%s)",
            [wanted],
        )
        waiting = {row[0] for row in cursor.fetchall()}
        return len(defer_batch([scan_job(library) for library in wanted if library not in waiting]))


def queue_files(library: UUID, found: Iterable[Found]) -> int:
    """Queue an import for each file that is new or changed and not queued yet; how many were queued."""
    by_id = {file_id(library, one.path): one for one in found}
    known = known_files(by_id)
    news = {
        identity: one
        for identity, one in by_id.items()
        if identity not in known or (known[identity].size, known[identity].mtime_ns) != (one.size, one.mtime_ns)
    }
    if not news:
        return 0
    with transaction.atomic():
        already = _lock_and_list_queued(library, news)
        jobs = [import_job(library, one.path) for identity, one in news.items() if identity not in already]
        defer_batch(jobs)
    return len(jobs)


def import_job(library: UUID, path: str, priority: int = 10) -> NewJob:
    """The job that imports one file."""
    args = {"library": str(library), "path": path, "file": str(file_id(library, path))}
    return NewJob("import_file", queue="files", args=args, priority=priority)


def scan_job(library: str) -> NewJob:
    """The job that looks through a library."""
    return NewJob("scan_library", queue="scan", args={"library": library}, priority=5)


def walk_files(root: Path, unreadable: list[str]) -> Iterator[Found]:
    """Every file below a folder, in any order; symbolic links to folders are not followed (they may loop)."""
    waiting = [os.fspath(root)]
    while waiting:
        folder = waiting.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            unreadable.append(path_to_text(os.path.relpath(folder, root)))
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not is_ignored_folder(entry.name):
                    waiting.append(entry.path)
            elif not is_ignored_file(entry.name):
                yield from _found(entry.path, root)


def found_at(path: Path, root: Path) -> Found | None:
    """The file at a path, or None when it is gone, no plain file, or to be ignored."""
    inside = path.relative_to(root).parts
    if any(is_ignored_folder(part) for part in inside[:-1]) or is_ignored_file(inside[-1]):
        return None
    return next(_found(os.fspath(path), root), None)


def is_ignored_folder(name: str) -> bool:
    return name.startswith(".") or name in _IGNORED_FOLDERS


def is_ignored_file(name: str) -> bool:
    return name.startswith(".") or name in _IGNORED_FILES


def _found(path: str, root: Path) -> Iterator[Found]:
    try:
        facts = Path(path).stat()
    except OSError:
        return  # gone since, or a link to nowhere
    if Path(path).is_file():
        yield Found(path_to_text(os.path.relpath(path, root)), facts.st_size, facts.st_mtime_ns)


def _lock_and_list_queued(library: UUID, files: Iterable[UUID]) -> set[UUID]:
    """Which of these files have an open import job; two scans of one library take turns until commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"scan:{library}"])
        cursor.execute(
            "SELECT args->>'file' FROM procrastinate_jobs"
            " WHERE task_name = 'import_file' AND status IN ('todo', 'doing') AND args->>'file' = ANY(%s)",
            [[str(file) for file in files]],
        )
        return {UUID(row[0]) for row in cursor.fetchall()}
