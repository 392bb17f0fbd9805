"""Lists of jobs: a state, a task, a queue, a photo; page by page from where the last one ended.

No OFFSET and no count: a page 100,000 rows deep costs what the first one costs. States that hold few jobs
have an index each. Among all finished jobs, a search by task or queue looks at the newest SEARCHED only, and
the page says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workers.console.sql import one, rows
from workers.console.states import State

PAGE = 50
SEARCHED = 100_000


class UnknownFilter(ValueError):
    """A word of the address that no filter knows; the message is for the reader."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is asked for; empty means any."""

    state: State | None = None
    task: str = ""
    queue: str = ""
    photo: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Ids of one page, where the next one begins ("" at the end), and whether only the newest were searched."""

    ids: tuple[int, ...]
    next: str
    searched_only: int | None = None


_SELECT = "SELECT j.id, j.priority, j.scheduled_at FROM procrastinate_jobs AS j"
# How each state is told in SQL; `j` is the job.
_DISCARDED = """EXISTS (SELECT 1 FROM job_action AS c
                WHERE c.job_id = j.id AND c.action IN ('discarded', 'superseded')
                AND c.id = (SELECT max(d.id) FROM job_action AS d WHERE d.job_id = j.id))"""
_HELD = "EXISTS (SELECT 1 FROM procrastinate_jobs AS o WHERE o.lock = j.lock AND o.status = 'doing')"
_READY = "j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())"
CONDITIONS: dict[State, str] = {
    State.SCHEDULED: "j.status = 'todo' AND j.scheduled_at > now() AND j.attempts = 0",
    State.RETRYING: "j.status = 'todo' AND j.scheduled_at > now() AND j.attempts > 0",
    State.READY: f"{_READY} AND (j.lock IS NULL OR NOT {_HELD})",
    State.BLOCKED: f"{_READY} AND j.lock IS NOT NULL AND {_HELD}",
    State.RUNNING: "j.status = 'doing' AND j.worker_id = ANY(%(alive)s)",
    State.STUCK: "j.status = 'doing' AND (j.worker_id IS NULL OR j.worker_id <> ALL(%(alive)s))",
    State.SUCCEEDED: "j.status = 'succeeded'",
    State.DEAD: "j.status = 'failed'",
    State.RESOLVED: f"j.status = 'cancelled' AND {_DISCARDED}",
    State.CANCELLED: f"j.status = 'cancelled' AND NOT {_DISCARDED}",
    State.STOPPED: "j.status = 'aborted'",
}


def page_of(wanted: Filter, after: str, alive: Sequence[int]) -> Page:
    """One page. Raises UnknownFilter when `after` is not what a page before has given."""
    order = _ORDERS.get(wanted.state, _newest) if wanted.state else _newest
    return order(wanted, after, {"alive": list(alive), **_asked(wanted)})


def _asked(wanted: Filter) -> dict[str, Any]:
    return {"task": wanted.task, "queue": wanted.queue, "photo": wanted.photo, "limit": PAGE + 1}


def _where(wanted: Filter) -> str:
    parts = [CONDITIONS[wanted.state]] if wanted.state else []
    parts += ["j.task_name = %(task)s"] if wanted.task else []
    parts += ["j.queue_name = %(queue)s"] if wanted.queue else []
    parts += ["j.args ->> 'photo' = %(photo)s"] if wanted.photo else []
    return " AND ".join(parts) or "true"


def _newest(wanted: Filter, after: str, asked: dict[str, Any]) -> Page:
    asked["before"] = _number(after) if after else 2**62
    where = f"{_where(wanted)} AND j.id < %(before)s"
    searched = _is_long_search(wanted)
    if searched:
        newest = one("SELECT COALESCE(max(id), 0) AS id FROM procrastinate_jobs")["id"]
        asked["floor"] = newest - SEARCHED
        where += " AND j.id > %(floor)s"
    query = f"{_SELECT} WHERE {where} ORDER BY j.id DESC LIMIT %(limit)s"
    found = rows(query, asked)
    ids = [row["id"] for row in found]
    return _page(ids, str(ids[PAGE - 1]) if len(ids) > PAGE else "", SEARCHED if searched else None)


def _is_long_search(wanted: Filter) -> bool:
    """Whether matching rows may be rare among millions: no index leads to them."""
    return wanted.state in (None, State.SUCCEEDED) and bool(wanted.task or wanted.queue) and not wanted.photo


def _by_due_time(wanted: Filter, after: str, asked: dict[str, Any]) -> Page:
    where = _where(wanted)
    if after:
        due, _, last = after.partition("~")
        asked |= {"due": _moment(due), "last": _number(last)}
        where += " AND (j.scheduled_at, j.id) > (%(due)s, %(last)s)"
    query = f"{_SELECT} WHERE {where} ORDER BY j.scheduled_at, j.id LIMIT %(limit)s"
    found = rows(query, asked)
    last_row = found[PAGE - 1] if len(found) > PAGE else None
    following = f"{last_row['scheduled_at'].isoformat()}~{last_row['id']}" if last_row else ""
    return _page([row["id"] for row in found], following)


def _by_turn(wanted: Filter, after: str, asked: dict[str, Any]) -> Page:
    """The order in which workers take them: two ranges of the index, for priorities go down and ids up."""
    where, columns = _where(wanted), f"{_SELECT} WHERE"
    tail = "ORDER BY j.priority DESC, j.id LIMIT %(limit)s"
    if not after:
        found = rows(f"{columns} {where} {tail}", asked)
    else:
        priority, _, last = after.partition("~")
        asked |= {"priority": _number(priority), "last": _number(last)}
        same = f"({columns} {where} AND j.priority = %(priority)s AND j.id > %(last)s {tail})"
        lower = f"({columns} {where} AND j.priority < %(priority)s {tail})"
        found = rows(f"SELECT * FROM ({same} UNION ALL {lower}) AS j {tail}", asked)  # noqa: S608  # our own words
    last_row = found[PAGE - 1] if len(found) > PAGE else None
    following = f"{last_row['priority']}~{last_row['id']}" if last_row else ""
    return _page([row["id"] for row in found], following)


_ORDERS: dict[State, Callable[[Filter, str, dict[str, Any]], Page]] = {
    State.SCHEDULED: _by_due_time,
    State.RETRYING: _by_due_time,
    State.READY: _by_turn,
    State.BLOCKED: _by_turn,
}


def _page(ids: list[int], following: str, searched_only: int | None = None) -> Page:
    return Page(tuple(ids[:PAGE]), following, searched_only)


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
