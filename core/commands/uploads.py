"""What is recorded of an upload: that a file came in, once it is whole and in its place."""

from uuid import UUID, uuid5

from core.commands.log import write
from core.domain.files import FileUploaded, id_of
from core.domain.streams import file_stream


def record_upload(fact: FileUploaded, upload: UUID, *, actor: str) -> None:
    """Record that a file came in; the same upload is said once."""
    file = id_of(fact)
    write(file_stream(file), [fact], actor=actor, ids=[uuid5(file, f"uploaded:{upload}")])
