"""Who waits for a lock in the test's own database: other databases of the run lie on the same server."""

from django.db import connection

_WAITING = """
SELECT count(*) FROM pg_locks
 WHERE NOT granted AND (%(kind)s = '' OR locktype = %(kind)s)
   AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())
"""


def waiting(kind: str = "") -> int:
    """How many locks, of this kind if one is named, somebody waits for now."""
    with connection.cursor() as cursor:
        # Inside a transaction the first look at the sessions would stand for all: who came since would be missed.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(_WAITING, {"kind": kind})
        return int(cursor.fetchone()[0])
