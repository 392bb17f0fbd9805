"""After an upgrade: read models filled by an older version of their code are rebuilt, beside those in use."""

from django.db import connection

from core import vectortables
from events import versions
from events.errors import ReplayError
from events.replay import replay
from workers.errors import TransientError
from workers.queue import defer

TASK, QUEUE = "rebuild_read_models", "rebuilding"


def take_up() -> None:
    """What a worker and `up` do first: take up what an upgrade, or PostgreSQL, has brought since last time."""
    vectortables.make_tables()
    versions.mark_new()
    if versions.older() and not _waits():
        defer(TASK, args={}, queue=QUEUE)


def rebuild() -> str:
    """Rebuild what is older, while pages and writers go on with what is there; says what was rebuilt.

    Raises TransientError when it could not be done now; then nothing has changed.
    """
    names = versions.older()
    if not names:
        return "nothing is older"
    try:
        done = replay(names)
    except ReplayError as error:
        told = f"What the pages know could not be rebuilt; it stays as it was. {error}"
        raise TransientError("rebuild-failed", told) from error
    return f"{', '.join(names)}: {done.told:,} events in {done.seconds:.0f} s"


def _waits() -> bool:
    with connection.cursor() as cursor:
        sql = "SELECT 1 FROM procrastinate_jobs WHERE task_name = %s AND status IN ('todo', 'doing') LIMIT 1"
        cursor.execute(sql, [TASK])
        return cursor.fetchone() is not None
