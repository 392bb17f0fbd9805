"""Finished jobs are cleared away once they are old; what somebody may still want to decide about stays."""

import pytest

from tests.workers.jobs.operating import begun
from tests.workers.jobs.processes import rows
from tests.workers.jobs.test_actions import job_in
from workers import purge
from workers.actions import discard_jobs
from workers.jobsettings import BadJobSetting, keep_finished_jobs
from workers.models import Attempt, JobAction, Operation, OperationItem
from workers.operations import run_slice

pytestmark = pytest.mark.django_db


def age(job: int, days: int) -> None:
    """As if all that happened to a job had happened so long ago."""
    for table, column, key in (
        ("procrastinate_events", "at", "job_id"),
        ("job_attempt", "ended_at", "job_id"),
        ("job_action", "at", "job_id"),
    ):
        rows(f"UPDATE {table} SET {column} = {column} - make_interval(days => %s) WHERE {key} = %s", days, job)


def left() -> set[int]:
    return {row[0] for row in rows("SELECT id FROM procrastinate_jobs")}


def done(days: int) -> int:
    job = job_in("doing")
    rows("SELECT procrastinate_finish_job_v1(%s, 'succeeded', false)", job)
    age(job, days)
    return job


def test_old_finished_jobs_go_with_all_that_is_known_of_them_and_nothing_else_does() -> None:
    rows("TRUNCATE procrastinate_jobs CASCADE")
    old, discarded = done(40), job_in("failed")
    discard_jobs([discarded], "ada")
    age(discarded, 40)
    dead, waiting, running = job_in("failed"), job_in("todo"), job_in("doing")
    ended_late = job_in("doing")
    for job in (dead, waiting, running, ended_late):
        age(job, 400)
    rows("SELECT procrastinate_finish_job_v1(%s, 'succeeded', false)", ended_late)
    recent = done(20)
    assert purge.purge().jobs == 2
    assert left() == {dead, waiting, running, ended_late, recent}
    for job in (old, discarded):
        assert not Attempt.objects.filter(job_id=job).exists()
        assert not JobAction.objects.filter(job_id=job).exists()
        assert rows("SELECT 1 FROM procrastinate_events WHERE job_id = %s", job) == []
    assert purge.purge().jobs == 0


def test_it_goes_on_in_small_batches_and_hands_the_rest_on(monkeypatch: pytest.MonkeyPatch) -> None:
    rows("TRUNCATE procrastinate_jobs CASCADE")
    monkeypatch.setattr(purge, "BATCH", 3)
    jobs = [done(40) for _ in range(7)]
    first = purge.purge(seconds=0)
    assert (first.jobs, first.after) == (3, jobs[2])
    queued = rows("SELECT (args ->> 'after')::bigint FROM procrastinate_jobs WHERE task_name = 'purge_jobs'")
    assert queued == [(jobs[2],)]
    assert purge.purge(jobs[2]).jobs == 4


def test_how_long_they_are_kept_is_set_by_an_operator_and_zero_is_for_ever() -> None:
    rows("TRUNCATE procrastinate_jobs CASCADE")
    job = done(40)
    keep_finished_jobs(0, "ada")
    assert purge.purge().jobs == 0 and left() == {job}
    with pytest.raises(BadJobSetting, match="0 to keep them"):
        keep_finished_jobs(-1, "ada")
    keep_finished_jobs(39, "ada")
    assert purge.purge().jobs == 1
    assert list(JobAction.objects.filter(action="set").values_list("actor", flat=True)) == ["ada", "ada"]


def test_outcomes_of_old_operations_go_and_the_operation_is_still_listed() -> None:
    rows("TRUNCATE procrastinate_jobs CASCADE")
    one = begun("discard", [job_in("failed")])
    run_slice(one)
    assert OperationItem.objects.filter(operation_id=one).count() == 1
    rows("UPDATE job_operation SET ended_at = ended_at - interval '40 days'")
    purge.purge()
    assert not OperationItem.objects.exists() and Operation.objects.filter(id=one).exists()
