"""A file on disk: what it holds, told by its content, and its fingerprint, all from one read."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from workers.errors import PoisonError, TransientError
from workers.pipelines.kinds import KINDS, PICTURE_EXTENSIONS, Kind
from workers.pipelines.signatures import HEAD_BYTES, identify

__all__ = ["KINDS", "FileFacts", "Kind", "NotAPhoto", "identify", "not_a_photo", "read_file"]

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What one read of a file tells. `head_mismatch` says in words that name and content disagree."""

    sha256: str
    size: int
    mtime_ns: int
    kind: Kind
    head_mismatch: str | None


@dataclass(frozen=True, slots=True)
class NotAPhoto:
    """Why a file becomes no photo. `failed`: its owner expects a picture here, so it is listed as a failure."""

    code: str
    reason: str
    failed: bool


def read_file(path: Path) -> FileFacts:
    """Hash and identify a file in one pass.

    Raises OSError as it comes, PoisonError for what is no regular file (a pipe would block the reader for ever),
    TransientError while another program is still writing it.
    """
    # O_NONBLOCK: opening a pipe must not wait for a writer.
    with open(path, "rb", buffering=0, opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise PoisonError(
                "not-a-file",
                "This is not an ordinary file but a device, a pipe or a folder, so there is no picture to show. "
                "Nothing was changed.",
            )
        head, digest = b"", hashlib.sha256()
        while chunk := file.read(_CHUNK):
            head = head or chunk[:HEAD_BYTES]
            digest.update(chunk)
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise TransientError(
            "still-written",
            "Another program was still writing this file. It is read again by itself in a moment.",
        )
    kind = identify(head, after.st_size, path.name)
    return FileFacts(digest.hexdigest(), after.st_size, after.st_mtime_ns, kind, _mismatch(kind, path.name))


def not_a_photo(kind: Kind, name: str) -> NotAPhoto | None:
    """Why a file of this kind and name becomes no photo; None when it does."""
    pretends = _extension(name) in PICTURE_EXTENSIONS
    if kind.media in ("image", "raw", "video"):
        return None
    if kind.name in _HOLLOW:
        return NotAPhoto("empty", _HOLLOW[kind.name], failed=pretends)
    if kind.media == "sidecar" and not pretends:
        reason = f"This {kind.label} tells about other files and is no picture itself."
        return NotAPhoto("sidecar", reason, failed=False)
    if pretends:
        return NotAPhoto("not-a-picture", _pretending(kind, name), failed=True)
    what = "This kind of file is not known" if kind.name == "unknown" else f"This is a {kind.label}"
    return NotAPhoto("not-a-picture", f"{what}, so there is no photo to show. It is left alone.", failed=False)


_HOLLOW = {
    "empty": "This file is empty: it has a name but nothing inside, so there is no picture to show. "
    "Copy it again from the camera or a backup and press Retry.",
    "zeros": "This file holds nothing but zeros: its content was lost, often while copying or on a failing disk. "
    "There is no picture to show. Copy it again from the camera or a backup and press Retry.",
}


def _pretending(kind: Kind, name: str) -> str:
    said = f"This file is named like a picture (.{_extension(name)})"
    holds = (
        "holds something that is not a known kind of picture" if kind.name == "unknown" else f"is a {kind.label}"
    )
    return (
        f"{said} but {holds}. It is listed, untouched. Copy the picture again from where it came and press Retry."
    )


def _mismatch(kind: Kind, name: str) -> str | None:
    extension = _extension(name)
    if kind.media not in ("image", "raw", "video") or not extension or extension in kind.extensions:
        return None
    return f"The file is named .{extension} but holds: {kind.label}. Its content counts, not its name."


def _extension(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    return extension.lower() if dot and stem else ""
