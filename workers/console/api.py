"""Jobs for programs: the same lists and the same words as the console, for administrators' keys."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from ninja.errors import HttpError
from pydantic import AwareDatetime

from core.api.access import actor_of, asker
from workers.actions import cancel_jobs, discard_jobs, reschedule_jobs, retry_jobs, stop_jobs
from workers.console import listing, live
from workers.console.reading import Job, jobs_by_id
from workers.console.search import UnknownFilter, parse, written
from workers.console.states import State
from workers.models import Attempt

router = Router(tags=["jobs"])


class JobOut(Schema):
    """A job with its state in one word and what its newest attempt says."""

    id: int
    task: str
    queue: str
    state: State
    runs: int
    waits: int
    budget: int | None
    due_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    args: dict[str, Any]
    reason: str
    error_class: str
    worker: str
    host: str


class AttemptOut(Schema):
    """One run of a job."""

    number: int
    worker: str
    host: str
    pid: int | None
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    next_run_at: datetime | None
    error_kind: str
    error_code: str
    reason: str
    error_class: str
    message: str
    traceback: str


class JobDetail(JobOut):
    """A job and each of its runs, oldest first."""

    attempts: list[AttemptOut]


class JobsPage(Schema):
    """Part of a list of jobs; pass `next` as `after` for the following part."""

    jobs: list[JobOut]
    next: str


class Outcome(Schema):
    """What came of an action; `reason` says why nothing was done."""

    job_id: int
    done: bool
    reason: str


def for_staff(view: Callable[..., Any]) -> Callable[..., Any]:
    """Answers 403 to whoever is not an administrator."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not asker(request).is_staff:
            raise HttpError(403, "Jobs are shown to administrators only.")
        return view(request, *args, **kwargs)

    return checked


@router.get("", response=JobsPage, summary="Jobs, by state, task, queue, photo or a search")
@for_staff
def list_jobs(
    request: HttpRequest,  # noqa: ARG001  # read by for_staff
    state: State | None = None,
    task: str = "",
    queue: str = "",
    photo: UUID | None = None,
    q: str = "",
    after: str = "",
) -> dict[str, Any]:
    """Pages of up to 50, in the order and with the search language (`q`) of the console's lists.

    An unreadable search or cursor is answered with 422. A search that finds little looks at a part of the jobs
    at a time: a page may have few jobs, or none, and yet a `next`.
    """
    given = (("task", task), ("queue", queue), ("photo", str(photo or "")))
    asked = written((key, value) for key, value in given if value)
    workers = live.workers()
    try:
        wanted = parse(f"{q} {asked}", timezone.now(), state)
        page = listing.page_of(wanted, after, [worker.id for worker in workers if worker.lives])
    except UnknownFilter as error:
        raise HttpError(422, str(error)) from error
    return {"jobs": jobs_by_id(page.ids, workers), "next": page.next}


@router.get("/{job_id}", response=JobDetail, summary="One job with each of its runs")
@for_staff
def one_job(request: HttpRequest, job_id: int) -> dict[str, Any]:  # noqa: ARG001  # read by for_staff
    """404 when there is no such job (any more)."""
    job = _existing(job_id)
    fields = {name: getattr(job, name) for name in JobOut.model_fields}
    return {**fields, "attempts": list(Attempt.objects.filter(job_id=job_id).order_by("number"))}


@router.post("/{job_id}/retry", response=Outcome, summary="Run a dead job again, or a waiting one now")
@for_staff
def retry(request: HttpRequest, job_id: int) -> Any:
    """Gives the job a full budget of runs. `done` is false, with the reason, when there is nothing to retry."""
    return retry_jobs([_existing(job_id).id], actor=actor_of(request))[0]


@router.post("/{job_id}/cancel", response=Outcome, summary="Take a waiting job out of the queue")
@for_staff
def cancel(request: HttpRequest, job_id: int, reason: str = "") -> Any:
    """`done` is false, with the reason, when it does not wait."""
    return cancel_jobs([_existing(job_id).id], actor_of(request), reason[:300])[0]


@router.post("/{job_id}/discard", response=Outcome, summary="Put a dead or waiting job away for good")
@for_staff
def discard(request: HttpRequest, job_id: int, reason: str = "") -> Any:
    """`done` is false, with the reason, when there is nothing to discard."""
    return discard_jobs([_existing(job_id).id], actor_of(request), reason[:300])[0]


@router.post("/{job_id}/stop", response=Outcome, summary="Ask for a running job to be stopped")
@for_staff
def stop(request: HttpRequest, job_id: int, reason: str = "") -> Any:
    """Its worker ends it within a moment; `done` is false, with the reason, when it does not run."""
    return stop_jobs([_existing(job_id).id], actor_of(request), reason[:300])[0]


@router.post("/{job_id}/reschedule", response=Outcome, summary="Have a waiting job run at another time")
@for_staff
def reschedule(request: HttpRequest, job_id: int, at: AwareDatetime) -> Any:
    """`at` needs its offset from UTC; a time that is past means now."""
    return reschedule_jobs([_existing(job_id).id], actor_of(request), at)[0]


def _existing(job_id: int) -> Job:
    found = jobs_by_id([job_id], live.workers())
    if not found:
        raise HttpError(404, f"There is no job {job_id}.")
    return found[0]
