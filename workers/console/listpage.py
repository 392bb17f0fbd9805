"""The list of jobs as a page and as a file: its search, its tabs, its suggestions, its export."""

import csv
import io
import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.web.access import Request, staff_only
from workers.console import listing, reading
from workers.console.figures import Count
from workers.console.live import WorkerRow, workers
from workers.console.search import Filter, UnknownFilter, parse, without_state, written
from workers.console.sql import rows
from workers.console.states import ICONS, State
from workers.lanes import LANES

# An export ends here; whoever wants more narrows it, or asks the API page by page.
EXPORTED = 100_000
_AT_A_TIME = 500
_LINKED = ("task", "queue", "photo")
_COLUMNS = ("id", "task", "queue", "state", "runs", "budget", "priority", "due_at", "started_at", "ended_at")
_SAID = ("waits", "photo", "subject", "worker", "host", "error_class", "reason")


def text_of(request: Request) -> str:
    """The search in the address, with what links name beside it."""
    linked = written((key, request.GET[key].strip()) for key in _LINKED if request.GET.get(key, "").strip())
    return f"{request.GET.get('q', '').strip()} {linked}".strip()


def filter_of(request: Request) -> Filter:
    """What the address asks for; the running jobs when it asks for nothing. Raises UnknownFilter."""
    text = text_of(request)
    return filter_from(text, request.GET.get("state", "" if text else State.RUNNING.value))


def filter_from(text: str, word: str) -> Filter:
    """What a search and the word of a state ask for. Raises UnknownFilter."""
    if word and word not in set(State):
        raise UnknownFilter(f"There is no state “{word}”. There are: {', '.join(State)}.")
    return parse(text, timezone.now(), State(word) if word else None)


def tabs(text: str, counted: dict[State, Count]) -> list[dict[str, Any]]:
    """One tab a state, with its icon, its number where it is known, and the address that keeps the search."""
    kept = {"q": without_state(text)} if without_state(text) else {}
    return [
        {
            "state": state,
            "icon": ICONS[state],
            "count": None if kept else counted.get(state),
            "address": f"?{urlencode({'state': state.value, **kept})}",
        }
        for state in State
    ]


_KNOWN_ERRORS = """
SELECT DISTINCT error_code FROM (
    SELECT (SELECT a.error_code FROM job_attempt AS a WHERE a.job_id = j.id ORDER BY a.number DESC LIMIT 1)
      FROM procrastinate_jobs AS j WHERE j.status = 'failed' ORDER BY j.id DESC LIMIT 200) AS x(error_code)
 WHERE error_code <> '' ORDER BY error_code LIMIT 20
"""


def suggestions(staff: list[WorkerRow]) -> list[str]:
    """Terms that make sense now, from what is small: states, queues, tasks, workers, errors of dead jobs."""
    return [
        *(f"state:{state}" for state in State),
        *(f"queue:{queue}" for lane in LANES.values() for queue in lane.queues),
        *(f"task:{task}" for task in reading.TASK_WORDS),
        *sorted({f"worker:{worker.name}" for worker in staff} | {f"worker:{worker.host}" for worker in staff}),
        *(f"error:{row['error_code']}" for row in rows(_KNOWN_ERRORS)),
        *("attempts:>2", "run:>30s", "since:1h", "before:1d"),
    ]


@require_safe
@never_cache
@staff_only
def export(request: Request, kind: str) -> HttpResponseBase:
    """The list's jobs as a file, in its order, up to EXPORTED: `kind` is "csv" or "ndjson"."""
    try:
        wanted = filter_of(request)
    except UnknownFilter as error:
        return HttpResponse(f"{error}\n", "text/plain; charset=utf-8", 400)
    lines = (_csv if kind == "csv" else _ndjson)(_jobs(wanted))
    mime = "text/csv" if kind == "csv" else "application/x-ndjson"
    name = f"jobs-{timezone.now():%Y-%m-%d-%H%M}.{kind}"
    return StreamingHttpResponse(
        _handed_on(lines) if isinstance(request, ASGIRequest) else lines,
        content_type=f"{mime}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Accel-Buffering": "no"},
    )


def _jobs(wanted: Filter) -> Iterator[list[reading.Job]]:
    """Parts of a list, each read when the former was sent."""
    after, left = "", EXPORTED
    while left > 0:
        staff = workers()
        alive = [worker.id for worker in staff if worker.lives]
        page = listing.page_of(wanted, after, alive, min(_AT_A_TIME, left))
        left -= len(page.ids)
        yield reading.jobs_by_id(page.ids, staff)
        after = page.next
        if not after:
            return


def _csv(parts: Iterator[list[reading.Job]]) -> Iterator[str]:
    yield ",".join((*_COLUMNS, *_SAID, "args")) + "\r\n"
    for part in parts:
        written = io.StringIO()
        csv.writer(written).writerows([_cell(value) for value in _values(job).values()] for job in part)
        yield written.getvalue()


def _ndjson(parts: Iterator[list[reading.Job]]) -> Iterator[str]:
    for part in parts:
        yield "".join(json.dumps(_values(job), default=_plain, ensure_ascii=False) + "\n" for job in part)


def _values(job: reading.Job) -> dict[str, Any]:
    return {name: getattr(job, name) for name in (*_COLUMNS, *_SAID)} | {"args": job.args}


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else _plain(value)
    # A spreadsheet would run a text that begins so as a formula.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


async def _handed_on(lines: Iterator[str]) -> AsyncIterator[str]:
    def following() -> str | None:
        return next(lines, None)

    while (line := await sync_to_async(following)()) is not None:
        yield line
