"""Lists of jobs: a state, a task, a queue, a photo; page by page from where the last one ended.

No OFFSET and no count: a page 100,000 rows deep costs what the first one costs. A search looks at so many jobs
at a time, in the list's order, and the page says so and leads on: no index could serve every question.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workers.console.conditions import where_state, where_terms
from workers.console.search import Filter, UnknownFilter
from workers.console.sql import rows
from workers.console.states import State

PAGE = 50
# So many jobs are looked at for one page of a search: in their own rows, or behind them in their attempts.
SEARCHED, SEARCHED_BEHIND = 50_000, 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """Ids of one page, where the next one begins ("" at the end), and how many were searched if not all."""

    ids: tuple[int, ...]
    next: str
    searched_only: int | None = None


Place = tuple[list[str], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Order:
    """How a list is sorted; the ranges of an index after a place; the place of a row."""

    forth: str
    read: Callable[[str], Place]
    write: Callable[[dict[str, Any]], str]


def page_of(wanted: Filter, after: str, alive: Sequence[int], size: int = PAGE) -> Page:
    """One page. Raises UnknownFilter when `after` is not what a page before has given."""
    order = _ORDERS.get(wanted.state, _NEWEST) if wanted.state else _NEWEST
    terms, values = where_terms(wanted)
    places, at = order.read(after) if after else (["true"], {})
    asked = {"alive": list(alive), "limit": size + 1, **values, **at}
    if wanted.names_photo or not wanted.terms:
        query = _ranged(_SELECT, [f"{where_state(wanted)} AND {place} AND {terms}" for place in places], order)
        return _page(rows(query, asked), order, size)
    asked["looked"] = SEARCHED_BEHIND if wanted.reads_attempts else SEARCHED
    wheres = [f"{where_state(wanted)} AND {place}" for place in places]
    looked = _ranged(_LOOKED, wheres, order, "looked")
    found = rows(f"SELECT j.* FROM ({looked}) AS j WHERE {terms} ORDER BY {order.forth} LIMIT %(limit)s", asked)  # noqa: S608
    if len(found) > size:
        return _page(found, order, size)
    ranged = _ranged(_SELECT, wheres, order, "looked")
    last = rows(f"SELECT j.* FROM ({ranged}) AS j ORDER BY {order.forth} LIMIT 1 OFFSET %(looked)s - 1", asked)  # noqa: S608
    if not last:
        return _page(found, order, size)
    return Page(tuple(row["id"] for row in found), order.write(last[0]), asked["looked"])


def _ranged(columns: str, wheres: list[str], order: _Order, limit: str = "limit") -> str:
    """One range of an index, or several that follow one another: with OR between them none would be used."""
    tail = f"ORDER BY {order.forth} LIMIT %({limit})s"
    parts = [f"({columns} WHERE {where} {tail})" for where in wheres]
    return parts[0] if len(parts) == 1 else f"SELECT j.* FROM ({' UNION ALL '.join(parts)}) AS j {tail}"  # noqa: S608


def _page(found: list[dict[str, Any]], order: _Order, size: int) -> Page:
    ids = tuple(row["id"] for row in found[:size])
    return Page(ids, order.write(found[size - 1]) if len(found) > size else "")


_SELECT = "SELECT j.id, j.priority, j.scheduled_at FROM procrastinate_jobs AS j"
# What the terms read.
_LOOKED = """SELECT j.id, j.priority, j.scheduled_at, j.status, j.lock, j.worker_id, j.attempts, j.queue_name,
                    j.task_name, j.args FROM procrastinate_jobs AS j"""


def _below(place: str) -> Place:
    return ["j.id < %(last)s"], {"last": _number(place)}


def _due_after(place: str) -> Place:
    due, _, last = place.partition("~")
    return ["(j.scheduled_at, j.id) > (%(due)s, %(last)s)"], {"due": _moment(due), "last": _number(last)}


def _turn_after(place: str) -> Place:
    # Priorities go down and ids up, so this is no comparison of rows.
    priority, _, last = place.partition("~")
    ranges = ["j.priority = %(priority)s AND j.id > %(last)s", "j.priority < %(priority)s"]
    return ranges, {"priority": _number(priority), "last": _number(last)}


_NEWEST = _Order("j.id DESC", _below, lambda row: str(row["id"]))
_BY_DUE_TIME = _Order(
    "j.scheduled_at, j.id",
    _due_after,
    lambda row: f"{row['scheduled_at'].isoformat()}~{row['id']}",
)
# The order in which workers take them.
_BY_TURN = _Order("j.priority DESC, j.id", _turn_after, lambda row: f"{row['priority']}~{row['id']}")
_ORDERS = {
    State.SCHEDULED: _BY_DUE_TIME,
    State.RETRYING: _BY_DUE_TIME,
    State.READY: _BY_TURN,
    State.BLOCKED: _BY_TURN,
}


def _number(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise UnknownFilter(f"“{text}” is no place in this list.") from None
    if abs(number) >= 2**62:
        raise UnknownFilter(f"“{text}” is no place in this list.")
    return number


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise UnknownFilter(f"“{text}” is no place in this list.") from None
