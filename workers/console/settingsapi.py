"""Queues, schedules, operations, settings for programs: what the console's pages set, with a key of staff."""

from datetime import datetime, time
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.errors import HttpError
from pydantic import AwareDatetime

from core.api.access import actor_of, asker
from workers import jobsettings
from workers.console import bulk, listpage, schedulespage
from workers.console.api import for_staff
from workers.console.bulk import BadOperation, group_in, items_of, start_bulk, start_on_group, terms_of
from workers.console.figures import queues
from workers.console.live import workers
from workers.console.search import UnknownFilter
from workers.editing import BadArguments, edit_and_retry
from workers.jobsettings import BadJobSetting, keep_finished_jobs
from workers.models import Operation, QueueSetting
from workers.operations import RATE, cancel_operation
from workers.queuesettings import (
    BadSetting,
    hold_of,
    nothing_set,
    pause_queue,
    queue_settings,
    resume_queue,
    tune_queue,
)
from workers.schedules import UnknownSchedule, pause_schedule, resume_schedule, run_now

router = Router(tags=["jobs"])


class QueueOut(Schema):
    """A queue: what is set on it, what holds it now, and how much waits (10,001 stands for more)."""

    name: str
    ready: int
    running: int
    held_by: str
    held_until: datetime | None
    paused_by: str
    paused_reason: str
    concurrency: int | None
    quiet_from: time | None
    quiet_until: time | None
    zone: str
    newest_first: bool


class QueueIn(Schema):
    """All of a queue's settings: what is left out is set to its default."""

    concurrency: int | None = None
    quiet_from: time | None = None
    quiet_until: time | None = None
    zone: str = "UTC"
    newest_first: bool = False


class PauseIn(Schema):
    """Why, and until when (until resumed, if it says nothing)."""

    reason: str = ""
    until: AwareDatetime | None = None


class ScheduleOut(Schema):
    """Something that runs periodically; `every` in seconds."""

    name: str
    words: str
    every: float | None
    last_at: datetime | None
    last_job: int | None
    next_at: datetime | None
    paused_by: str


class Settings(Schema):
    """What holds for all queues."""

    keep_days: int
    uploads_first: bool


class SettingsIn(Schema):
    """What is left out stays as it is."""

    keep_days: int | None = None
    uploads_first: bool | None = None


class OperationIn(Schema):
    """An act on all jobs of a search: `retry`, `discard`, `cancel` or `stop`.

    Or on the dead letters of one `task` with one `kind` of error (its fingerprint).
    """

    act: str
    q: str = ""
    state: str = ""
    task: str = ""
    kind: str = ""
    reason: str = ""
    rate: int = RATE
    canary: int = 0


class OperationOut(Schema):
    """An act on many jobs."""

    id: int
    act: str
    actor: str
    scope: str
    reason: str
    rate: int
    canary: int
    state: str
    note: str
    total: int
    done: int
    skipped: int
    created_at: datetime
    ended_at: datetime | None


class ItemOut(Schema):
    """What came of one job; an empty outcome has not had its turn. `subject` is what it is where it is no job."""

    position: int
    job_id: int
    subject: str
    outcome: str
    reason: str


class ArgumentsIn(Schema):
    """The arguments for another try."""

    args: dict[str, Any]


class Created(Schema):
    """The job that was queued."""

    job_id: int


@router.get("/queues", response=list[QueueOut], summary="Queues, with what is set on them")
@for_staff
def list_queues(request: HttpRequest) -> Any:  # noqa: ARG001  # read by for_staff
    """Every queue that workers know or that holds something."""
    found, _ = queues(workers())
    known = queue_settings()
    return [
        _queue(row.name, row.ready.number, row.running.number, known.get(row.name) or nothing_set(row.name))
        for row in found
    ]


@router.put("/queues/{name}", response={204: None}, summary="Limit, quiet hours and order of a queue")
@for_staff
def set_queue(request: HttpRequest, name: str, wanted: QueueIn) -> Any:
    """Holds at once on all workers. 422 says what cannot be."""
    quiet = None
    if wanted.quiet_from is not None or wanted.quiet_until is not None:
        if wanted.quiet_from is None or wanted.quiet_until is None:
            raise HttpError(422, "Quiet hours need a beginning and an end.")
        quiet = (wanted.quiet_from, wanted.quiet_until)
    try:
        tune_queue(_named(name), actor_of(request), wanted.concurrency, quiet, wanted.zone, wanted.newest_first)
    except BadSetting as error:
        raise HttpError(422, str(error)) from error
    return Status(204, None)


@router.post("/queues/{name}/pause", response={204: None}, summary="Start no more jobs of a queue")
@for_staff
def pause(request: HttpRequest, name: str, wanted: PauseIn) -> Any:
    """What runs goes on."""
    try:
        pause_queue(_named(name), actor_of(request), wanted.reason.replace("\0", ""), wanted.until)
    except BadSetting as error:
        raise HttpError(422, str(error)) from error
    return Status(204, None)


@router.post("/queues/{name}/resume", response={204: None}, summary="End the pause of a queue")
@for_staff
def resume(request: HttpRequest, name: str) -> Any:
    """Harmless when it is not paused."""
    resume_queue(_named(name), actor_of(request))
    return Status(204, None)


@router.get("/settings", response=Settings, summary="What holds for all queues")
@for_staff
def get_settings(request: HttpRequest) -> Any:  # noqa: ARG001  # read by for_staff
    """How long finished jobs are kept (0: for ever), and whether uploads go before the backlog."""
    return {"keep_days": jobsettings.keep_days(), "uploads_first": jobsettings.uploads_first()}


