"""Wakes the supervisor when the embedded database's server may have ended or been told to stop.

The kernel tells: of the end of a process by its file descriptor, of a change to postmaster.pid by inotify.
Where it cannot (another system than Linux, no inotify watch left) the caller looks every two seconds.
"""

import asyncio
import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

_PATIENCE = 2.0
# inotify(7): a file in the folder was written to, renamed to here, made, or deleted.
_CHANGED = 0x2 | 0x80 | 0x100 | 0x200


class Alarm:
    """`rings` returns when something may have changed since the alarm was set."""

    def __init__(self) -> None:
        self.woken = asyncio.Event()
        self.patience: float | None = None

    async def rings(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.patience):
                await self.woken.wait()


@contextlib.contextmanager
def alarm(cluster: Path, pid: int | None) -> Iterator[Alarm]:
    """Set it first, look then: what changes in between rings at once."""
    made = Alarm()
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(_read(_folder_watch(cluster), made.woken))
            if pid is not None:
                held.enter_context(_read(os.pidfd_open(pid), made.woken))
        except ProcessLookupError:
            made.woken.set()
        except (OSError, AttributeError):
            made.patience = _PATIENCE
        yield made


@contextlib.contextmanager
def _read(file: int, woken: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    try:
        loop.add_reader(file, woken.set)
        yield
    finally:
        loop.remove_reader(file)
        os.close(file)


def _folder_watch(folder: Path) -> int:
    """An open file that can be read from once something directly in the folder has changed.

    Raises AttributeError where there is no inotify, OSError when the kernel gives no watch.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    file: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if file < 0:
        raise OSError(ctypes.get_errno(), "inotify_init1")
    if libc.inotify_add_watch(file, os.fsencode(folder), _CHANGED) < 0:
        os.close(file)
        raise OSError(ctypes.get_errno(), "inotify_add_watch")
    return file
