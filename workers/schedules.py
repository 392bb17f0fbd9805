"""What runs by itself from time to time: a job waits in the queue for each next time, so that nothing polls.

The job that comes due notes down the time, queues the work itself and the job for the time after, in one
transaction. A worker that starts sees to it that each schedule has such a job.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from events.pulse import pulse
from workers.actions import PULSE_CHANNEL
from workers.models import JobAction, Schedule
from workers.queue import NewJob, defer, defer_batch

FIRE, QUEUE = "fire_schedule", "operations"


class UnknownSchedule(LookupError):
    """There is no schedule of this name."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done, how often (None: not at all), and which job does it."""

    words: str
    every: Callable[[], timedelta | None]
    job: NewJob


def _rescan_every() -> timedelta | None:
    return timedelta(hours=settings.RESCAN_HOURS) if settings.RESCAN_HOURS else None


PLANS: dict[str, Plan] = {
    "purge": Plan("Clear away finished jobs", lambda: timedelta(days=1), NewJob("purge_jobs", QUEUE)),
    "previews": Plan(
        "Clear away previews that newer ones have replaced",
        lambda: timedelta(days=7),
        NewJob("clear_previews", QUEUE),
    ),
    "sessions": Plan(
        "Forget sign-ins that have run out", lambda: timedelta(days=1), NewJob("clear_sessions", QUEUE)
    ),
    "rescan": Plan("Look through every library", _rescan_every, NewJob("rescan_libraries", "scan")),
}


def ensure_schedules() -> None:
    """See to it that the next time of each schedule is in the queue. Harmless at any time, from any process."""
    for name, plan in PLANS.items():
        with transaction.atomic():
            one = _locked(name)
            if one.paused_at is None and plan.every() is not None and not _waits(one.next_job):
                _plan_next(one, plan)


def fire(name: str, job: int) -> None:
    """The time has come: queue the work, and the next time. Another job than the one expected does nothing."""
    with transaction.atomic():
        one = _locked(name)
        if one.next_job != job or one.paused_at is not None:
            return
        one.last_at = timezone.now()
        [one.last_job] = defer_batch([PLANS[name].job])
        _plan_next(one, PLANS[name])


def run_now(name: str, actor: str) -> int:
    """Do it now, besides its times; the job that does it."""
    with transaction.atomic():
        one = _locked(name)
        one.last_at = timezone.now()
        [one.last_job] = defer_batch([PLANS[name].job])
        one.save()
        _note(name, "run now", actor, f"job {one.last_job}")
    return one.last_job


def pause_schedule(name: str, actor: str) -> None:
    """Let its times pass until it is resumed."""
    with transaction.atomic():
        one = _locked(name)
        if one.paused_at is not None:
            return
        _drop_waiting(one)
        one.paused_at, one.paused_by, one.next_at, one.next_job = timezone.now(), actor, None, None
        one.save()
        _note(name, "paused", actor, "")


def resume_schedule(name: str, actor: str) -> None:
    """Go on with its times, from now on."""
    with transaction.atomic():
        one = _locked(name)
        if one.paused_at is None:
            return
        one.paused_at, one.paused_by = None, ""
        _plan_next(one, PLANS[name])
        _note(name, "resumed", actor, "")


def schedules() -> dict[str, Schedule]:
    """Each schedule's times, by name; those that no worker has seen yet have none."""
    known = Schedule.objects.in_bulk(list(PLANS))
    return {name: known.get(name) or Schedule(name=name, paused_by="") for name in PLANS}


def _locked(name: str) -> Schedule:
    if name not in PLANS:
        raise UnknownSchedule(name)
    Schedule.objects.bulk_create([Schedule(name=name)], ignore_conflicts=True)
    return Schedule.objects.select_for_update().get(name=name)


def _plan_next(one: Schedule, plan: Plan) -> None:
    every = plan.every()
    one.next_at = None if every is None else _following(one.last_at, every)
    one.next_job = None
    if one.next_at is not None:
        one.next_job = defer(FIRE, args={"schedule": one.name}, queue=QUEUE, priority=80, scheduled_at=one.next_at)
    one.save()


def _following(last: datetime | None, every: timedelta) -> datetime:
    """After a long stop it comes soon, but once: times that passed meanwhile are not made up for."""
    now = timezone.now()
    return max(now + timedelta(minutes=1), (last or now) + every)


def _waits(job: int | None) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM procrastinate_jobs WHERE id = %s AND status IN ('todo', 'doing')", [job])
        return cursor.fetchone() is not None


def _drop_waiting(one: Schedule) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'cancelled' WHERE id = %s AND status = 'todo'", [one.next_job]
        )


def _note(name: str, action: str, actor: str, reason: str) -> None:
    told = {"action": action, "subject": f"schedule {name}", "actor": actor, "reason": reason}
    JobAction.objects.create(job_id=0, at=timezone.now(), **told)
    pulse(PULSE_CHANNEL)