@router.patch("/settings", response=Settings, summary="Set what holds for all queues")
@for_staff
def set_settings(request: HttpRequest, wanted: SettingsIn) -> Any:
    """Holds at once on all workers, also for uploads that wait already."""
    try:
        if wanted.keep_days is not None:
            keep_finished_jobs(wanted.keep_days, actor_of(request))
    except BadJobSetting as error:
        raise HttpError(422, str(error)) from error
    if wanted.uploads_first is not None:
        schedulespage.uploads_first(wanted.uploads_first, actor_of(request))
    return {"keep_days": jobsettings.keep_days(), "uploads_first": jobsettings.uploads_first()}


@router.get("/schedules", response=list[ScheduleOut], summary="What runs periodically")
@for_staff
def list_schedules(request: HttpRequest) -> Any:  # noqa: ARG001  # read by for_staff
    """With the last time and the next."""
    return [_schedule(line) for line in schedulespage.lines()]


@router.post("/schedules/{name}/{act}", response=ScheduleOut, summary="Run now, pause or resume a schedule")
@for_staff
def act_on_schedule(request: HttpRequest, name: str, act: str) -> Any:
    """`act` is run, pause or resume; 404 for others, and for a schedule that there is not."""
    acts = {"run": run_now, "pause": pause_schedule, "resume": resume_schedule}
    try:
        acts[act](name, actor_of(request))
    except (KeyError, UnknownSchedule) as error:
        raise HttpError(404, "There is no such schedule or act.") from error
    return next(_schedule(line) for line in schedulespage.lines() if line.name == name)


@router.get("/operations", response=list[OperationOut], summary="Acts on many jobs, newest first")
@for_staff
def list_operations(request: HttpRequest, before: int = 2**62) -> Any:  # noqa: ARG001  # read by for_staff
    """Fifty at a time; pass the last id as `before` for those that came earlier."""
    return list(Operation.objects.filter(id__lt=before).order_by("-id")[: bulk.PAGE])


@router.post("/operations", response={202: OperationOut}, summary="Begin an act on all jobs of a search")
@for_staff
def start_operation(request: HttpRequest, wanted: OperationIn) -> Any:
    """A worker freezes which jobs these are, then goes through them at the rate. 422 says what cannot be."""
    try:
        terms = terms_of(wanted.act, wanted.reason, wanted.rate, wanted.canary)
        if group := group_in({"task": wanted.task, "kind": wanted.kind}):
            one = start_on_group(group, terms, actor_of(request))
        else:
            one = start_bulk(listpage.filter_from(wanted.q, wanted.state), wanted.q, terms, actor_of(request))
    except (UnknownFilter, BadOperation) as error:
        raise HttpError(422, str(error)) from error
    return Status(202, Operation.objects.get(id=one))


@router.get("/operations/{operation_id}", response=OperationOut, summary="One act on many jobs")
@for_staff
def one_operation(request: HttpRequest, operation_id: int) -> Any:  # noqa: ARG001  # read by for_staff
    """404 when there is none."""
    return _operation(operation_id)


@router.get("/operations/{operation_id}/jobs", response=list[ItemOut], summary="What came of each job")
@for_staff
def operation_jobs(
    request: HttpRequest,  # noqa: ARG001  # read by for_staff
    operation_id: int,
    outcome: str = "",
    after: int = 0,
) -> Any:
    """A thousand at a time; pass the last position as `after`. `outcome` is done, skipped or open."""
    return items_of(_operation(operation_id).id, outcome, after, 1_000)


@router.post("/operations/{operation_id}/cancel", response=OperationOut, summary="Stop an act where it is")
@for_staff
def cancel(request: HttpRequest, operation_id: int) -> Any:
    """Once this answers, nothing more is changed. Harmless when it has ended."""
    cancel_operation(_operation(operation_id).id, actor_of(request), asker(request).get_username())
    return _operation(operation_id)


@router.post("/{int:job_id}/edit", response={201: Created}, summary="Try a dead job again with other arguments")
@for_staff
def edit(request: HttpRequest, job_id: int, wanted: ArgumentsIn) -> Any:
    """A new job gets the arguments; the dead one is resolved and keeps its own. 422 says what cannot be."""
    try:
        return Status(201, {"job_id": edit_and_retry(job_id, wanted.args, actor_of(request))})
    except BadArguments as error:
        raise HttpError(422, str(error)) from error


def _queue(name: str, ready: int, running: int, setting: QueueSetting) -> dict[str, Any]:
    hold = hold_of(name)
    return {
        "name": name,
        "ready": ready,
        "running": running,
        "held_by": hold.by if hold else "",
        "held_until": hold.until if hold else None,
        "paused_by": setting.paused_by,
        "paused_reason": setting.paused_reason,
        "concurrency": setting.concurrency,
        "quiet_from": setting.quiet_from,
        "quiet_until": setting.quiet_until,
        "zone": setting.zone,
        "newest_first": setting.newest_first,
    }


def _schedule(line: schedulespage.Line) -> dict[str, Any]:
    times = line.times
    told = {"last_at": times.last_at, "last_job": times.last_job, "next_at": times.next_at}
    paused = times.paused_by if times.paused_at else ""
    return {"name": line.name, "words": line.words, "every": line.every, "paused_by": paused, **told}


def _operation(operation_id: int) -> Operation:
    found = Operation.objects.filter(id=operation_id).first()
    if found is None:
        raise HttpError(404, f"There is no operation {operation_id}.")
    return found


def _named(name: str) -> str:
    if not name or len(name) > 128 or "\0" in name:
        raise HttpError(422, "A queue's name has 1 to 128 letters.")
    return name
