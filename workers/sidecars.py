"""Which pictures a sidecar tells about, in whatever order they are found, and what becomes of what it says."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.conf import settings
from django.db import transaction

from core.commands import sidecars as commands
from core.domain.files import file_id
from core.domain.sidecars import SidecarGone, SidecarRead, picture_names, sidecar_names
from core.readmodels.files import FileState, PhotoFile
from core.readmodels.libraries import Folder
from core.readmodels.sidecars import Sidecar, sidecars_in_file
from core.readmodels.uploads import name_of_upload, uploads_beside, uploads_called
from core.storage import is_managed, original_path, path_to_text, text_to_path
from core.turns import take_turns
from workers.children import run_in_child
from workers.pipelines.files import FileFacts, NotAPhoto
from workers.pipelines.kinds import KINDS, PICTURE_EXTENSIONS
from workers.pipelines.sidecars import ABOUT_PICTURES, SidecarContent, read_sidecar
from workers.queue import NewJob, defer_batch

_ACTOR = "worker:import"
_SECONDS = 20
SIDECAR = "sidecar"
_REASONS = {
    "sidecar": "This XMP file tells about the picture beside it and is shown with it, as its source of facts.",
    "takeout": "These notes of Google Photos tell about the picture beside them and are shown with it.",
    "aae": "Apple's list of edits to the picture beside it. Filmroll shows the picture as its file has it.",
    "album": "These are the notes of Google Photos on an album, not on a picture.",
}


def read_beside(folder: Folder, path: str, facts: FileFacts) -> tuple[SidecarContent, NotAPhoto | None]:
    """What a sidecar says, and how it is listed; None where it is no sidecar after all. Raises PoisonError."""
    content = run_in_child(
        "decode",
        read_sidecar,
        original_path(folder.root, path),
        facts.kind,
        seconds=_SECONDS,
        memory_mib=settings.CHILD_MEMORY_MIB,
    )
    reason = _REASONS.get(content.source)
    return content, NotAPhoto(SIDECAR, reason, failed=False) if reason else None


def attach(folder: Folder, path: str, sha256: str, content: SidecarContent) -> int:
    """Let the photos know what the sidecar says; how many there are. What it said of others counts no longer."""
    file = file_id(folder.id, path)
    wanted = set(_photos_of(folder, path, content)) if content.source in ABOUT_PICTURES else set()
    name = name_of_upload(file) if is_managed(folder.root) else ""
    read = SidecarRead(file, path, content.source, sha256, content.facts, content.notes, name)
    with transaction.atomic():
        hold(file)
        known = {row.photo_id: row for row in sidecars_in_file(file)}
        # In one order, so that two sidecars of the same photos wait for one another and no more.
        for photo in sorted(known.keys() | wanted):
            if photo not in wanted:
                commands.record_sidecar_gone(photo, SidecarGone(file, path), actor=_ACTOR)
            elif photo not in known or known[photo].sha256 != sha256:
                commands.record_sidecar(photo, read, actor=_ACTOR)
    return len(wanted)


def forget(file: UUID) -> None:
    """What a sidecar said counts no longer: it is gone, or is no sidecar any more."""
    with transaction.atomic():
        hold(file)
        for row in sidecars_in_file(file):
            commands.record_sidecar_gone(row.photo_id, SidecarGone(file, row.path), actor=_ACTOR)


def call_for(folder: Folder, path: str) -> int:
    """Have the sidecars read that lie beside a picture which was found just now; how many.

    Both sides look for the other after they are committed themselves, so whoever is second finds the first.
    """
    ids = _lying_beside(folder, path, sidecar_names(_last_of(path)))
    if is_managed(folder.root):
        # All of that name: each looks for itself which picture it came with.
        ids += uploads_called(folder.library_id, sidecar_names(_own_name(folder, path)))
    there = PhotoFile.objects.filter(id__in=ids, state=FileState.SKIPPED, code=SIDECAR)
    jobs = [_import_job(folder, row.path, row.id) for row in there]
    return len(defer_batch(jobs))


def hold(file: UUID) -> None:
    """Until commit, nobody else reads or writes this sidecar."""
    take_turns(f"sidecar:{file}")


def is_known(file: UUID) -> bool:
    """Whether any photo has facts from this file."""
    return Sidecar.objects.filter(file_id=file).exists()


def _import_job(folder: Folder, path: str, file: UUID) -> NewJob:
    args = {"library": str(folder.library_id), "path": path, "file": str(file), "folder": str(folder.id)}
    return NewJob("import_file", queue="files", args=args, priority=15)


def _photos_of(folder: Folder, path: str, content: SidecarContent) -> Iterable[UUID]:
    for group in picture_names(_own_name(folder, path), PICTURE_EXTENSIONS, content.title):
        ids = _files_beside(folder, path, group)
        rows = PhotoFile.objects.filter(id__in=ids, state=FileState.INDEXED, photo_id__isnull=False)
        if found := list(rows):
            return _raw_first(found, content.source)
    return []


def _own_name(folder: Folder, path: str) -> str:
    """What its owner calls a file: uploads lie under hashes, and beside them what Filmroll itself wrote."""
    name = name_of_upload(file_id(folder.id, path)) if is_managed(folder.root) else ""
    return name or _last_of(path)


def _files_beside(folder: Folder, path: str, names: Sequence[str]) -> list[UUID]:
    """The ids of files of these names in one's folder; where it is an upload, of those that came with it."""
    if is_managed(folder.root) and name_of_upload(file_id(folder.id, path)):
        return uploads_beside(file_id(folder.id, path), names)
    return _lying_beside(folder, path, names)


def _lying_beside(folder: Folder, path: str, names: Sequence[str]) -> list[UUID]:
    inside = text_to_path(path).rpartition("/")[0]
    return [file_id(folder.id, path_to_text(f"{inside}/{one}" if inside else one)) for one in names]


def _last_of(path: str) -> str:
    return text_to_path(path).rpartition("/")[2]


def _raw_first(rows: list[PhotoFile], source: str) -> Iterable[UUID]:
    """IMG_1.xmp beside IMG_1.NEF and IMG_1.jpg is the RAW's: of other pictures, programs write into the file."""
    raw = [row for row in rows if source == "sidecar" and KINDS[row.kind].media == "raw"]
    return [row.photo_id for row in raw or rows if row.photo_id is not None]
