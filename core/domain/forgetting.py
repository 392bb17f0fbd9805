"""Forgetting: what is left of a photo once all that was known of it is erased, and when that may not be done."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

# The last event of a photo's or a person's stream; those before it are tombstones.
FORGOTTEN, PERSON_FORGOTTEN = "photo.forgotten", "person.forgotten"
# Faces in one event: what fits into it, each with its photo.
FACES_LIMIT = 400


class AboutForgetting:
    """What the events about forgetting have in common: nothing follows them."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class PhotoForgotten(AboutForgetting):
    """A person had everything erased that was known of the photo; nothing comes back under its id.

    `files`: those of which nothing is known any more either.
    """

    library: UUID
    files: tuple[UUID, ...] = ()


class StillThere(ValueError):
    """A file of the photo lies where Filmroll looks for photos, and would be found again."""


def refuse_while_there(places: Iterable[str]) -> None:
    """Raises StillThere when there is any."""
    if there := sorted(places):
        more = f" and {len(there) - 1} more" if there[1:] else ""
        raise StillThere(
            f"Its original is still in a folder that Filmroll only reads ({there[0]}{more}), and would be found "
            "again. Delete it there, or have the library leave it out. Once Filmroll has noticed that, the photo "
            "can be forgotten."
        )
