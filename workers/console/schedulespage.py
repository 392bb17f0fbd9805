"""`/jobs/schedules/`: what runs by itself from time to time, and the settings that hold for all queues."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpResponse, HttpResponseRedirect
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.readmodels.libraries import all_libraries
from core.web.access import Request, actor_of, staff_only
from core.web.words import counted
from workers import jobsettings
from workers.console.actors import names_of
from workers.console.bulk import number_named
from workers.console.pages import answer
from workers.jobsettings import BadJobSetting, keep_finished_jobs, put_uploads_first
from workers.models import Schedule
from workers.schedules import PLANS, UnknownSchedule, pause_schedule, resume_schedule, run_now, schedules


@dataclass(frozen=True, slots=True)
class Line:
    """A schedule as page and API show it; `every` in seconds, none where it is switched off; `by` paused it."""

    name: str
    words: str
    every: float | None
    times: Schedule
    by: str


def lines() -> list[Line]:
    """Every schedule."""
    found = schedules()
    names = names_of(found[name].paused_by for name in PLANS)
    return [
        Line(name, plan.words, _seconds(plan.every()), found[name], by)
        for (name, plan), by in zip(PLANS.items(), names, strict=True)
    ]


@require_safe
@never_cache
@staff_only
def schedules_page(request: Request) -> HttpResponse:
    """When each ran and runs."""
    told = {"lines": lines(), "keep_days": jobsettings.keep_days(), "uploads_first": jobsettings.uploads_first()}
    return answer(request, "schedules", told)


@require_POST
@staff_only
def set_schedule(request: Request) -> HttpResponse:
    """Run now, pause or resume the schedule named in the form."""
    name, actor = request.POST.get("name", ""), actor_of(request)
    try:
        said = _ACTS[request.POST.get("act", "")](name, actor)
    except (UnknownSchedule, KeyError):
        said = "Nothing was changed: there is no such schedule or act."
    return _back(said)


@require_POST
@staff_only
def set_setting(request: Request) -> HttpResponse:
    """Change how long finished jobs are kept, or whether uploads go first."""
    actor = actor_of(request)
    try:
        if request.POST.get("act") == "keep":
            keep_finished_jobs(number_named(request.POST, "days", -1), actor)
            return _back("It holds from the next clearing on.")
        moved = uploads_first("first" in request.POST, actor)
        return _back(f"It holds now, on all workers; {counted(moved, 'job')} moved.")
    except BadJobSetting as error:
        return _back(f"Nothing was changed. {error}")


def uploads_first(first: bool, actor: str) -> int:
    """Set whether uploads go before the backlog; how many waiting jobs were moved."""
    return put_uploads_first(first, [str(library.id) for library in all_libraries() if library.managed], actor)


def _run(name: str, actor: str) -> str:
    return f"Job {run_now(name, actor)} does it now."


def _pause(name: str, actor: str) -> str:
    pause_schedule(name, actor)
    return "It is paused until somebody resumes it."


def _resume(name: str, actor: str) -> str:
    resume_schedule(name, actor)
    return "It goes on."


_ACTS: dict[str, Callable[[str, str], str]] = {"run": _run, "pause": _pause, "resume": _resume}


def _seconds(every: timedelta | None) -> float | None:
    return None if every is None else every.total_seconds()


def _back(said: str) -> HttpResponse:
    return HttpResponseRedirect(f"/jobs/schedules/?{urlencode({'said': said})}")
