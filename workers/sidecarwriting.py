"""Puts what is known of a photo into the XMP sidecar beside its original, when somebody wants it there.

Lightroom reads IMG_1.xmp beside a RAW file, and nothing beside other pictures; darktable and digiKam read
IMG_1.jpg.xmp beside any. So a RAW file has IMG_1.xmp, every other IMG_1.jpg.xmp, and a sidecar that is there
already, under either name, is the one that is added to.

What was uploaded is an original: its sidecar stays as it came, and Filmroll's own lies beside the picture.
"""

import contextlib
import errno
import hashlib
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from core.commands import sidecars as commands
from core.domain.facts import Rank, rank_of
from core.domain.files import file_id
from core.domain.sidecars import SidecarNotWritten, SidecarWritten
from core.readmodels.facts import sidecars_in_order
from core.readmodels.libraries import Folder, folder_by_id
from core.readmodels.photos import Photo
from core.readmodels.sidecars import sidecars_of_photo
from core.storage import is_managed, original_path, put_in_place
from workers.children import run_in_child
from workers.errors import PoisonError, TransientError
from workers.halfmade import half_made
from workers.pipelines.xmpwriting import PROPERTIES, merge_xmp
from workers.sidecars import hold

_ACTOR = "worker:sidecar"
_SECONDS = 20
_LARGEST = 16 << 20
_RACES = 3
_TOGETHER = {"latitude": ("longitude", "altitude"), "taken_at": ("taken_offset",)}
_REFUSALS = {
    errno.EROFS: "The folder can only be read, so nothing can be written beside the photo.",
    errno.EACCES: "Filmroll's user has no right to write in this folder.",
    errno.EPERM: "Filmroll's user has no right to write in this folder.",
    # The picture's own name has 252 to 255 bytes: with “.xmp” behind it there is no room on any disk.
    errno.ENAMETOOLONG: "The picture's name is so long that no name is left for a sidecar beside it.",
    errno.ELOOP: "The sidecar's name is a link that leads in a circle.",
}


def write_sidecar(photo: Photo) -> str:
    """Write the sidecar of a photo; the answer says in a few words what became of it.

    What will not become better by itself is told in the photo's history, and nothing else happens.
    Raises TransientError for a sidecar that another program is writing, and the disk's other OSErrors.
    """
    path = ""
    try:
        path = sidecar_path(photo)
        for _ in range(_RACES - 1):
            # Two jobs of one photo, or another program, at the same time: read again what is there now.
            with contextlib.suppress(TransientError):
                return _write(photo, path)
        return _write(photo, path)
    except PoisonError as refused:
        reason = refused.reason
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        reason = _REFUSALS[error.errno]
    commands.record_sidecar_not_written(photo.id, SidecarNotWritten(path, reason), actor=_ACTOR)
    return "not written"


def sidecar_path(photo: Photo) -> str:
    """Where the sidecar of a photo lies or is to lie, inside its folder."""
    root = folder_by_id(photo.folder_id).root
    if is_managed(root):
        return _called_after(photo.path, photo)
    there = [row.path for row in sidecars_of_photo(photo.id) if row.source == "sidecar"]
    if there:
        return max(there, key=len)
    plain, wanted = f"{photo.path}.xmp", _called_after(photo.path, photo)
    there = [one for one in (plain, wanted) if _lies(original_path(root, one))]
    return (there or [wanted])[0]


def _lies(place: Path) -> bool:
    """Whether anything lies there; never under a name that is too long for any disk."""
    try:
        return place.exists()
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return False


def _called_after(picture: str, photo: Photo) -> str:
    """The sidecar's name, or path, for that of its picture."""
    stem, dot, _ = picture.rpartition(".")
    return f"{stem if dot and photo.media == 'raw' else picture}.xmp"


def facts_to_write(facts: dict[str, Any]) -> dict[str, Any]:
    """What is worth keeping beside the original: nothing that was only guessed from its name or time."""
    known = {name: fact["value"] for name, fact in facts.items() if rank_of(fact["source"]) <= Rank.FILE}
    wanted = [name for fact in PROPERTIES for name in (fact, *_TOGETHER.get(fact, ()))]
    return {name: known[name] for name in wanted if name in known}


def _write(photo: Photo, path: str) -> str:
    folder = folder_by_id(photo.folder_id)
    # Through a symbolic link, the file that it leads to.
    place = Path(os.path.realpath(original_path(folder.root, path)))
    before, packet = _read(place)
    photo.refresh_from_db()
    packet = _uploaded(photo, folder, path) or packet
    facts = facts_to_write(photo.facts)
    merged: bytes = run_in_child(
        "decode", merge_xmp, packet, facts, seconds=_SECONDS, memory_mib=settings.CHILD_MEMORY_MIB
    )
    if merged == packet:
        return "nothing new"
    file = file_id(folder.id, path)
    name = _called_after(photo.name, photo) if is_managed(folder.root) else ""
    written = SidecarWritten(file, path, hashlib.sha256(merged).hexdigest(), facts, name)
    mode = place.stat().st_mode & 0o7777 if before else 0o666 & ~_umask()
    made = half_made(place.parent, merged, mode)
    try:
        # Whoever finds the new file waits for the event that says whose it is.
        with transaction.atomic():
            hold(file)
            commands.record_sidecar_written(photo.id, written, actor=_ACTOR)
            if _state(place) != before:
                raise TransientError("still-written", "Another program changed the sidecar just now.")
            put_in_place(made, place)
    finally:
        made.unlink(missing_ok=True)
    return path


def _uploaded(photo: Photo, folder: Folder, own: str) -> bytes | None:
    """The sidecar that came with an upload, where it counts more than what Filmroll wrote."""
    if not is_managed(folder.root):
        return None
    paths = [one["path"] for one in sidecars_in_order(photo.said) if one["source"] == "sidecar"]
    return _read(original_path(folder.root, paths[0]))[1] if paths and paths[0] != own else None


def _read(place: Path) -> tuple[tuple[int, int] | None, bytes | None]:
    before = _state(place)
    if before is None:
        return None, None
    if not place.is_file():  # who opens a pipe waits for whoever writes into it
        raise PoisonError("sidecar-unreadable", "There is something of the sidecar's name that is no file.")
    if before[0] > _LARGEST:
        raise PoisonError("sidecar-unreadable", "There is a sidecar already that is larger than 16 MB.")
    return before, place.read_bytes()


def _umask() -> int:
    for line in Path("/proc/self/status").read_text().splitlines() if Path("/proc/self/status").exists() else []:
        if line.startswith("Umask:"):
            return int(line.split()[1], 8)
    return 0o022


def _state(place: Path) -> tuple[int, int] | None:
    try:
        seen = place.stat()
    except FileNotFoundError:
        return None
    return seen.st_size, seen.st_mtime_ns
