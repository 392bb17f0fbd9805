"""What the console's buttons do: retry and discard, one job, those selected, or a whole group."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.http import HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from core.web.access import Request, actor_of, staff_only
from core.web.words import counted
from workers.actions import Result, cancel_jobs, discard_jobs, reschedule_jobs, retry_jobs, stop_jobs
from workers.console.bulk import start_on_group
from workers.console.collecting import Group, page_of
from workers.editing import BadArguments, edit_and_retry, parse_arguments
from workers.operations import Terms


@require_POST
@staff_only
def retry(request: Request) -> HttpResponse:
    """Retry the jobs named `job` in the form."""
    return _told(request, retry_jobs(_ids(request), actor_of(request)), "queued again")


@require_POST
@staff_only
def discard(request: Request) -> HttpResponse:
    """Discard the jobs named `job` in the form."""
    reason = request.POST.get("reason", "").strip()[:300]
    return _told(request, discard_jobs(_ids(request), actor_of(request), reason), "discarded")


@require_POST
@staff_only
def cancel(request: Request) -> HttpResponse:
    """Take the waiting jobs named `job` in the form out of the queue."""
    return _told(request, cancel_jobs(_ids(request), actor_of(request)), "cancelled")


@require_POST
@staff_only
def stop(request: Request) -> HttpResponse:
    """Stop the running jobs named `job` in the form."""
    return _told(request, stop_jobs(_ids(request), actor_of(request)), "asked to stop")


@require_POST
@staff_only
def reschedule(request: Request) -> HttpResponse:
    """Have the waiting jobs named `job` in the form run at the time `at` (UTC), or so many minutes from now."""
    try:
        at = _time_of(request)
    except (ValueError, OverflowError):
        return back_with(request, "Nothing was changed. Choose a time, like 2026-05-16 14:00.")
    return _told(request, reschedule_jobs(_ids(request), actor_of(request), at), "rescheduled")


def _time_of(request: Request) -> datetime:
    given = request.POST.get("at", "").strip()
    if not given:
        return timezone.now() + timedelta(minutes=int(request.POST.get("minutes", "")))
    at = datetime.fromisoformat(given)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@require_POST
@staff_only
def edit(request: Request, job_id: int) -> HttpResponse:
    """Queue a dead job's work with the arguments in the form."""
    try:
        new = edit_and_retry(job_id, parse_arguments(request.POST.get("args", "")), actor_of(request))
    except BadArguments as error:
        return back_with(request, f"Nothing was changed. {error}")
    said = urlencode({"said": f"Queued with these arguments, in place of job {job_id}."})
    return HttpResponseRedirect(f"/jobs/{new}/?{said}")


@require_POST
@staff_only
def retry_group(request: Request) -> HttpResponse:
    """Retry all dead jobs of one kind."""
    return _group(request, "retry")


@require_POST
@staff_only
def discard_group(request: Request) -> HttpResponse:
    """Discard all dead jobs of one kind."""
    return _group(request, "discard")


def _group(request: Request, act: str) -> HttpResponse:
    """At the usual rate; who wants it otherwise has the page of acts on many."""
    group = Group(request.POST.get("task", ""), request.POST.get("error", ""))
    if not page_of(group, "", [], 1).ids:
        return _told(request, [], "")
    one = start_on_group(group, Terms(act), actor_of(request))
    return HttpResponseRedirect(f"/jobs/operations/{one}/")


def _ids(request: Request) -> list[int]:
    return [int(text) for text in request.POST.getlist("job")[:1000] if text.isdecimal() and len(text) < 19]


def _told(request: Request, results: Sequence[Result], done: str) -> HttpResponse:
    return back_with(request, _sentence(results, done))


def back_with(request: Request, sentence: str) -> HttpResponse:
    """Back to where the button was, with a sentence on what came of it."""
    back = request.POST.get("back", "")
    # Not one with a host: what is left of it without might begin with two slashes, and name another host.
    parts = urlsplit(back if url_has_allowed_host_and_scheme(back, None) else "/jobs/")
    asked = [(key, value) for key, value in parse_qsl(parts.query) if key not in ("said", "after")]
    return HttpResponseRedirect(f"{parts.path}?{urlencode([*asked, ('said', sentence)])}")


def _sentence(results: Sequence[Result], done: str) -> str:
    if not results:
        return "No job was chosen."
    count = sum(result.done for result in results)
    told = f"{counted(count, 'job')} {done}." if count else "Nothing was done."
    skipped = [result for result in results if not result.done]
    if skipped:
        reasons = "; ".join(sorted({result.reason for result in skipped}))
        told += f" {counted(len(skipped), 'job')} left alone: {reasons}."
    return told
