"""Each run of each job is written down, whatever ends it."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from tests.workers.jobs.processes import WorkerProcess, lines, rows, status_of, wait_until
from workers.actions import retry_jobs
from workers.models import Attempt, Outcome, WorkerInfo
from workers.queue import defer

Start = Callable[..., WorkerProcess]


def test_j2_a_job_that_always_fails_runs_exactly_its_budget_and_rests_in_the_dead_letters(
    start_worker: Start, mark: Path
) -> None:
    start_worker()
    job = defer("unlucky", args={"mark": str(mark)}, queue="files")
    wait_until(lambda: status_of(job) == "failed")
    kept = list(Attempt.objects.filter(job_id=job).order_by("number"))
    assert [attempt.number for attempt in kept] == [1, 2, 3, 4]
    assert [attempt.outcome for attempt in kept] == ["retrying"] * 3 + ["dead"]
    for attempt, following in itertools.pairwise(kept):
        assert attempt.next_run_at is not None and attempt.next_run_at <= following.started_at
    assert kept[-1].next_run_at is None
    assert {attempt.reason for attempt in kept} == {"Somebody else is at it."}
    assert rows("SELECT attempts FROM procrastinate_jobs WHERE id = %s", job) == [(4,)]


def test_j25_runs_on_a_full_disk_do_not_count_and_the_job_has_its_whole_budget_afterwards(
    start_worker: Start, mark: Path
) -> None:
    start_worker()
    job = defer("need_room", args={"mark": str(mark), "full": 6}, queue="files")
    wait_until(lambda: status_of(job) == "failed")
    kept = list(Attempt.objects.filter(job_id=job).order_by("number"))
    assert [attempt.outcome for attempt in kept] == ["waiting"] * 6 + ["retrying"] * 3 + ["dead"]
    assert {attempt.error_code for attempt in kept[:6]} == {"disk-full"}
    # The first says where it happened; the others would only fill the disk.
    assert [bool(attempt.traceback) for attempt in kept] == [True] + [False] * 5 + [True] * 4
    assert rows("SELECT filmroll_waits(%s)", job) == [(6,)]
    retry_jobs([job], "ada")
    assert rows("SELECT filmroll_waits(%s)", job) == [(0,)]


def test_j25_a_job_that_is_asked_to_stop_while_the_disk_is_full_is_stopped(empty_queue: None) -> None:
    worker = rows("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")[0][0]
    job = defer("show", args={}, queue="files")
    attempt = rows("SELECT f.attempt FROM filmroll_fetch_job('{files}', %s) AS f", worker)[0][0]
    rows("UPDATE procrastinate_jobs SET abort_requested = true WHERE id = %s", job)
    end = "SELECT filmroll_end_run(%s, %s, %s, 'todo', now(), NULL, NULL, false)"
    assert rows(end, job, worker, attempt) == [("done",)]
    assert (status_of(job), Attempt.objects.get().outcome) == ("aborted", "stopped")
    # What is put back after that begins anew.
    retry_jobs([job], "ada")
    assert Attempt.objects.get().resolved


def test_a_worker_of_the_former_version_ends_its_runs_as_it_always_did(empty_queue: None) -> None:
    worker = rows("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")[0][0]
    job = defer("show", args={}, queue="files")
    attempt = rows("SELECT f.attempt FROM filmroll_fetch_job('{files}', %s) AS f", worker)[0][0]
    rows("SELECT filmroll_end_run(%s, %s, %s, 'todo', now(), NULL, NULL)", job, worker, attempt)
    assert Attempt.objects.get().outcome == "retrying"


def test_j14_each_attempt_keeps_class_message_traceback_worker_host_start_and_end(
    start_worker: Start, mark: Path
) -> None:
    worker = start_worker()
    job = defer("unlucky", args={"mark": str(mark), "how": "odd"}, queue="files")
    wait_until(lambda: status_of(job) == "failed")
    first = Attempt.objects.get(job_id=job, number=1)
    info = WorkerInfo.objects.get(worker_id=first.worker_id)
    assert (first.error_class, first.error_kind, first.error_code) == ("ValueError", "transient", "unexpected")
    # A NUL and half a surrogate pair have no place in PostgreSQL's text.
    assert first.message.startswith("/photos/2024/IMG_0001.jpg: bad thing") and "\0" not in first.message
    assert 'raise ValueError(f"/photos' in first.traceback and first.traceback.rstrip().endswith("?")
    assert (first.worker, first.host, first.pid) == ("media", info.host, worker.pid)
    assert first.ended_at is not None and first.started_at < first.ended_at
    assert len(set(Attempt.objects.filter(job_id=job).values_list("fingerprint", flat=True))) == 1


def test_a_file_that_cannot_work_is_dead_at_once_and_the_hook_hears_of_it_before_the_job_is_failed(
    start_worker: Start, mark: Path
) -> None:
    start_worker(TEST_DEAD_HOOK="tests.workers.jobs.tasks_for_tests.note_death")
    job = defer("unlucky", args={"mark": str(mark), "how": "poison"}, queue="files")
    wait_until(lambda: status_of(job) == "failed")
    assert lines(mark) == ["poison", "death:unlucky:1:PoisonError:doing"]


def test_a_broken_hook_does_not_keep_a_job_from_being_dead(start_worker: Start, mark: Path) -> None:
    start_worker(TEST_DEAD_HOOK="tests.workers.jobs.tasks_for_tests.broken_hook")
    job = defer("unlucky", args={"mark": str(mark), "how": "poison"}, queue="files")
    wait_until(lambda: status_of(job) == "failed")
    assert lines(mark) == ["poison", "hook"]


def test_too_much_memory_is_tried_once_more_alone_and_then_dead(start_worker: Start, mark: Path) -> None:
    start_worker()
    job = defer("unlucky", args={"mark": str(mark), "how": "resource"}, queue="files")
    wait_until(lambda: status_of(job) == "failed")
    ran = list(Attempt.objects.order_by("number").values_list("queue", "worker", "outcome"))
    assert ran == [("files", "media", "retrying"), ("alone", "alone", "dead")]
    # The words of the last one promise no other try.
    told = [row[0] for row in rows("SELECT reason FROM job_attempt WHERE job_id = %s ORDER BY number", job)]
    assert "is tried once more" in told[0]
    assert "is tried once more" not in told[1] and "ended the same way" in told[1]


def test_t6_an_unknown_task_is_a_dead_letter_with_a_plain_explanation(start_worker: Start) -> None:
    start_worker()
    job = defer("no_such_task", args={}, queue="files")
    wait_until(lambda: status_of(job) == "failed")
    kept = Attempt.objects.get(job_id=job)
    assert (kept.outcome, kept.error_code) == (Outcome.DEAD, "unknown-task")
    assert "does not know this kind of work" in kept.reason and "no_such_task" in kept.message


def test_t1_a_job_that_was_asked_to_stop_and_fails_is_stopped_and_carries_no_flag(
    start_worker: Start, mark: Path
) -> None:
    start_worker()
    job = defer("fail_slowly", args={"mark": str(mark), "seconds": 1}, queue="files")
    wait_until(lambda: lines(mark) == ["began"])
    rows("SELECT procrastinate_cancel_job_v1(%s, true, false)", job)
    wait_until(lambda: status_of(job) != "doing")
    assert rows("SELECT status, abort_requested FROM procrastinate_jobs WHERE id = %s", job) == [
        ("aborted", False)
    ]
    assert Attempt.objects.get(job_id=job).outcome == "stopped"


def test_t9_a_job_that_leaves_running_forgets_its_worker(start_worker: Start, mark: Path) -> None:
    start_worker()
    job = defer("touch", args={"mark": str(mark)}, queue="files")
    wait_until(lambda: status_of(job) == "succeeded")
    assert rows("SELECT worker_id FROM procrastinate_jobs WHERE id = %s", job) == [(None,)]
    assert Attempt.objects.get(job_id=job).worker_id is not None


def test_t9_the_search_for_a_workers_jobs_uses_an_index(empty_queue: None) -> None:
    rows("SET enable_seqscan = off")
    plan = str(rows("EXPLAIN UPDATE procrastinate_jobs SET worker_id = NULL WHERE worker_id = 7"))
    rows("SET enable_seqscan = on")
    assert "filmroll_jobs_worker" in plan


def test_sql_by_hand_is_recorded_too(empty_queue: None) -> None:
    job = defer("show", args={}, queue="files")
    for status in ("doing", "todo", "doing", "succeeded"):
        rows("UPDATE procrastinate_jobs SET status = %s WHERE id = %s", status, job)
    assert list(Attempt.objects.order_by("number").values_list("number", "outcome")) == [
        (1, "retrying"),
        (2, "succeeded"),
    ]


@pytest.mark.filterwarnings("ignore")
def test_the_trigger_never_raises_even_when_its_table_is_gone(empty_queue: None) -> None:
    job = defer("show", args={}, queue="files")
    rows("ALTER TABLE job_attempt RENAME TO job_attempt_away")
    try:
        rows("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", job)
        rows("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = %s", job)
    finally:
        rows("ALTER TABLE job_attempt_away RENAME TO job_attempt")
    assert status_of(job) == "succeeded"


def test_the_functions_that_are_called_are_those_of_the_installed_procrastinate(empty_queue: None) -> None:
    """Another schema means: read its changes, then adapt workers/migrations."""
    import procrastinate

    assert procrastinate.__version__.startswith("3.10")
    found = {
        row[0]
        for row in rows(
            """SELECT p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' FROM pg_proc AS p
                WHERE p.proname IN ('procrastinate_finish_job_v1', 'procrastinate_fetch_job_v2')"""
        )
    }
    assert found == {
        "procrastinate_fetch_job_v2(target_queue_names character varying[], p_worker_id bigint)",
        "procrastinate_finish_job_v1(job_id bigint, end_status procrastinate_job_status, delete_job boolean)",
    }
    columns = "SELECT column_name FROM information_schema.columns WHERE table_name = 'procrastinate_jobs'"
    assert {row[0] for row in rows(columns)} == {
        *("id", "queue_name", "task_name", "priority", "lock", "queueing_lock", "args", "status"),
        *("scheduled_at", "attempts", "abort_requested", "worker_id"),
    }
    states = {row[0] for row in rows("SELECT unnest(enum_range(NULL::procrastinate_job_status))::text")}
    assert states == {"todo", "doing", "succeeded", "failed", "cancelled", "aborting", "aborted"}
    assert connection.vendor == "postgresql"


def test_a_fetch_takes_the_most_urgent_job_of_its_queues_and_leaves_locked_and_future_ones(
    empty_queue: None,
) -> None:
    worker = rows("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")[0][0]
    low, high = (defer("show", args={}, queue="files", priority=priority) for priority in (1, 9))
    other = defer("show", args={}, queue="labels", priority=99)
    preview = defer("show", args={}, queue="previews", priority=5)
    rows("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 hour' WHERE id = %s", low)
    fetch = "SELECT (f.job).id, f.run, f.due_in FROM filmroll_fetch_job('{files,previews}', %s) AS f"
    assert [rows(fetch, worker)[0][:2] for _ in range(2)] == [(high, 1), (preview, 1)]
    nothing = rows(fetch, worker)[0]
    assert nothing[0] is None and 3500 < nothing[2] <= 3600
    assert status_of(other) == "todo"


def test_j21_a_fetch_does_not_walk_over_the_backlog_of_other_queues(empty_queue: None) -> None:
    rows(
        """INSERT INTO procrastinate_jobs (queue_name, task_name, priority)
           SELECT (ARRAY['labels', 'previews'])[1 + mod(n, 2)], 'show', 20 * mod(n, 2)
             FROM generate_series(1, 40000) AS n"""
    )
    rows("ANALYZE procrastinate_jobs")
    worker = rows("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")[0][0]
    fetch = "EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM filmroll_fetch_job('{files,labels}', %s)"
    rows(fetch, worker)  # the first call of a session reads the catalogue too
    plan = str(rows(fetch, worker))
    assert int(plan.split("shared hit=")[1].split()[0].strip("',)")) < 200, plan
    assert rows("SELECT DISTINCT queue_name FROM procrastinate_jobs WHERE status = 'doing'") == [("labels",)]
