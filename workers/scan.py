"""Walks through a library's folders and finds what is new, changed, gone or back.

The walk and the known files come in the same order, so they are laid side by side: a file that is known and
unchanged costs one stat and its share of a query, and nothing is written for it.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from core.commands.files import record_back, record_ignored, record_missing
from core.domain.files import file_id
from core.readmodels.files import FileState, PhotoFile
from core.readmodels.libraries import Folder, Library, folders_of
from core.storage import original_path, path_to_text
from core.turns import take_turns
from workers.actions import retry_jobs
from workers.disks import is_gone, is_reachable, look_below
from workers.halfmade import clear_if_left, is_called_so
from workers.ignoring import Rules
from workers.knownfiles import hold_places, known_file
from workers.queue import NewJob, defer_batch

_ACTOR = "worker:scan"
_BATCH = 1000
_KNOWN_BATCH = 20_000
# Why a file could not be read that may be readable now, though neither its size nor its time has changed.
_CURABLE = ("no-permission", "file-missing", "storage-away", "disk-error")


@dataclass(frozen=True, slots=True)
class Found:
    """A file at a path inside its folder (text as `core.storage` makes it)."""

    path: str
    size: int
    mtime_ns: int


@dataclass(slots=True)
class ScanResult:
    """What one walk came to; `unreadable` names folders that could not be entered, `offline` those not there."""

    files: int = 0
    queued: int = 0
    back: int = 0
    missing: int = 0
    ignored: int = 0
    unreadable: list[str] = field(default_factory=list)
    offline: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def scan_folders(library: Library) -> dict[str, Any]:
    """Walk through a library; what came of it, for the job's page."""
    result = ScanResult()
    for folder in [] if library.removed else folders_of(library.id):
        if is_reachable(folder.id):
            scan(folder, Rules(library.ignore_rules), result)
        else:
            result.offline.append(folder.root)
    return result.as_json()


def scan(folder: Folder, rules: Rules, result: ScanResult) -> None:
    """Walk through one folder that is there."""
    away = look_below(folder)
    result.offline += [f"{folder.root}/{mount.path}" for mount in away]
    walk = walk_files(folder.place, rules, result.unreadable, clearing=True)
    found: list[Found] = []
    left: list[str] = []
    for path, size, mtime_ns, is_there in _beside(walk, _known(folder.id), result):
        if is_there:
            found.append(Found(path, size, mtime_ns))
        else:
            left.append(path)
        if len(found) >= _BATCH:
            _take(folder, found, result)
            found = []
        if len(left) >= _BATCH:
            _let_go(folder, rules, left, result)
            left = []
    _take(folder, found, result)
    _let_go(folder, rules, left, result)


Seen = tuple[str, int, int]
# Path, size, time, and whether it is a file at rest: known, there when last seen, and with nothing to cure.
Known = tuple[str, int, int, bool, bool]


def _beside(
    walk: Iterator[Seen], known: Iterator[Known], result: ScanResult
) -> Iterator[tuple[str, int, int, bool]]:
    """Lay both in order side by side: files to look at closer (True), known ones that the walk lacks (False)."""
    row = next(known, None)
    files = 0
    for path, size, mtime_ns in walk:
        files += 1
        while row is not None and row[0] < path:
            if not row[4]:
                yield row[0], 0, 0, False
            row = next(known, None)
        if row is None or row[0] != path:
            yield path, size, mtime_ns, True
            continue
        if row[1] != size or row[2] != mtime_ns or not row[3]:
            yield path, size, mtime_ns, True
        row = next(known, None)
    while row is not None:
        if not row[4]:
            yield row[0], 0, 0, False
        row = next(known, None)
    result.files += files


def _known(folder: UUID) -> Iterator[Known]:
    """What is known of a folder, in the order of the paths' bytes, in batches: no transaction stays open."""
    after = ""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT path, size, mtime_ns, missing_since IS NULL AND NOT (state = 'failed' AND code = ANY(%s)),"
                " missing_since IS NOT NULL"
                " FROM photo_file WHERE folder_id = %s AND path > %s ORDER BY path LIMIT %s",
                [list(_CURABLE), folder, after, _KNOWN_BATCH],
            )
            rows = cursor.fetchall()
        yield from rows
        if len(rows) < _KNOWN_BATCH:
            return
        after = rows[-1][0]


