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
from workers.errors import PoisonError
from workers.pipelines.files import FileFacts, NotAPhoto, not_a_photo, read_file
from workers.pipelines.metadata import METADATA_VERSION, Metadata, read_metadata

_ACTOR = "worker:import"
_METADATA_SECONDS = 20


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
    other = not_a_photo(facts.kind, original.name)
    if other is None:
        return _import_picture(library, path, original, facts)
    if other.failed:
        raise PoisonError(other.code, other.reason)
    return _skip(library, path, facts, other)


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


def _skip(library: Library, path: str, facts: FileFacts, other: NotAPhoto) -> str:
    kind, size, mtime_ns = facts.kind.name, facts.size, facts.mtime_ns
    skipped = FileSkipped(library.id, path, size, mtime_ns, kind, other.code, other.reason)
    skip_file(skipped, actor=_ACTOR)
    return f"skipped: {other.code}"
