"""The hidden files in which sidecars are made beside photos, and what is left when a process is killed."""

import contextlib
import functools
import os
import re
import stat
import tempfile
import time
from pathlib import Path

_PREFIX, _SUFFIX = ".filmroll-", ".tmp"
# As `tempfile` makes them; such files are nobody's pictures, whatever the rules of a library say.
NAMES = f"{_PREFIX}{'[a-z0-9_]' * 8}{_SUFFIX}"
_NAME = re.compile(rf"\{_PREFIX}[a-z0-9_]{{8}}\{_SUFFIX}")
# A writer needs seconds, but clocks of disks elsewhere are not ours.
_OLD_SECONDS = 3600


def half_made(folder: Path, content: bytes, mode: int) -> Path:
    """The content in a hidden file of this folder, to be renamed into place."""
    _clear_once(folder, int(time.monotonic() // _OLD_SECONDS))
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=_PREFIX, suffix=_SUFFIX)
    made = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        made.chmod(mode)
    except OSError:
        made.unlink(missing_ok=True)
        raise
    return made


def is_called_so(name: str) -> bool:
    """Whether a file has the name of one of these."""
    return name.startswith(_PREFIX) and _NAME.fullmatch(name) is not None


def clear_if_left(path: Path) -> None:
    """Remove a file that a killed process left: one of that name, older than an hour, with our beginning or empty.

    What cannot be read or removed stays.
    """
    with contextlib.suppress(OSError):
        if is_called_so(path.name) and _is_old(path) and _is_ours(path):
            path.unlink()


@functools.lru_cache(maxsize=256)
def _clear_once(folder: Path, hour: int) -> None:  # noqa: ARG001  # once an hour: folders may hold very many files
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if is_called_so(entry.name)]
    for name in names:
        clear_if_left(folder / name)


def _is_old(path: Path) -> bool:
    seen = path.lstat()
    return stat.S_ISREG(seen.st_mode) and seen.st_mtime < time.time() - _OLD_SECONDS


def _is_ours(path: Path) -> bool:
    """A process may have been killed before it wrote all of it, or any."""
    from workers.pipelines.xmpwriting import BEGIN  # few programs ever find one

    with path.open("rb") as file:
        return BEGIN.startswith(file.read(len(BEGIN)))
