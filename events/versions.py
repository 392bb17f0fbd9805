"""Which version of its code filled a read model's tables, so that those of before an upgrade are found.

A read model says `VERSION = 2`, and raises it whenever the same events give other rows; one that says nothing is
of version 1. What filled a table stands in the table's own comment: so it comes and goes with the rows, through a
dump, a replay's switch and a rollback. A new read model of an installation with history begins with 2.
"""

import re
from collections.abc import Iterable
from types import ModuleType

from django.db import connection, transaction

from events.calling import call
from events.consumers import read_models

_MARK = re.compile(r"^Read model of version (\d+)$")
_LOG = "SELECT to_regclass('event') IS NOT NULL"
_COMMENT = "SELECT obj_description(to_regclass(%s)::oid, 'pg_class'), to_regclass(%s) IS NOT NULL"


def older() -> list[str]:
    """The read models whose rows an older version of their code has made, in order."""
    return [name for name, module in read_models().items() if _filled_by(module) < _version(module)]


def mark(modules: Iterable[ModuleType]) -> None:
    """Say that the code of now has filled the tables of these read models."""
    with transaction.atomic(), connection.cursor() as cursor:
        for module in modules:
            for table in _tables(module) if _version(module) > 1 else ():
                if _comment(table)[1]:
                    # No statement of this kind takes parameters.
                    cursor.execute(f"COMMENT ON TABLE {table} IS 'Read model of version {_version(module)}'")


def mark_new() -> None:
    """Where nothing has happened yet, no read model is older than its code."""
    if call(_LOG)[0][0] and not call("SELECT EXISTS (SELECT FROM event)")[0][0]:
        mark(module for name, module in read_models().items() if name in older())


def _version(module: ModuleType) -> int:
    return int(getattr(module, "VERSION", 1))


def _filled_by(module: ModuleType) -> int:
    if _version(module) == 1:
        return 1
    found = [_MARK.match(_comment(table)[0] or "") for table in _tables(module)]
    return min(int(one[1]) if one else 1 for one in found)


def _tables(module: ModuleType) -> list[str]:
    return [connection.ops.quote_name(model._meta.db_table) for model in module.TABLES]


def _comment(table: str) -> tuple[str | None, bool]:
    """What is said of a table, and whether it is there."""
    [(said, there)] = call(_COMMENT, [table, table])
    return said, there
