"""The libraries: which folders are indexed, and who may see what lies in them."""

from collections.abc import Callable
from uuid import UUID

from django.db import models

from core.accounts import Account
from core.domain import codec
from core.domain.libraries import LibraryAdded, LibraryNotFound
from core.domain.streams import subject_of
from events.event import Event
from events.pulse import pulse

# The channel on which a new library is heard of.
LIBRARIES_CHANGED = "filmroll_libraries"


class Library(models.Model):
    """A folder of originals. `root` is text as `core.storage` makes it."""

    id = models.UUIDField(primary_key=True)
    name = models.TextField()
    root = models.TextField()
    owner_id = models.UUIDField(null=True)
    added_at = models.DateTimeField()

    class Meta:
        db_table = "library"


def _added(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, LibraryAdded)
    Library.objects.create(
        id=subject_of(event.stream_id),
        name=fact.name,
        root=fact.root,
        owner_id=fact.owner,
        added_at=event.recorded_at,
    )
    pulse(LIBRARIES_CHANGED)


HANDLERS: dict[str, Callable[[Event], None]] = {"library.added": _added}
TABLES = (Library,)


def libraries_of(account: Account) -> models.QuerySet[Library]:
    """The libraries that an account may see: all for staff, else those that it owns."""
    everything = Library.objects.order_by("name", "id")
    return everything if account.is_staff else everything.filter(owner_id=account.pk)


def library_by_id(library_id: UUID) -> Library:
    """A library, whoever asks. Raises LibraryNotFound."""
    found = Library.objects.filter(id=library_id).first()
    if found is None:
        raise LibraryNotFound(str(library_id))
    return found


def all_libraries() -> list[Library]:
    """Every library, for the watcher and the workers."""
    return list(Library.objects.order_by("name", "id"))
