"""The names of the streams: one for each photo, file, library, person, album and named date."""

from uuid import UUID


def photo_stream(photo_id: UUID) -> str:
    return f"photo-{photo_id}"


def library_stream(library_id: UUID) -> str:
    return f"library-{library_id}"


def file_stream(file_id: UUID) -> str:
    return f"file-{file_id}"


def group_stream(group_id: UUID) -> str:
    return f"group-{group_id}"


def people_stream(owner_id: UUID) -> str:
    return f"people-{owner_id}"


def person_stream(person_id: UUID) -> str:
    return f"person-{person_id}"


def subject_of(stream_id: str) -> UUID:
    """The id in a stream's name."""
    return UUID(stream_id.partition("-")[2])


def date_stream(date_id: UUID) -> str:
    return f"date-{date_id}"


def album_stream(album_id: UUID) -> str:
    return f"album-{album_id}"
