"""What may be recorded of the places where photos were taken; a person's own word on them is an edit."""

from uuid import UUID

from core.commands.log import write
from core.domain.places import PlaceFound, finding_id
from core.domain.streams import photo_stream


def record_place(photo_id: UUID, found: PlaceFound, *, asked: int, actor: str) -> None:
    """Record what a photo's position means; `asked` is the event by which it has that position.

    Said twice it is said once. A place for a position that has changed since stays in the history, and counts not.
    """
    name = finding_id(photo_id, asked, found.source_version)
    write(photo_stream(photo_id), [found], actor=actor, ids=[name])
