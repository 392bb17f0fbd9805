"""The console's pages. Each shows a page, or its live part alone to the script that refreshes it."""

import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.web.access import Request, staff_only
from events.lag import trouble
from workers.console import charts, deaths, figures, listing, listpage, reading, tasks
from workers.console.jobpage import comes_next, history_of
from workers.console.listing import Page
from workers.console.live import WorkerRow, workers
from workers.console.search import Filter, UnknownFilter
from workers.console.sharing import shared
from workers.console.states import State, acts_on

_RUNNING_SHOWN = 12
# Stands for the reader's token in what readers share; nobody can have written it into a job.
_TOKEN = secrets.token_hex(16)
_TRIED_AGAIN = {State.RETRYING, State.RUNNING, State.READY, State.DEAD}


@require_safe
@never_cache
@staff_only
def overview_page(request: Request) -> HttpResponse:
    """Is work flowing, is anything dead, stuck or late, are workers there."""
    return live_answer(request, "overview", lambda: _overview(request))


def _overview(request: Request) -> dict[str, Any]:
    staff = workers()
    alive = _alive(staff)
    queues, flow = figures.queues(staff, figures.ON_PAGES)
    now = timezone.now()
    running = listing.page_of(Filter(State.RUNNING), "", alive).ids[:_RUNNING_SHOWN]
    late = [row for row in queues if row.oldest and now - row.oldest > figures.LATE and not row.rate]
    return {
        "trouble": trouble(),
        "queues": [row for row in queues if not row.is_empty or row.waits],
        "quiet": [row.name for row in queues if row.is_empty and not row.waits],
        "flow": flow,
        "stands": any(row.ready and not row.waits for row in queues),
        "held": [row for row in queues if row.held],
        "late": [row for row in late if not row.waits],
        "alive": [worker for worker in staff if worker.lives],
        "running": reading.jobs_by_id(running, staff),
        "groups": [(group, []) for group in deaths.groups(5)],
        "counts": _by_word(figures.counts(alive, figures.ON_PAGES)),
        "chart": charts.chart(request.GET.get("chart", "hour")),
        "spans": charts.SPANS.values(),
    }


@require_safe
@never_cache
@staff_only
def list_page(request: Request) -> HttpResponse:
    """Jobs by state, or what a search finds."""
    try:
        return live_answer(request, "list", lambda: _list(request))
    except UnknownFilter as error:
        told = {"mistake": str(error), "wanted": Filter(), "tabs": listpage.tabs("", {})}
        told |= {"text": listpage.text_of(request), "suggestions": listpage.suggestions(workers())}
        return answer(request, "list", told, 400)


def _list(request: Request) -> dict[str, Any]:
    staff = workers()
    alive = _alive(staff)
    text, wanted = listpage.text_of(request), listpage.filter_of(request)
    page = listing.page_of(wanted, request.GET.get("after", ""), alive)
    return {
        "acts": acts_on(wanted.state),
        "bulk": _bulk_address(text, wanted) if acts_on(wanted.state) else "",
        "text": text,
        "suggestions": [] if request.htmx else listpage.suggestions(staff),
        "jobs": reading.jobs_by_id(page.ids, staff),
        "page": page,
        "wanted": wanted,
        "tabs": listpage.tabs(text, figures.counts(alive, figures.ON_PAGES)),
        "following": _following(request, page),
        "first": "after" not in request.GET,
        "asked": _address(request),
    }


@require_safe
@never_cache
@staff_only
def job_page(request: Request, job_id: int) -> HttpResponse:
    """All that is known of one job: its state, what comes next, each attempt."""
    return live_answer(request, "job", lambda: _job(job_id))


def _job(job_id: int) -> dict[str, Any]:
    staff = workers()
    found = reading.jobs_by_id([job_id], staff)
    if not found:
        raise Http404(f"There is no job {job_id}.")
    job = found[0]
    others = [other for other in reading.jobs_of_photo(job.photo, 12) if other != job_id] if job.photo else []
    return {
        "job": job,
        "next": comes_next(job, staff),
        "history": history_of(job_id),
        "backoff": tasks.backoff_of(job.task, job.runs) if job.state in _TRIED_AGAIN else [],
        "others": reading.jobs_by_id(others, staff),
    }


