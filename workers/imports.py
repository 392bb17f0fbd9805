"""What becomes of a file that was found: a photo, a new version or one more copy of one, or nothing to show."""

from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from core import singlerows
from core.commands import photos as commands
from core.commands.files import record_missing, record_vanished, skip_file
from core.domain import photos
from core.domain.files import FileSkipped, file_id, folder_name
from core.readmodels.files import FileState, PhotoFile, files_of_photo
from core.readmodels.libraries import Folder, lies_at
from core.readmodels.photos import Photo, history_by_people, holder_of
from core.readmodels.uploads import name_of_upload
from core.storage import is_managed, original_path
from core.turns import take_turns
from workers import places, sidecars
from workers.children import run_in_child
from workers.disks import is_gone, within_reach
from workers.errors import PoisonError
from workers.knownfiles import hold_places, known_file
from workers.pipelines.files import FileFacts, NotAPhoto, not_a_photo, read_file
from workers.pipelines.kinds import KINDS, Kind
from workers.pipelines.metadata import Metadata, read_metadata_and_place
from workers.pipelines.sidecars import may_be_sidecar
from workers.pipelines.versions import METADATA_VERSION

_ACTOR = "worker:import"
_METADATA_SECONDS = 20


def import_found(folder: Folder, path: str) -> str:
    """Import one file; the answer says in a few words what became of it.

    Raises PoisonError for a file that calls itself a picture and is none, TransientError for one that is
    still being written, OSError for one that cannot be read.
    """
    if folder.removed:
        return "its folder was taken out of the library"
    original = original_path(folder.root, path)
    try:
        facts = read_file(original)
    except (FileNotFoundError, NotADirectoryError):
        return _gone(folder, path)
    other = not_a_photo(facts.kind, original.name)
    if other is None:
        return _import_picture(folder, path, original, facts)
    if may_be_sidecar(facts.kind, original.name):
        return _import_sidecar(folder, path, facts, other)
    if other.failed:
        raise PoisonError(other.code, other.reason)
    return _skip(folder, path, facts, other)


def _gone(folder: Folder, path: str) -> str:
    """What was known of the file, a failure above all, ends; while its disk is away nothing does."""
    if not within_reach(folder.id, path):
        return "its folder cannot be reached; it is looked through once it is back"
    known = PhotoFile.objects.filter(id=file_id(folder.id, path)).first()
    if known is None:
        record_vanished(folder.library_id, path, actor=_ACTOR, folder=folder_name(folder.library_id, folder.id))
    elif known.missing_since is None:
        record_missing([known_file(known)], actor=_ACTOR)
    return "gone before it was read"


def find_original(photo: Photo) -> Path | None:
    """The first of the photo's files that is there; None when none is, which is recorded."""
    files = files_of_photo(photo.id)
    known = [file for file in files if file.missing_since is None and file.state == FileState.INDEXED]
    for file in sorted(known, key=lambda file: (file.path != photo.path, file.since)):
        place = lies_at(file.folder_id, file.path)
        if not is_gone(place):
            return place
    lost = [known_file(file) for file in known if within_reach(file.folder_id, file.path)]
    record_missing(lost, actor=_ACTOR)
    return None


def _import_picture(folder: Folder, path: str, original: Path, facts: FileFacts) -> str:
    # An upload lies under a hash; what its owner calls it may hold a date.
    name = name_of_upload(file_id(folder.id, path)) if is_managed(folder.root) else ""
    said = _metadata_of(original, facts.kind, name)
    place = folder_name(folder.library_id, folder.id)
    file = photos.OriginalFile(file_id(folder.id, path), path, facts.size, facts.mtime_ns, place)
    kind, mismatch = facts.kind, facts.head_mismatch or ""
    held = (facts.sha256, kind.name, kind.media, kind.mime, mismatch)
    found = photos.PhotoImported(folder.library_id, file, *held, name=name)
    read = _as_event(said)
    with transaction.atomic():
        hold_places(folder.id)
        take_turns(f"content:{found.library}:{found.sha256}", f"file:{found.file.id}")
        before, holder = _held_before(found), _holder(found)
        if before or holder:
            # Two files that swapped their names concern the same two photos, each the other way round.
            take_turns(*(f"photo:{one}" for one in (before, holder) if one))
            before, holder = _held_before(found), _holder(found)
        photo = _place(found, read, before, holder)
        places.settle_place(photo, said.position, said.located)
    sidecars.call_for(folder, path)
    return f"photo {photo}"


