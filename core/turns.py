"""Turns in the database: of those who name the same in a transaction, one is at it until it commits."""

from django.db import connection


def take_turns(*names: str, shared: bool = False) -> None:
    """Until commit, nobody else has any of these turns; `shared`: nobody but who shares them.

    They are taken in one order, so that two who want the same ones never wait for one another in a circle.
    """
    lock = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {lock}(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS name",  # noqa: S608  # one of two
            [sorted(set(names))],
        )