@require_safe
@never_cache
@staff_only
def dead_page(request: Request) -> HttpResponse:
    """What failed for good: groups first, then each."""
    try:
        return live_answer(request, "dead", lambda: _dead(request))
    except UnknownFilter as error:
        return answer(request, "dead", {"mistake": str(error)}, 400)


def _dead(request: Request) -> dict[str, Any]:
    staff = workers()
    task, fingerprint = request.GET.get("task", ""), request.GET.get("error", "")
    after = request.GET.get("after", "")
    if fingerprint:
        page = deaths.page_of_group(task, fingerprint, after)
    else:
        page = listing.page_of(Filter(State.DEAD), after, _alive(staff))
    groups = deaths.groups()
    pictures = deaths.pictures(groups)
    return {
        "groups": [(group, pictures.get((group.task, group.fingerprint), [])) for group in groups],
        "chosen": fingerprint,
        "jobs": reading.jobs_by_id(page.ids, staff),
        "page": page,
        "following": _following(request, page),
    }


@require_safe
@never_cache
@staff_only
def tasks_page(request: Request) -> HttpResponse:
    """The kinds of work, how often each is tried, how long it waits and takes."""
    return live_answer(request, "tasks", lambda: {"tasks": tasks.tasks(), "recent": tasks.RECENT})


@require_safe
@never_cache
@staff_only
def workers_page(request: Request) -> HttpResponse:
    """Who works, at what, and who has left within a day."""
    return live_answer(request, "workers", _workers)


def _workers() -> dict[str, Any]:
    staff = workers()
    return {
        "alive": [worker for worker in staff if worker.lives],
        "gone": [worker for worker in staff if not worker.lives],
    }


@require_safe
@never_cache
@staff_only
def photo_page(request: Request, photo_id: UUID) -> HttpResponse:
    """Everything that was done for one photo; the fragment stands in the viewer's panel too."""
    jobs = reading.jobs_by_id(reading.jobs_of_photo(photo_id), workers())
    return answer(request, "photo", {"jobs": jobs, "photo": photo_id})


def answer(request: Request, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """The page, or its live part alone. `said` is what an action before it has done."""
    template = f"console/_{name}.html" if request.htmx else f"console/{name}.html"
    return _varied(render(request, template, {**context, **_address_of(request), "section": name}, status=status))


def live_answer(request: Request, name: str, context: Callable[[], dict[str, Any]]) -> HttpResponse:
    """The page; or its live part, made once for all who ask at once, each with their own token in its forms.

    It must hold nothing else of the reader. Raises what `context` raises.
    """
    if not request.htmx:
        return answer(request, name, context())
    html = shared(request.get_full_path(), lambda: _live_part(request, name, context()))
    if _TOKEN in html:
        html = html.replace(_TOKEN, get_token(request))
    return _varied(HttpResponse(html))


def _live_part(request: Request, name: str, context: dict[str, Any]) -> str:
    told = {**context, **_address_of(request), "section": name, "csrf_token": _TOKEN}
    return render_to_string(f"console/_{name}.html", told)


def _address_of(request: Request) -> dict[str, str]:
    return {"said": request.GET.get("said", "")[:300], "here": request.get_full_path()}


def _varied(answer: HttpResponse) -> HttpResponse:
    answer.headers["Vary"] = "HX-Request, Cookie"
    return answer


def _following(request: Request, page: Page) -> str:
    return _address(request, after=page.next) if page.next else ""


def _address(request: Request, **more: str) -> str:
    """The query of this page's address, but for its place in the list and what an action has said."""
    kept = {key: value for key, value in request.GET.items() if key not in ("after", "said")}
    return f"?{urlencode({**kept, **more})}"


def _bulk_address(text: str, wanted: Filter) -> str:
    return f"?{urlencode({'state': wanted.state or '', 'q': text})}"


def _alive(staff: list[WorkerRow]) -> list[int]:
    return [worker.id for worker in staff if worker.lives]


def _by_word(counted: dict[State, figures.Count]) -> dict[str, figures.Count]:
    return {state.value: count for state, count in counted.items()}
