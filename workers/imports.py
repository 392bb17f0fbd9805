"""What becomes of a file that was found: a photo, one more copy of one, or a file that is not shown."""

from pathlib import Path

from django.conf import settings

from core.commands.files import skip_file
from core.commands.photos import import_photo, remove_file
from core.domain import photos
from core.domain.files import FileSkipped, file_id
from core.readmodels.files import PhotoFile
from core.readmodels.libraries import Library
from core.storage import original_path, text_to_path
from workers.children import run_in_child
from workers.errors import PoisonError, TransientError
from workers.pipelines.files import FileFacts, read_file
from workers.pipelines.metadata import METADATA_VERSION, Metadata, read_metadata

_ACTOR = "worker:import"
_METADATA_SECONDS = 20
_PICTURE_ENDINGS = frozenset(
    f".{ending}"
    for kinds in (
        ("jpg", "jpeg", "jpe", "png", "apng", "webp", "gif", "tif", "tiff", "bmp", "mpo", "jp2", "jxl"),
        ("heic", "heif", "avif"),
        ("cr2", "cr3", "crw", "nef", "arw", "raf", "rw2", "orf", "pef", "dng", "srw", "kdc"),
    )
    for ending in kinds
)


def import_found(library: Library, path: str) -> str:
    """Import one file; the answer says in a few words what became of it.

    Raises PoisonError for a file that calls itself a picture and is none, TransientError for one that is
    still being written, OSError for one that cannot be read.
    """
    original = original_path(library.root, path)
    try:
        facts = read_file(original)
    except FileNotFoundError:
        if Path(text_to_path(library.root)).is_dir():
            return "gone before it was read"
        raise
    _check_settled(original, facts)
    kind = facts.kind
    if kind.media in ("image", "raw"):
        return _import_picture(library, path, original, facts)
    if kind.media == "video":
        return _skip(library, path, facts, "video", "Videos are not yet supported. The file stays as it is.")
    if original.suffix.lower() in _PICTURE_ENDINGS:
        raise _no_picture(original, facts)
    return _skip(library, path, facts, "no-photo", "Not a photo: sidecars, documents and other files.")


def _import_picture(library: Library, path: str, original: Path, facts: FileFacts) -> str:
    said: Metadata = run_in_child(
        "decode",
        read_metadata,
        original,
        facts.kind,
        seconds=_METADATA_SECONDS,
        memory_mib=settings.CHILD_MEMORY_MIB,
    )
    file = photos.OriginalFile(file_id(library.id, path), path, facts.size, facts.mtime_ns)
    kind, mismatch = facts.kind, facts.head_mismatch or ""
    found = photos.PhotoImported(library.id, file, facts.sha256, kind.name, kind.media, kind.mime, mismatch)
    read = photos.MetadataRead(
        METADATA_VERSION,
        {name: photos.Fact(fact.value, fact.source) for name, fact in said.facts.items()},
        tuple(said.notes),
    )
    before = PhotoFile.objects.filter(id=file.id).values_list("photo_id", flat=True).first()
    photo = import_photo(found, read, actor=_ACTOR)
    if before is not None and before != photo:
        remove_file(before, file.id, "replaced", actor=_ACTOR)
    return f"photo {photo}"


def _skip(library: Library, path: str, facts: FileFacts, code: str, reason: str) -> str:
    kind = facts.kind.name
    skip_file(FileSkipped(library.id, path, facts.size, facts.mtime_ns, kind, code, reason), actor=_ACTOR)
    return f"skipped: {code}"


def _check_settled(original: Path, facts: FileFacts) -> None:
    """A file that changed while it was read is still being written: its time will come."""
    now = original.stat()
    if (now.st_size, now.st_mtime_ns) != (facts.size, facts.mtime_ns):
        raise TransientError("still-changing", "This file is still being written. It is tried again shortly.")


def _no_picture(original: Path, facts: FileFacts) -> PoisonError:
    if facts.size == 0:
        return PoisonError(
            "empty",
            "This file is empty: it has a name but no content, as after a copy that was broken off. "
            "Nothing can be shown. Copy it again from the camera or a backup and press Retry.",
        )
    return PoisonError(
        "not-a-picture",
        f"This file is named {original.suffix} but holds no picture ({facts.kind.label}). "
        "Nothing was changed. If it should be a photo, put the real file in its place and press Retry.",
    )
