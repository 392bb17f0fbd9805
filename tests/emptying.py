"""Empties the database after tests that commit, quickly: Django's own flush took longer than most of those tests.

It truncates every table there is, then makes permissions and content types anew; few tests write to more than a
dozen tables, and none to those two.
"""

from functools import cache
from typing import Any

from django.db import connection
from django.test import TransactionTestCase

_KEPT = {"auth_permission", "django_content_type"}


def install() -> None:
    """From now on tests that commit are followed by this in place of a flush."""
    TransactionTestCase._fixture_teardown = _empty  # type: ignore[attr-defined]


def _empty(_: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_question())
        tables = [name for (name,) in cursor.fetchall()]
        if tables:
            cursor.execute(f"TRUNCATE {', '.join(map(connection.ops.quote_name, tables))} CASCADE")


@cache
def _question() -> str:
    """Which of the tables that a flush would empty have rows."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    quote = connection.ops.quote_name
    asked = (f"SELECT '{name}' WHERE EXISTS (SELECT FROM {quote(name)})" for name in {*tables} - _KEPT)
    return " UNION ALL ".join(asked)
