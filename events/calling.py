"""Runs the log's frequent statements: one round trip each, typed, and prepared by the server."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
from django.db import DatabaseError, connection

from events.errors import ErasureError, EventError, EventIdConflict, VersionConflict

# %b: lists go in binary form; as text each of their characters would be looked at for escapes.
APPEND = (
    "SELECT * FROM event_append(%s::text, %s::bigint, %b::uuid[], %b::text[], %b::int[], %b::text[], %s::text)"
)
APPEND_MANY = (
    "SELECT * FROM event_append_many(%s::text[], %s::bigint[], %s::int[], "
    "%b::uuid[], %b::text[], %b::int[], %b::text[], %s::text)"
)
ERASE = "SELECT event_erase(%s::uuid[], %s::text, %s::text)"


def call(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows that a statement gives.

    Raises the EventError that an error code of the log's functions stands for, else Django's DatabaseError.
    """
    # Django's cursor checks and opens the connection. The statement goes through psycopg's own cursor: Django's
    # pastes the parameters into the text, so that the server would parse and plan each append anew.
    with connection.cursor() as opened:
        connection.validate_no_broken_transaction()
        cursor = psycopg.Cursor(opened.connection)
        try:
            with connection.wrap_database_errors:
                return cursor.execute(statement, parameters, binary=True).fetchall()
        except DatabaseError as error:
            understood = _understood(error.__cause__)
            if understood is None:
                raise
            raise understood from error


def _understood(error: BaseException | None) -> EventError | None:
    """The refusal that an error code of the functions stands for."""
    if not isinstance(error, psycopg.Error):
        return None
    match error.sqlstate:
        case "EV001":
            said = json.loads(error.diag.message_detail or "{}")
            return VersionConflict(said["stream"], said["expected"], said["actual"])
        case "EV002":
            said = json.loads(error.diag.message_detail or "{}")
            return EventIdConflict(said["stream"], tuple(UUID(text) for text in said["ids"]))
        case "EV005":
            return ErasureError(error.diag.message_primary or str(error))
        case _:
            # EV003 and EV004 stay errors of the database: Python has checked the limits before.
            return None
