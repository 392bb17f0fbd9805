"""The only builder of file paths: previews in the data folder, originals under their library's root."""

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.conf import settings

_ESCAPED = "\\x"
_ROOM_LEFT = 512 << 20
# Less than uploads leave: what came last can be shown.
_PREVIEWS_LEAVE = 64 << 20


def path_to_text(path: bytes | str | os.PathLike[str]) -> str:
    """A path as text that any table and any JSON can hold; `text_to_path` turns it back.

    File names are bytes. Those that are UTF-8 stay as they are but for backslashes, which are doubled;
    bytes that are no UTF-8 become \\xNN.
    """
    decoded = os.fsdecode(path).replace("\\", "\\\\")
    return "".join(f"{_ESCAPED}{ord(c) - 0xDC00:02x}" if "\udc80" <= c <= "\udcff" else c for c in decoded)


def text_to_path(text: str) -> str:
    """The file-system path of a text made by `path_to_text`."""
    made: list[str] = []
    at = 0
    while at < len(text):
        if text[at : at + 2] == _ESCAPED:
            made.append(chr(0xDC00 + int(text[at + 2 : at + 4], 16)))
            at += 4
        elif text[at] == "\\":
            made.append("\\")
            at += 2
        else:
            made.append(text[at])
            at += 1
    return "".join(made)


def original_path(root: str, path: str) -> Path:
    """Where an original lies: the folder's root and the path inside it, both as `path_to_text` made them."""
    return folder_path(root) / text_to_path(path)


def folder_path(root: str) -> Path:
    """Where a library's folder lies. The root of a managed one is inside the folder of all uploads."""
    return originals_folder() / text_to_path(root)


def is_managed(root: str) -> bool:
    """Whether a folder is Filmroll's own, so that files may be put into it; all others are only read."""
    return not root.startswith("/")


def managed_root(account_id: UUID) -> str:
    """The root of the library that an account's uploads go to."""
    return account_id.hex


def managed_path(sha256: str, extension: str) -> str:
    """The path of an upload inside its library: by the hash of its content, in two levels of small folders."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}{'.' if extension else ''}{extension}"


def partial_path(upload_id: UUID) -> Path:
    """Where the bytes of an upload gather, on the disk of the originals so that it can be renamed into place."""
    return originals_folder() / "incoming" / upload_id.hex


def originals_folder() -> Path:
    """The folder of all uploads, with or without originals in it."""
    folder: Path = settings.ORIGINALS_DIR or settings.DATA_DIR / "originals"
    return folder


def room_for_originals() -> tuple[int, int]:
    """Bytes free on the disk of the originals, and those that are to stay free for the database's sake."""
    originals_folder().mkdir(parents=True, exist_ok=True)
    disk = shutil.disk_usage(originals_folder())
    return disk.free, min(_ROOM_LEFT, disk.total // 20)


def has_room_for_previews() -> bool:
    """Whether there is room in the data folder for more than the database needs to go on."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    disk = shutil.disk_usage(settings.DATA_DIR)
    return disk.free > min(_PREVIEWS_LEAVE, disk.total // 50)


def preview_path(photo_id: UUID, revision: str, name: str) -> Path:
    """Where a preview lies; `name` is "tile" or "large". Two levels of folders keep each one small."""
    return previews_of(photo_id) / f"{revision}-{name}.webp"


def previews_of(photo_id: UUID) -> Path:
    """The folder of one photo's previews, of all that was made from them, and of nothing else."""
    text = photo_id.hex
    return previews_folder() / text[:2] / text[2:4] / text


def previews_folder() -> Path:
    """The folder of all previews, with or without any in it."""
    folder: Path = settings.DATA_DIR / "previews"
    return folder


@contextlib.contextmanager
def working_folder() -> Iterator[Path]:
    """A folder for half-made files, on the disk of the previews so that they can be renamed into place."""
    parent = settings.DATA_DIR / "working"
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put_in_place(made: Path, final: Path) -> None:
    """Move a finished file to its place: its data on disk first, then one atomic rename, then the folder.

    A power cut leaves the whole file or none of it.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    _sync(made)
    try:
        made.replace(final)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _put_on_other_disk(made, final)
    _sync(final.parent)


def _put_on_other_disk(made: Path, final: Path) -> None:
    """Somebody has given the previews a disk of their own: renaming works there, once the file is on it."""
    beside = final.with_name(f".{final.name}.{os.getpid()}")
    try:
        shutil.copyfile(made, beside)
        _sync(beside)
        beside.replace(final)
    finally:
        beside.unlink(missing_ok=True)
    made.unlink()


def keep_original(made: Path, final: Path) -> None:
    """Move a finished upload to its place, for good: the folders that are new on the way are on disk as well."""
    _make_folder(final.parent)
    put_in_place(made, final)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync(folder.parent)


def clear_working_folders() -> None:
    """Remove what killed processes left half-made. For the start of a machine's first process only."""
    shutil.rmtree(settings.DATA_DIR / "working", ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
