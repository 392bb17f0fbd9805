"""Takes the content out of events for good, and leaves a tombstone, the hashes, and who did it and why."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from events import calling


def erase(event_ids: Sequence[UUID], actor: str, reason: str) -> int:
    """Replace the data of these events by a tombstone; how many were not erased before.

    What the events said is gone from the log, and their chains still verify. Read models, files and vectors made
    from them are the caller's to clear. PostgreSQL itself forgets old row versions at the next VACUUM, backups
    and write-ahead logs when they expire. Raises ErasureError when an event does not exist, or without an actor
    and a reason.
    """
    with transaction.atomic():
        [(count,)] = calling.call(calling.ERASE, [list(event_ids), actor, reason])
    return int(count)