def _take(folder: Folder, found: list[Found], result: ScanResult) -> None:
    queued, back = take_up(folder, found)
    result.queued += queued
    result.back += back


def _let_go(folder: Folder, rules: Rules, paths: list[str], result: ScanResult) -> None:
    blind = [f"{name}/" for name in result.unreadable]
    seen = [path for path in paths if not any(path.startswith(prefix) for prefix in blind)]
    ignored = {path for path in seen if rules.leaves_out(path)}
    result.missing += let_go(folder, [path for path in seen if path not in ignored])
    rows = list(PhotoFile.objects.filter(folder_id=folder.id, path__in=ignored)) if ignored else []
    record_ignored([known_file(row) for row in rows], actor=_ACTOR)
    result.ignored += len(rows)


def let_go(folder: Folder, paths: Iterable[str]) -> int:
    """Record as missing what is not there any more, in one batch; how many. Nothing while the disk is away."""
    rows = PhotoFile.objects.filter(folder_id=folder.id, path__in=list(paths), missing_since=None)
    gone = [known_file(row) for row in rows if is_gone(original_path(folder.root, row.path))]
    if not gone or not is_reachable(folder.id):
        return 0
    away = look_below(folder)
    lost = [file for file in gone if not any(mount.holds(file.path) for mount in away)]
    record_missing(lost, actor=_ACTOR)
    return len(lost)


def take_up(folder: Folder, found: Iterable[Found], *, just_written: bool = False) -> tuple[int, int]:
    """Take up files that are new, changed or back: how many were queued for import, and how many simply are back.

    `just_written` files are read again even while an import of them runs, for it may have read too early.
    """
    by_id = {file_id(folder.id, one.path): one for one in found}
    if not by_id:
        return 0, 0
    known = PhotoFile.objects.in_bulk(list(by_id))
    back = _record_back(folder, [row.id for row in known.values() if _is_back(row, by_id[row.id])], by_id)
    same = {row.id for row in back} | {row.id for row in known.values() if _is_same(row, by_id[row.id], folder)}
    news = {identity: one for identity, one in by_id.items() if identity not in same}
    return (_queue_imports(folder, news, just_written) if news else 0), len(back)


def _record_back(folder: Folder, rows: list[UUID], found: dict[UUID, Found]) -> list[PhotoFile]:
    """Those of these files that were missing and simply are back."""
    if not rows:
        return []
    with transaction.atomic():
        hold_places(folder.id, alone=True)
        back = [row for row in PhotoFile.objects.filter(id__in=rows) if _is_back(row, found[row.id])]
        record_back([known_file(row) for row in back], actor=_ACTOR)
    return back


def _queue_imports(folder: Folder, files: dict[UUID, Found], just_written: bool) -> int:
    with transaction.atomic():
        opened = _lock_and_list_open(folder.id, files)
        if just_written:
            # What waits for its next try has its reason to try now.
            retry_jobs([job for _, job, status, waits in opened if status == "todo" and waits], actor="watch")
            opened = [row for row in opened if row[2] == "todo"]
        already = {file for file, *_ in opened}
        jobs = [import_job(folder, one.path) for identity, one in files.items() if identity not in already]
        defer_batch(jobs)
    return len(jobs)


def queue_scans(libraries: Iterable[UUID]) -> int:
    """Queue a scan for each library that has none waiting; how many were queued."""
    wanted = [str(library) for library in libraries]
    with transaction.atomic(), connection.cursor() as cursor:
        take_turns("queue scans")
        cursor.execute(
            "SELECT args->>'library' FROM procrastinate_jobs"
            # By its queue: of two hundred thousand jobs that wait, few are in this one, and an index knows them.
            " WHERE queue_name = 'scan' AND task_name = 'scan_library' AND status = 'todo'"
            " AND args->>'library' = ANY(%s)",
            [wanted],
        )
        waiting = {row[0] for row in cursor.fetchall()}
        return len(defer_batch([scan_job(library) for library in wanted if library not in waiting]))


def import_job(folder: Folder, path: str, priority: int = 10) -> NewJob:
    """The job that imports one file."""
    return import_job_of(folder.library_id, folder.id, path, priority)


