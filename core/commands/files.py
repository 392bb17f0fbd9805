"""What may be done with a file that is no photo."""

from uuid import UUID, uuid5

from core.commands.log import write
from core.domain import files
from core.domain.files import file_id
from core.domain.streams import file_stream


def skip_file(skipped: files.FileSkipped, *, actor: str) -> None:
    """Record that a file is not shown, and why; the same file unchanged is said once."""
    file = file_id(skipped.library, skipped.path)
    said = uuid5(file, f"skipped:{skipped.size}:{skipped.mtime_ns}:{skipped.code}")
    write(file_stream(file), [skipped], actor=actor, ids=[said])


def record_file_failed(failure: files.FileFailed, run: int, *, actor: str) -> None:
    """Record that a file's import died; `run` counts its runs, so that each death is recorded once."""
    file = file_id(failure.library, failure.path)
    write(file_stream(file), [failure], actor=actor, ids=[uuid5(file, f"failed:{failure.job}:{run}")])


def retry_file(library: UUID, path: str, *, actor: str) -> None:
    """Have a failed file's import tried again."""
    write(file_stream(file_id(library, path)), [files.FileRetried(library, path)], actor=actor)


def set_aside_file(library: UUID, path: str, *, actor: str) -> None:
    """Stop reminding of a failed file."""
    write(file_stream(file_id(library, path)), [files.FileSetAside(library, path)], actor=actor)
