"""Knows where disks are mounted, and hears of changes, from the kernel's own table: no timer, nothing at rest.

inotify alone does not tell of a disk that is mounted over a folder, nor of a bind mount that goes away.
"""

import asyncio
import os
import re
import select
from collections.abc import Callable
from pathlib import Path

_TABLE = "/proc/self/mountinfo"


def mounted_below(root: Path) -> frozenset[str]:
    """Where disks are mounted below a folder: paths inside it, as the file system has them."""
    try:
        table = Path(_TABLE).read_bytes()
    except OSError:
        return frozenset()  # the system has no such table
    places = (os.fsdecode(_unescaped(line.split(b" ")[4])) for line in table.splitlines())
    start = os.path.realpath(root).rstrip("/") + "/"
    return frozenset(place[len(start) :] for place in places if place.startswith(start))


def _unescaped(field: bytes) -> bytes:
    """The kernel writes blanks, tabs, newlines and backslashes as octal numbers."""
    return re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), field)


class Mounts:
    """Calls whoever listens when the table of mounts has changed. Belongs to one event loop."""

    def __init__(self) -> None:
        self._listeners: set[Callable[[], None]] = set()

    def open(self) -> Callable[[], None]:
        """Begin to listen; the answer ends it. Does nothing where the system has no such table."""
        try:
            table = open(_TABLE, "rb")  # noqa: SIM115  # closed by the answer
        except OSError:
            return lambda: None
        # The table always counts as readable, so the loop is given the one question that matters to wait on.
        question = select.epoll()
        question.register(table, select.EPOLLPRI | select.EPOLLERR)
        loop = asyncio.get_running_loop()

        def changed() -> None:
            question.poll(0)
            for tell in list(self._listeners):
                tell()

        def close() -> None:
            loop.remove_reader(question.fileno())
            question.close()
            table.close()

        loop.add_reader(question.fileno(), changed)
        return close

    def add(self, tell: Callable[[], None]) -> None:
        self._listeners.add(tell)

    def remove(self, tell: Callable[[], None]) -> None:
        self._listeners.discard(tell)
