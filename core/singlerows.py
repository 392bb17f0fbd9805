"""Single rows by their key, by SQL that is made once: for what happens with every photo that comes in.

Django makes the text of each query anew, and PostgreSQL plans it anew: together that takes up to three times what
the row itself takes. Values go through the models' fields as Django's own do; all else is asked with Django.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models import Field

from events.calling import opened

# A statement takes 65,535 values at most, and a file may say thousands of keywords.
_TOGETHER = 100

M = TypeVar("M", bound=models.Model)
_Fields = tuple["Field[Any, Any]", ...]
_Convert = Callable[[Any], Any]
_Converters = list[tuple[int, _Convert]]


def find(model: type[M], key: object) -> M | None:
    """The row with this key, or None."""
    sql, names, converters = _select(model, _pk(model))
    row = _run(sql, [key]).fetchone()
    return None if row is None else _made(model, names, converters, row)


def find_all(model: type[M], column: str, value: object) -> list[M]:
    """All rows that have this value in one column, in no order: for few rows."""
    sql, names, converters = _select(model, column)
    return [_made(model, names, converters, row) for row in _run(sql, [value]).fetchall()]


def one_value(model: type[models.Model], key: object, column: str) -> Any:
    """What the row with this key has in one column; None without such a row."""
    sql, convert = _select_column(model, column)
    row = _run(sql, [key]).fetchone()
    return convert(row[0]) if row else None


def add(row: models.Model) -> None:
    """Insert a new row. Raises IntegrityError when the key is taken."""
    add_all([row])


def add_all(rows: Sequence[models.Model], *, unless_known: bool = False) -> None:
    """Insert new rows of one table; `unless_known` leaves those out whose key is taken.

    Without it, raises IntegrityError when a key is taken.
    """
    for start in range(0, len(rows), _TOGETHER):
        some = rows[start : start + _TOGETHER]
        sql = _insert_many(type(some[0]), len(some)) + (" ON CONFLICT DO NOTHING" if unless_known else "")
        _run(sql, [value for row in some for value in _values(row)])
        for row in some:
            row._state.adding = False


def put(row: models.Model, *changed: str) -> None:
    """Insert a row, or give the one that has its key the values of these columns; of all without any named."""
    _run(_insert_or_change(type(row), changed), _values(row))
    row._state.adding = False


def change(model: type[models.Model], key: object, **values: object) -> None:
    """Give the row with this key other values, if it is there."""
    fields = tuple(_field(model, name) for name in values)
    _run(_update(model, tuple(values)), [*_prepared(fields, list(values.values())), key])


def remove(model: type[models.Model], key: object) -> None:
    """Delete the row with this key, if it is there. For tables to which no other one refers."""
    _run(_delete(model), [key])


def _run(sql: str, parameters: Sequence[Any]) -> "psycopg.Cursor[Any]":
    """As Django's cursor would, but that the server keeps the plan. Raises Django's errors."""
    with connection.wrap_database_errors:
        cursor: psycopg.Cursor[Any] = psycopg.Cursor(opened(connection))
        return cursor.execute(sql, parameters)


def _made(model: type[M], names: list[str], converters: _Converters, row: Sequence[Any]) -> M:
    values = list(row)
    for at, convert in converters:
        values[at] = convert(values[at])
    return model.from_db(DEFAULT_DB_ALIAS, names, values)


def _values(row: models.Model) -> list[Any]:
    fields = _fields(type(row))
    return _prepared(fields, [getattr(row, field.attname) for field in fields])


def _prepared(fields: _Fields, values: Sequence[Any]) -> list[Any]:
    return [field.get_db_prep_save(value, connection) for field, value in zip(fields, values, strict=True)]


@cache
def _select(model: type[models.Model], by: str) -> tuple[str, list[str], _Converters]:
    fields, key = _fields(model), _quoted(_field(model, by))
    columns, names = ", ".join(map(_quoted, fields)), [field.attname for field in fields]
    converters = [(at, _converter(field)) for at, field in enumerate(fields) if hasattr(field, "from_db_value")]
    return f"SELECT {columns} FROM {_table(model)} WHERE {key} = %s", names, converters  # noqa: S608


@cache
def _select_column(model: type[models.Model], column: str) -> tuple[str, _Convert]:
    field = _field(model, column)
    return f"SELECT {_quoted(field)} FROM {_table(model)} WHERE {_key(model)} = %s", _converter(field)  # noqa: S608


def _converter(field: "Field[Any, Any]") -> _Convert:
    convert = getattr(field, "from_db_value", None)
    return (lambda value: convert(value, field.cached_col, connection)) if convert else (lambda value: value)


@cache
def _insert_many(model: type[models.Model], count: int) -> str:
    fields = _fields(model)
    columns, places = ", ".join(map(_quoted, fields)), ", ".join(map(_place, fields))
    rows = ", ".join([f"({places})"] * count)
    return f"INSERT INTO {_table(model)} ({columns}) VALUES {rows}"  # noqa: S608


@cache
def _insert_or_change(model: type[models.Model], changed: tuple[str, ...]) -> str:
    fields = [_field(model, name) for name in changed] or [one for one in _fields(model) if not one.primary_key]
    others = ", ".join(f"{_quoted(field)} = EXCLUDED.{_quoted(field)}" for field in fields)
    return f"{_insert_many(model, 1)} ON CONFLICT ({_key(model)}) DO UPDATE SET {others}"


@cache
def _update(model: type[models.Model], names: tuple[str, ...]) -> str:
    fields = [_field(model, name) for name in names]
    sets = ", ".join(f"{_quoted(field)} = {_place(field)}" for field in fields)
    return f"UPDATE {_table(model)} SET {sets} WHERE {_key(model)} = %s"  # noqa: S608


@cache
def _delete(model: type[models.Model]) -> str:
    return f"DELETE FROM {_table(model)} WHERE {_key(model)} = %s"  # noqa: S608


@cache
def _fields(model: type[models.Model]) -> _Fields:
    return tuple(model._meta.concrete_fields)


@cache
def _field(model: type[models.Model], name: str) -> "Field[Any, Any]":
    found: Field[Any, Any] = next(field for field in _fields(model) if field.attname == name)
    return found


def _place(field: "Field[Any, Any]") -> str:
    """Where a field's value goes; some want a function around it, or a type behind it."""
    makes = getattr(field, "get_placeholder", None)
    return str(makes(None, None, connection)) if makes else "%s"


def _key(model: type[models.Model]) -> str:
    return _quoted(_field(model, _pk(model)))


def _pk(model: type[models.Model]) -> str:
    assert model._meta.pk is not None
    return model._meta.pk.attname


def _quoted(field: "Field[Any, Any]") -> str:
    return connection.ops.quote_name(field.column or "")


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)
