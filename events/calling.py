"""Runs the log's frequent statements: one round trip each, typed, and prepared by the server."""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from events.errors import ErasureError, EventError, EventIdConflict, VersionConflict

APPEND_ONE = (
    "SELECT * FROM event_append_one(%s::text, %s::bigint, %s::uuid, %s::text, %s::int, %s::text, %s::text)"
)
# %b: lists go in binary form; as text each of their characters would be looked at for escapes.
APPEND = (
    "SELECT * FROM event_append(%s::text, %s::bigint, %b::uuid[], %b::text[], %b::int[], %b::text[], %s::text)"
)
APPEND_MANY = (
    "SELECT * FROM event_append_many(%s::text[], %s::bigint[], %s::int[], "
    "%b::uuid[], %b::text[], %b::int[], %b::text[], %s::text)"
)
BULK_OPEN = "SELECT event_bulk_open()"
BULK_COPY = (
    "COPY pg_temp.event_incoming (number, stream_id, expected, ordinal, event_id, type, schema_version, data) "
    "FROM STDIN"
)
APPEND_BULK = "SELECT appended, replayed FROM event_append_bulk(%s::text)"
ERASE = "SELECT event_erase(%s::uuid[], %s::text, %s::text)"


def call(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows that a statement gives.

    Raises the EventError that an error code of the log's functions stands for, else Django's DatabaseError.
    """
    wrapper = connections[DEFAULT_DB_ALIAS]
    try:
        with wrapper.wrap_database_errors:
            return psycopg.Cursor(opened(wrapper)).execute(statement, parameters, binary=True).fetchall()
    except DatabaseError as error:
        understood = _understood(error.__cause__)
        if understood is None:
            raise
        raise understood from error


def copy(statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Send rows to a COPY … FROM STDIN. Raises Django's DatabaseError."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    with wrapper.wrap_database_errors, psycopg.Cursor(opened(wrapper)).copy(statement) as sending:
        for row in rows:
            sending.write_row(row)


def opened(wrapper: BaseDatabaseWrapper) -> psycopg.Connection:
    """Django's connection, checked and opened as Django's own cursor would: for statements that are prepared."""
    # Django's cursor pastes the parameters into the text, so that the server would parse and plan each append
    # anew; making one only to throw it away took a tenth of an append's time.
    wrapper.validate_thread_sharing()
    wrapper.close_if_health_check_failed()
    wrapper.ensure_connection()
    wrapper.validate_no_broken_transaction()
    opened: psycopg.Connection = wrapper.connection
    return opened


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
