"""File locks between processes: the kernel gives them back when their holders end, however they end."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path


class Busy(RuntimeError):
    """Somebody else has held the lock for too long."""


def take(path: Path, *, shared: bool = False) -> int | None:
    """Take the lock and return the open file that holds it, or None when somebody else is in the way.

    It is held until the file is closed in every process that has inherited it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    except OSError:
        os.close(file)
        raise
    return file


@contextlib.contextmanager
def turn(path: Path, seconds: float) -> Iterator[None]:
    """Wait for the lock, and hold it for the block. Raises Busy."""
    deadline = time.monotonic() + seconds
    while (file := take(path)) is None:
        if time.monotonic() > deadline:
            raise Busy(f"Another program has held {path} for more than {seconds:.0f} s.")
        time.sleep(0.05)
    try:
        yield
    finally:
        os.close(file)