def import_job_of(library: UUID, folder: UUID, path: str, priority: int = 10) -> NewJob:
    """The same, for those who only know the ids."""
    args = {"library": str(library), "path": path, "file": str(file_id(folder, path))}
    place = {"folder": str(folder)} if folder != library else {}
    return NewJob("import_file", queue="files", args=args | place, priority=priority)


def scan_job(library: str) -> NewJob:
    """The job that looks through a library."""
    return NewJob("scan_library", queue="scan", args={"library": library}, priority=5)


def walk_files(
    root: Path, rules: Rules, unreadable: list[str], below: str = "", *, clearing: bool = False
) -> Iterator[Seen]:
    """Every file below a folder in the order of the paths' bytes: path as text, size, time.

    Symbolic links to files are followed, links to folders are not (they may loop). `below` starts further down.
    `clearing` removes what a killed process left half-made there.
    """
    start = os.fspath(original_path(path_to_text(root), below)) if below else os.fspath(root)
    stack: list[Iterator[tuple[Any, ...]]] = [iter([(f"{below}/" if below else "", start)])]
    while stack:
        for entry in stack[-1]:
            if len(entry) == 2:
                stack.append(iter(_listed(*entry, rules, unreadable, clearing)))
                break
            yield entry  # a file: path, size, time
        else:
            stack.pop()


def _listed(
    prefix: str, folder: str, rules: Rules, unreadable: list[str], clearing: bool
) -> list[tuple[Any, ...]]:
    """What is in one folder, in order: files as (path, size, time), folders as (path with a slash, place)."""
    made: list[tuple[Any, ...]] = []
    try:
        entries = os.scandir(folder)
    except OSError:
        unreadable.append(prefix.rstrip("/"))
        return made
    with entries:
        for entry in entries:
            name = entry.name
            text = name if name.isascii() and "\\" not in name else path_to_text(name)
            path = prefix + text
            if entry.is_dir(follow_symlinks=False):
                if not rules.leaves_out_folder(text, path):
                    made.append((f"{path}/", entry.path))
                continue
            if rules.leaves_out_file(text, path):
                if clearing and is_called_so(name):
                    clear_if_left(Path(entry.path))
                continue
            try:
                facts = entry.stat()
            except OSError:
                continue  # gone since, or a link to nowhere
            if stat.S_ISREG(facts.st_mode):
                made.append((path, facts.st_size, facts.st_mtime_ns))
    made.sort(key=_path)
    return made


def _path(entry: tuple[Any, ...]) -> str:
    return str(entry[0])


def found_at(root: Path, path: str, rules: Rules) -> Found | None:
    """The file at a path inside a folder, or None when it is gone, no plain file, or to be left out."""
    if rules.leaves_out(path):
        return None
    try:
        facts = original_path(path_to_text(root), path).stat()
    except OSError:
        return None
    return Found(path, facts.st_size, facts.st_mtime_ns) if stat.S_ISREG(facts.st_mode) else None


def _is_back(row: PhotoFile, found: Found) -> bool:
    unchanged = (row.size, row.mtime_ns) == (found.size, found.mtime_ns)
    return row.missing_since is not None and row.state == FileState.INDEXED and unchanged


def _is_same(row: PhotoFile, found: Found, folder: Folder) -> bool:
    if row.missing_since is not None or (row.size, row.mtime_ns) != (found.size, found.mtime_ns):
        return False
    curable = row.state == FileState.FAILED and row.code in _CURABLE
    return not (curable and os.access(original_path(folder.root, found.path), os.R_OK))


def _lock_and_list_open(folder: UUID, files: Iterable[UUID]) -> list[tuple[UUID, int, str, bool]]:
    """The open import jobs of these files: file, job, status, and whether it waits for a later time.

    Two scans of one folder take turns until commit.
    """
    take_turns(f"scan:{folder}")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args->>'file', id, status::text, scheduled_at IS NOT NULL FROM procrastinate_jobs"
            " WHERE task_name = 'import_file' AND status IN ('todo', 'doing') AND args->>'file' = ANY(%s)",
            [[str(file) for file in files]],
        )
        return [(UUID(row[0]), *row[1:]) for row in cursor.fetchall()]
