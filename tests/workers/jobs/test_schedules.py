"""What runs from time to time: one job waits for each next time, and a person may run, pause and resume it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from procrastinate.contrib.django import app

from tests.workers.jobs.processes import WorkerProcess, rows, status_of, wait_until
from workers import schedules
from workers.models import JobAction, Schedule

Start = Callable[..., WorkerProcess]


def waiting(name: str = "purge") -> list[int]:
    query = """SELECT id FROM procrastinate_jobs WHERE task_name = 'fire_schedule' AND status = 'todo'
                AND args ->> 'schedule' = %s"""
    return [row[0] for row in rows(query, name)]


def work() -> int:
    return int(rows("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'purge_jobs'")[0][0])


@pytest.mark.django_db
def test_each_schedule_has_one_job_that_waits_however_often_workers_start() -> None:
    rows("TRUNCATE procrastinate_jobs CASCADE")
    for _ in range(3):
        schedules.ensure_schedules()
    assert len(waiting("purge")) == 1 == len(waiting("rescan"))
    assert Schedule.objects.get(name="purge").next_at is not None
    # Somebody cleared the queue: the next worker that starts mends it.
    rows("DELETE FROM procrastinate_jobs")
    schedules.ensure_schedules()
    assert len(waiting()) == 1


@pytest.mark.django_db
def test_when_its_time_has_come_the_work_is_queued_once_and_the_next_time_waits() -> None:
    rows("TRUNCATE procrastinate_jobs CASCADE")
    schedules.ensure_schedules()
    [first] = waiting()
    rows("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", first)
    schedules.fire("purge", first)
    [second] = waiting()
    assert work() == 1 and second != first
    schedules.fire("purge", first)  # the same job once more, after a kill
    assert work() == 1 and waiting() == [second]


@pytest.mark.django_db
def test_a_paused_one_does_not_come_and_goes_on_when_resumed() -> None:
    rows("TRUNCATE procrastinate_jobs CASCADE")
    schedules.ensure_schedules()
    [job] = waiting()
    schedules.pause_schedule("purge", "ada")
    schedules.pause_schedule("purge", "bob")
    schedules.ensure_schedules()
    assert waiting() == [] and status_of(job) == "cancelled"
    schedules.fire("purge", job)
    assert work() == 0
    schedules.run_now("purge", "ada")
    assert work() == 1
    schedules.resume_schedule("purge", "ada")
    assert len(waiting()) == 1
    acts = JobAction.objects.filter(subject="schedule purge").order_by("id").values_list("action", "actor")
    assert list(acts) == [("paused", "ada"), ("run now", "ada"), ("resumed", "ada")]


@pytest.mark.django_db
def test_once_a_day_sign_ins_that_have_run_out_are_forgotten_and_others_stay() -> None:
    for name, days in (("old", -1), ("new", 1)):
        expires = timezone.now() + timedelta(days=days)
        Session.objects.create(session_key=name, session_data="", expire_date=expires)
    schedules.run_now("sessions", "ada")
    [(task,)] = rows("SELECT task_name FROM procrastinate_jobs ORDER BY id DESC LIMIT 1")
    assert app.tasks[task]() == 1
    assert list(Session.objects.values_list("session_key", flat=True)) == ["new"]


@pytest.mark.django_db
def test_one_that_is_switched_off_has_no_time(settings: Any) -> None:
    rows("TRUNCATE procrastinate_jobs CASCADE")
    settings.RESCAN_HOURS = 0
    schedules.ensure_schedules()
    assert waiting("rescan") == []
    with pytest.raises(schedules.UnknownSchedule):
        schedules.run_now("nothing", "ada")


@pytest.mark.slow
def test_a_worker_does_the_work_when_its_time_comes(start_worker: Start) -> None:
    start_worker("operations", DJANGO_SETTINGS_MODULE="core.settings")
    [job] = waiting()
    rows("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE id = %s", job)
    rows("SELECT filmroll_wake_workers(%s)", job)
    done = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'purge_jobs' AND status = 'succeeded'"
    wait_until(lambda: rows(done) == [(1,)])
    assert len(waiting()) == 1
