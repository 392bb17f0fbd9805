"""Rows of the console's own SQL, by column name."""

from collections.abc import Mapping
from typing import Any

from django.db import connection


def rows(query: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """All rows of a query. jsonb columns come as text: name them with ::text and parse them."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters or {})
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def one(query: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The single row of a query that has one always."""
    return rows(query, parameters)[0]


def run(statement: str) -> None:
    """A statement that gives no rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
