"""The bytes of uploads that are under way, on disk: one file each, one writer at a time."""

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

from core.domain.uploads import NoRoom, TooMuch, UploadBusy, UploadNotFound

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def length_of(path: Path) -> int:
    """How many bytes have come: what the disk has, whatever a process knew that was killed."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@contextmanager
def exclusive(path: Path) -> Iterator[FileIO]:
    """The file, for this request alone. The system's lock ends with the process.

    Raises UploadBusy, UploadNotFound when it was thrown away meanwhile, NoRoom.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise _named(error) from error
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UploadBusy("Another request is writing to this upload. Try again in a moment.") from error
        if os.fstat(file.fileno()).st_nlink == 0:
            raise UploadNotFound(path.name)
        yield file


def append(file: FileIO, chunks: Iterable[bytes], limit: int, digest: "hashlib._Hash | None" = None) -> int:
    """Write what comes behind what is there, and have it on disk; the file's length then.

    Raises TooMuch beyond `limit` (nothing of it is kept), NoRoom when the disk is full (what fitted is kept).
    """
    at = begin = file.seek(0, os.SEEK_END)
    try:
        for chunk in chunks:
            if at + len(chunk) > limit:
                file.truncate(begin)
                raise TooMuch("More bytes came than had been announced; none of them was kept.")
            at += _write(file, chunk)
            if digest is not None:
                digest.update(chunk)
        os.fsync(file.fileno())
    except OSError as error:
        raise _named(error) from error
    return at


def hash_of(file: FileIO) -> str:
    """The SHA-256 of the whole file, in hex."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def _write(file: FileIO, chunk: bytes) -> int:
    rest: Any = memoryview(chunk)
    while rest:
        rest = rest[file.write(rest) :]
    return len(chunk)


def _named(error: OSError) -> Exception:
    if error.errno not in _FULL:
        return error
    return NoRoom("The server's disk is full. What has come so far is kept; it can go on once there is room.")
