"""New tables beside the live ones, alike in every way, which in the end take their places: the ground of a replay.

A twin has the name of its table in a schema of its own, with the same columns, constraints, foreign keys,
indexes and triggers under the same names. So a handler fills the twins when that schema comes first in the
search path, and the switch is a move from schema to schema: nothing is renamed, and no row is touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.db import connection

from events.errors import ReplayError

SCHEMA = "events_rebuild"

_FIND = """
    SELECT c.oid::int8, quote_ident(n.nspname), quote_ident(c.relname), c.relkind, c.relrowsecurity,
           EXISTS (SELECT FROM pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent)),
           pg_get_userbyid(c.relowner)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(%s)
"""
_VIEWS = """
    SELECT DISTINCT r.ev_class::regclass::text FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = %s::oid
"""
_CONSTRAINTS = """
    SELECT format('ADD CONSTRAINT %%I %%s', conname, pg_get_constraintdef(oid)), contype = 'f' FROM pg_constraint
    WHERE conrelid = %s::oid AND contype IN ('p', 'u', 'x', 'f') ORDER BY contype = 'f', conname
"""
_INDEXES = """
    SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i WHERE i.indrelid = %s::oid
    AND NOT EXISTS (
        SELECT FROM pg_constraint c
        WHERE c.conrelid = i.indrelid AND c.conindid = i.indexrelid AND c.contype <> 'f')
    ORDER BY 1
"""
_TRIGGERS = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = %s::oid AND NOT tgisinternal ORDER BY 1"
_OPTIONS = "SELECT unnest(reloptions) FROM pg_class WHERE oid = %s::oid ORDER BY 1"
_GRANTS = """
    SELECT format('GRANT %%s ON %%s TO %%s%%s', a.privilege_type, %s::text,
                  CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = %s::oid AND a.grantee <> c.relowner
"""
_STATISTICS = "SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext WHERE stxrelid = %s::oid ORDER BY 1"
_COLUMNS = """
    SELECT concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), a.attnotnull,
                     a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid), a.attcollation)
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = %s::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_SEQUENCES = """
    SELECT quote_ident(a.attname), s.relname, a.attidentity <> '' FROM pg_depend d
    JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_class'::regclass AND d.refobjid = %s::oid AND d.deptype IN ('a', 'i') ORDER BY 1
"""
# Foreign keys of tables that stay, to tables that are replaced.
_REFERRING = """
    SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'f' AND confrelid = ANY (%s::oid[]) AND conrelid <> ALL (%s::oid[]) AND conparentid = 0
"""

