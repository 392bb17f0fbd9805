"""Acts on many jobs, carried out by workers."""

import time
from collections.abc import Callable

import pytest
from django.utils import timezone

from tests.workers.jobs.operating import begun
from tests.workers.jobs.processes import WorkerProcess, rows, wait_until
from tests.workers.jobs.test_actions import job_in
from workers.models import Attempt, JobAction, Operation, OperationItem
from workers.operations import cancel_operation, run_slice

Start = Callable[..., WorkerProcess]


@pytest.mark.django_db
def test_an_operation_goes_through_its_frozen_scope_with_an_outcome_for_each() -> None:
    jobs = [job_in("failed"), job_in("doing"), job_in("failed")]
    one = begun("retry", jobs, rate=1000)
    outside = job_in("failed")
    run_slice(one)
    operation = Operation.objects.get()
    assert (operation.state, operation.done, operation.skipped, operation.total) == ("done", 2, 1, 3)
    told = OperationItem.objects.order_by("position").values_list("job_id", "outcome", "reason")
    assert list(told) == [(jobs[0], "done", ""), (jobs[1], "skipped", "it is running now"), (jobs[2], "done", "")]
    assert rows("SELECT status FROM procrastinate_jobs WHERE id = %s", outside) == [("failed",)]
    assert JobAction.objects.filter(actor="ada", action="retry all", subject=f"operation {one}").exists()


@pytest.mark.django_db
def test_the_rate_is_kept_and_a_cancelled_operation_changes_nothing_more() -> None:
    jobs = [job_in("failed") for _ in range(30)]
    one = begun("discard", jobs, rate=20)
    began = time.monotonic()
    run_slice(one)
    # The last batch of four is not waited for.
    assert time.monotonic() - began >= (30 - 4) / 20 - 0.1
    other = begun("retry", jobs)
    assert cancel_operation(other, "bob") and not cancel_operation(other, "bob")
    run_slice(other)
    assert Operation.objects.get(id=other).gone_through == 0


@pytest.mark.django_db
def test_when_the_first_few_fail_again_the_rest_is_left_alone() -> None:
    jobs = [job_in("failed") for _ in range(5)]
    one = begun("retry", jobs, rate=1000, canary=2)
    run_slice(one)
    assert Operation.objects.get().gone_through == 2
    for job in jobs[:2]:
        rows("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", job)
        rows("SELECT procrastinate_finish_job_v1(%s, 'failed', false)", job)
    run_slice(one)
    operation = Operation.objects.get()
    assert (operation.state, operation.gone_through) == ("stopped", 2)


@pytest.mark.django_db
def test_the_first_few_that_only_wait_for_the_world_are_waited_for() -> None:
    jobs = [job_in("failed") for _ in range(3)]
    one = begun("retry", jobs, rate=1000, canary=1)
    run_slice(one)
    first = jobs[0]
    rows("UPDATE procrastinate_jobs SET attempts = 1 WHERE id = %s", first)
    waited = Attempt.objects.create(
        job_id=first, number=9, task="x", queue="x", outcome="waiting", started_at=timezone.now()
    )
    run_slice(one)
    assert (Operation.objects.get().state, Operation.objects.get().gone_through) == ("running", 1)
    Attempt.objects.filter(id=waited.id).update(outcome="retrying")
    run_slice(one)
    assert Operation.objects.get().state == "stopped"


@pytest.mark.slow
def test_an_operation_survives_the_kill_of_its_worker(start_worker: Start) -> None:
    jobs = [job_in("failed") for _ in range(400)]
    env = {"PROCRASTINATE_TASKS": ""}
    killed = start_worker("operations", DJANGO_SETTINGS_MODULE="core.settings", **env)
    one = begun("discard", jobs, rate=100)
    wait_until(lambda: Operation.objects.get(id=one).gone_through > 0)
    killed.kill()
    start_worker("operations", DJANGO_SETTINGS_MODULE="core.settings")
    wait_until(lambda: Operation.objects.get(id=one).state == "done")
    assert Operation.objects.get(id=one).done == 400