def read_again(photo: Photo, original: Path) -> photos.MetadataRead:
    """What a photo's file says of it, by today's rules. Raises as `import_found` does."""
    name = photo.name if photo.name != original.name else ""
    return _as_event(_metadata_of(original, KINDS[photo.kind], name))


def _metadata_of(original: Path, kind: Kind, name: str) -> Metadata:
    said: Metadata = run_in_child(
        "decode",
        read_metadata_and_place,
        original,
        kind,
        name,
        seconds=_METADATA_SECONDS,
        memory_mib=settings.CHILD_MEMORY_MIB,
    )
    return said


def _as_event(said: Metadata) -> photos.MetadataRead:
    facts = {name: photos.Fact(fact.value, fact.source) for name, fact in said.facts.items()}
    return photos.MetadataRead(METADATA_VERSION, facts, tuple(said.notes))


def _place(
    found: photos.PhotoImported, read: photos.MetadataRead, before: UUID | None, holder: UUID | None
) -> UUID:
    """Which photo the content belongs to: the one that the file held, the one that holds it now, or a new one."""
    gone = _files_gone(holder) if holder and holder != before else frozenset()
    if before is not None and before != holder:
        # An edit that was written to a file of another name first, and was found there already.
        absorbed = holder is not None and bool(gone) and gone == {file.id for file in files_of_photo(holder)}
        if holder is None or (absorbed and not history_by_people(holder)):
            if commands.replace_content(before, found, read, actor=_ACTOR):
                if holder is not None:
                    _end(holder, gone)
                return before
        else:
            commands.remove_file(before, found.file.id, "replaced", actor=_ACTOR)
    listed = holder is None or holder == before
    return commands.import_photo(found, read, actor=_ACTOR, holder=holder, gone=gone, listed=listed)


def _held_before(found: photos.PhotoImported) -> UUID | None:
    held: UUID | None = singlerows.one_value(PhotoFile, found.file.id, "photo_id")
    return held


def _holder(found: photos.PhotoImported) -> UUID | None:
    return holder_of(found.library, found.sha256)


def _end(photo: UUID, files: frozenset[UUID]) -> None:
    for file in files:
        commands.remove_file(photo, file, "replaced", actor=_ACTOR)
    commands.take_out(photo, "It was the half-made new version of another photo.", actor=_ACTOR)


def _files_gone(photo: UUID) -> frozenset[UUID]:
    """The files of a photo that are not where they were; those on a disk that is away are not known to be gone."""
    return frozenset(file.id for file in files_of_photo(photo) if _is_gone(file))


def _is_gone(file: PhotoFile) -> bool:
    if file.missing_since is not None:
        return True
    return is_gone(lies_at(file.folder_id, file.path)) and within_reach(file.folder_id, file.path)


def _import_sidecar(folder: Folder, path: str, facts: FileFacts, other: NotAPhoto) -> str:
    content, listed = sidecars.read_beside(folder, path, facts)
    said = _skip(folder, path, facts, listed or other)
    # Listed first, attached then: a picture that comes in between finds the row, and calls for it.
    photos_told = sidecars.attach(folder, path, facts.sha256, content)
    return f"{content.source} of {photos_told} photos" if listed else said


def _skip(folder: Folder, path: str, facts: FileFacts, other: NotAPhoto) -> str:
    kind, size, mtime_ns = facts.kind.name, facts.size, facts.mtime_ns
    place = folder_name(folder.library_id, folder.id)
    file = file_id(folder.id, path)
    skipped = FileSkipped(folder.library_id, path, size, mtime_ns, kind, other.code, other.reason, place)
    with transaction.atomic():
        hold_places(folder.id)
        take_turns(f"file:{file}")
        known = PhotoFile.objects.filter(id=file).first()
        if known is None or not _is_listed_so(known, skipped):
            skip_file(skipped, actor=_ACTOR)
        if known is not None and known.photo_id is not None:
            commands.remove_file(known.photo_id, file, "replaced", actor=_ACTOR)
    if other.code != sidecars.SIDECAR and sidecars.is_known(file):
        sidecars.forget(file)
    return f"skipped: {other.code}"


def _is_listed_so(known: PhotoFile, skipped: FileSkipped) -> bool:
    """Asked of the list, not of the file's past: what was gone for a while is not listed any more."""
    same = (known.size, known.mtime_ns, known.code) == (skipped.size, skipped.mtime_ns, skipped.code)
    return same and known.state == FileState.SKIPPED