Structure: TypeAlias = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Twin:
    """A live table and the one that will take its place; names are quoted."""

    live_oid: int
    schema: str
    table: str
    owner: str

    @property
    def live(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def new(self) -> str:
        return f"{SCHEMA}.{self.table}"


def make(tables: Sequence[str], search_path: str) -> list[Twin]:
    """Make empty twins of these tables, and let the session find them first from now on.

    Raises ReplayError for a table that cannot have one.
    """
    twins = [_found(table) for table in tables]
    _run(f"CREATE SCHEMA {SCHEMA}")
    for twin in twins:
        _run(f"CREATE TABLE {twin.new} (LIKE {twin.live} INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS)")
        _name_sequences_alike(twin)
    furniture = [text for twin in twins for text in _furniture(twin)]
    furniture += [text for twin in twins for text in _constraints(twin, foreign=True)]
    # Read before, run after: a foreign key between two tables becomes one between their twins.
    set_search_path(f"{SCHEMA}, {search_path}", local=False)
    for text in furniture:
        _run(text)
    return twins


def hide(tables: Sequence[str]) -> None:
    """Put a table without columns before each of these: whoever reads it while the twins are filled fails."""
    for table in tables:
        _run(f"CREATE TABLE {SCHEMA}.{connection.ops.quote_name(table)} ()")


def show(tables: Sequence[str]) -> None:
    """Take these tables away again."""
    for table in tables:
        _run(f"DROP TABLE IF EXISTS {SCHEMA}.{connection.ops.quote_name(table)}")


def settle(twins: Sequence[Twin]) -> None:
    """Gather statistics and visibility, so that the first page after the switch is planned and read as well."""
    for twin in twins:
        _run(f"VACUUM (ANALYZE) {twin.new}")


def structures(twins: Sequence[Twin], search_path: str) -> list[Structure]:
    """What the live tables are made of now, comparable over time."""
    return [_structure(twin.live_oid, twin.live, search_path) for twin in twins]


def switch(twins: Sequence[Twin], seen: Sequence[Structure], search_path: str) -> None:
    """Put the twins in the places of the live tables, in the caller's transaction.

    Raises ReplayError when a live table is not as it was `seen`, or its twin is not like it.
    """
    set_search_path(search_path)
    _run(f"LOCK TABLE {', '.join(twin.live for twin in twins)} IN ACCESS EXCLUSIVE MODE")
    alike = [_structure(_oid(twin.new), twin.new, f"{SCHEMA}, {search_path}") for twin in twins]
    if not structures(twins, search_path) == list(seen) == alike:
        raise ReplayError("the tables have another structure than when the replay began; start it again")
    oids = [twin.live_oid for twin in twins]
    referring = _rows(_REFERRING, [oids, oids])
    statistics = [text for twin in twins for (text,) in _rows(_STATISTICS, [twin.live_oid])]
    for table, name, _ in referring:
        _run(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    # At once, since they may refer to each other.
    _run(f"DROP TABLE {', '.join(twin.live for twin in twins)}")
    for twin in twins:
        _run(f"ALTER TABLE {twin.new} SET SCHEMA {twin.schema}")
    for table, name, definition in referring:
        _run(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    for text in statistics:
        _run(text)
    discard()


def discard() -> None:
    """Remove whatever this or an earlier replay has left half-built."""
    _run(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def set_search_path(path: str, *, local: bool = True) -> None:
    _rows("SELECT set_config('search_path', %s, %s)", [path, local])


def _found(table: str) -> Twin:
    rows = _rows(_FIND, [connection.ops.quote_name(table)])
    if not rows:
        raise ReplayError(f"there is no table {table}; the database has to be migrated first")
    oid, schema, name, kind, guarded, inherits, owner = rows[0]
    views = ", ".join(view for (view,) in _rows(_VIEWS, [oid]))
    serial = any(not identity for _, _, identity in _rows(_SEQUENCES, [oid]))
    wrong = {
        "it is no ordinary table": kind != "r" or inherits,
        "it has row security": guarded,
        f"it has views: {views}": bool(views),
        "it has a serial column in place of an identity": serial,
    }
    for what, is_so in wrong.items():
        if is_so:
            raise ReplayError(f"{table} cannot be built beside the live one, for {what}; replay it in place")
    return Twin(oid, schema, name, owner)


def _furniture(twin: Twin) -> list[str]:
    """Statements that make what LIKE leaves out, under the same names; foreign keys are made later."""
    placed = [*_rows(_INDEXES, [twin.live_oid]), *_rows(_TRIGGERS, [twin.live_oid])]
    return [
        *_constraints(twin, foreign=False),
        *(text.replace(f" ON {twin.live} ", f" ON {twin.new} ", 1) for (text,) in placed),
        *(f"ALTER TABLE {twin.new} SET ({option})" for (option,) in _rows(_OPTIONS, [twin.live_oid])),
        *(text for (text,) in _rows(_GRANTS, [twin.new, twin.live_oid])),
        f"ALTER TABLE {twin.new} OWNER TO {connection.ops.quote_name(twin.owner)}",
    ]


def _constraints(twin: Twin, *, foreign: bool) -> list[str]:
    rows = _rows(_CONSTRAINTS, [twin.live_oid])
    return [f"ALTER TABLE {twin.new} {text}" for text, is_foreign in rows if is_foreign is foreign]


def _name_sequences_alike(twin: Twin) -> None:
    wanted = _rows(_SEQUENCES, [twin.live_oid])
    for (_, name, _), (_, made, _) in zip(wanted, _rows(_SEQUENCES, [_oid(twin.new)]), strict=True):
        if name != made:
            quoted = connection.ops.quote_name
            _run(f"ALTER SEQUENCE {SCHEMA}.{quoted(made)} RENAME TO {quoted(name)}")


def _structure(oid: int, name: str, search_path: str) -> Structure:
    # Definitions name a table of the search path without its schema: so twin and live table read the same.
    set_search_path(search_path)
    parts = [_rows(sql, [oid]) for sql in (_COLUMNS, _CONSTRAINTS, _INDEXES, _TRIGGERS, _OPTIONS, _SEQUENCES)]
    return tuple(tuple(str(row).replace(f" ON {name} ", " ON it ") for row in rows) for rows in parts)


def _oid(table: str) -> int:
    return int(_rows("SELECT %s::regclass::oid::int8", [table])[0][0])


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _rows(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
