"""Clears away the files of previews that newer ones have replaced, once those have stood for a day.

An edited original and a newer version of Filmroll leave them behind, for pages that were loaded before show them
still. What a photo's row names stays, as does what may be in the making; of a photo without a row, all of it.
"""

import os
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import structlog

from core.readmodels.photos import Photo
from core.storage import previews_folder
from workers.queue import defer
from workers.rendering import revision_today

TASK, QUEUE = "clear_previews", "operations"
GRACE_SECONDS = 24 * 3600
_SLICE_SECONDS = 5.0
_NAME = re.compile(r"([0-9a-f]{12}-[0-9]+)-.+\.webp")
_log = structlog.get_logger(__name__)

# The files of one photo, by their revision.
Files = dict[str, list[Path]]


def clear(after: str = "", seconds: float = _SLICE_SECONDS) -> int:
    """Go through the previews for some seconds, from behind a folder on, and hand on the rest; how many went."""
    gone, began = 0, time.monotonic()
    for name, folder in _folders(after):
        started = time.monotonic()
        gone += _clear(folder)
        if time.monotonic() - began > seconds:
            defer(TASK, args={"after": name}, queue=QUEUE)
            break
        # As long a rest as the work took: a disk of a million photos is busy with this for a while.
        time.sleep(min(0.5, time.monotonic() - started))
    if gone:
        _log.info("cleared away older previews", files=gone)
    return gone


def _folders(after: str) -> Iterator[tuple[str, Path]]:
    """The folders that hold photos' own ones, in the order of their names, such as "0a/f3"."""
    for first in _inside(previews_folder()):
        if first.name >= after[:2]:
            for second in _inside(first):
                name = f"{first.name}/{second.name}"
                if name > after:
                    yield name, second


def _inside(folder: Path) -> list[Path]:
    """The folders in a folder, by name."""
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []


def _clear(folder: Path) -> int:
    """Only where there is more than one revision is anything asked of the database."""
    found = {place.name: files for place in _inside(folder) if len(files := _files(place)) > 1}
    before = time.time() - GRACE_SECONDS
    photos = Photo.objects.filter(id__in=list(filter(None, map(_id_of, found)))) if found else []
    return sum(_clear_photo(photo, found[photo.id.hex], before) for photo in photos)


def _files(place: Path) -> Files:
    made: Files = defaultdict(list)
    for path in place.iterdir():
        if named := _NAME.fullmatch(path.name):
            made[named[1]].append(path)
    return made


def _id_of(name: str) -> UUID | None:
    try:
        return UUID(hex=name)
    except ValueError:
        return None


def _clear_photo(photo: Photo, files: Files, before: float) -> int:
    """Remove what is neither shown nor in the making, if what is shown has stood since `before`."""
    shown = [path for path in files.get(photo.revision, []) if path.stem.endswith(("-tile", "-large"))]
    if len(shown) < 2 or not all(_is_older(path, before) for path in shown):
        return 0
    kept = (photo.revision, revision_today(photo.sha256))
    others = [path for revision, paths in files.items() if revision not in kept for path in paths]
    gone = [path for path in others if _is_older(path, before)]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def _is_older(path: Path, moment: float) -> bool:
    try:
        return path.stat().st_mtime < moment
    except FileNotFoundError:
        return False
