"""What may be done with files: with those that are no photo, and with many files of photos at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from core.commands.log import write, write_many
from core.domain import codec, files, photos
from core.domain.files import file_id, folder_name, id_of
from core.domain.streams import file_stream, photo_stream


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file as the read model knows it; `photo` is None for one that is skipped or failed."""

    id: UUID
    library: UUID
    folder: UUID
    path: str
    size: int
    mtime_ns: int
    photo: UUID | None


def skip_file(skipped: files.FileSkipped, *, actor: str) -> None:
    """Record that a file is not shown, and why. Whether it is news, the caller knows from the read model."""
    write(file_stream(id_of(skipped)), [skipped], actor=actor)


def record_file_failed(failure: files.FileFailed, run: int, *, actor: str) -> None:
    """Record that a file's import died; `run` counts its runs, so that each death is recorded once."""
    file = id_of(failure)
    write(file_stream(file), [failure], actor=actor, ids=[uuid5(file, f"failed:{failure.job}:{run}")])


def retry_file(library: UUID, path: str, *, actor: str, folder: UUID | None = None) -> None:
    """Have a failed file's import tried again."""
    retried = files.FileRetried(library, path, folder)
    write(file_stream(id_of(retried)), [retried], actor=actor)


def set_aside_file(library: UUID, path: str, *, actor: str, folder: UUID | None = None) -> None:
    """Stop reminding of a failed file."""
    aside = files.FileSetAside(library, path, folder)
    write(file_stream(id_of(aside)), [aside], actor=actor)


def record_vanished(library: UUID, path: str, *, actor: str, folder: UUID | None = None) -> None:
    """Record that a file which is no photo is there no more, so that nothing waits for it."""
    vanished = files.FileVanished(library, path, folder)
    write(file_stream(id_of(vanished)), [vanished], actor=actor)


def record_missing(known: Sequence[KnownFile], *, actor: str) -> None:
    """Record that files are not where they were: photos keep everything else, what was no photo is forgotten."""
    write_many([_missing(file) for file in known], actor=actor)


def record_ignored(known: Sequence[KnownFile], *, actor: str) -> None:
    """Record that files are to be left out from now on."""
    write_many([_ignored(file) for file in known], actor=actor)


def record_back(known: Iterable[KnownFile], *, actor: str) -> None:
    """Record that missing files of photos are there again, with the size and time that they had."""
    write_many([(_photo(file), photos.FileBack(_original(file))) for file in known], actor=actor)


def record_moved(moves: Iterable[tuple[KnownFile, UUID, str]], *, actor: str) -> None:
    """Record where files of photos are now: each with its new folder and path. Nothing is read anew."""
    write_many([(_photo(file), _moved(file, folder, path)) for file, folder, path in moves], actor=actor)


def _original(file: KnownFile) -> photos.OriginalFile:
    place = folder_name(file.library, file.folder)
    return photos.OriginalFile(file.id, file.path, file.size, file.mtime_ns, place)


def _moved(file: KnownFile, folder: UUID, path: str) -> photos.FileMoved:
    place = folder_name(file.library, folder)
    return photos.FileMoved(
        file.id, photos.OriginalFile(file_id(folder, path), path, file.size, file.mtime_ns, place)
    )


def _missing(file: KnownFile) -> tuple[str, codec.DomainEvent]:
    if file.photo is None:
        return _vanished(file, "gone")
    return _photo(file), photos.FileMissing(file.id, file.path)


def _ignored(file: KnownFile) -> tuple[str, codec.DomainEvent]:
    if file.photo is None:
        return _vanished(file, "ignored")
    return _photo(file), photos.FileGone(file.id, "ignored")


def _vanished(file: KnownFile, reason: str) -> tuple[str, codec.DomainEvent]:
    place = folder_name(file.library, file.folder)
    return file_stream(file.id), files.FileVanished(file.library, file.path, place, reason)


def _photo(file: KnownFile) -> str:
    assert file.photo is not None
    return photo_stream(file.photo)
