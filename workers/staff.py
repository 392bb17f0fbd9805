"""What the workers that live now say of the queues: which are not worked on, and why."""

import json

from django.db import connection

from workers.presence import LOCK_CLASS
from workers.requirements import unmet_requirements

# A worker lives as long as the server holds its lock.
_STAFF = """
SELECT w.queues::text, w.waiting::text FROM worker_info AS w
 WHERE w.ended_at IS NULL AND EXISTS (
       SELECT 1 FROM pg_locks AS l
        WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %(lock_class)s::oid
          AND l.objid = w.worker_id::int::oid AND l.objsubid = 2
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


def held_queues() -> dict[str, str]:
    """The queues that no worker works on for want of something, as the workers themselves say.

    Another machine may have what this one lacks; without any worker, this machine's own look has to do.
    """
    staff = _staff()
    if not staff:
        return unmet_requirements()
    served = {queue for queues, waiting in staff for queue in queues if queue not in waiting}
    return {queue: reason for _, waiting in staff for queue, reason in waiting.items() if queue not in served}


def has_workers(queue: str) -> bool:
    """Whether a worker lives that works on this queue, now or once it has what it waits for."""
    return any(queue in queues for queues, _ in _staff())


def _staff() -> list[tuple[list[str], dict[str, str]]]:
    with connection.cursor() as cursor:
        cursor.execute(_STAFF, {"lock_class": LOCK_CLASS})
        return [(json.loads(queues), json.loads(waiting)) for queues, waiting in cursor.fetchall()]
