"""Jobs are queued in the caller's transaction, and in one way only."""

import ast
from pathlib import Path

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from workers.queue import NewJob, defer, defer_batch

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.django_db
def test_a_job_keeps_its_arguments_queue_and_priority() -> None:
    job_id = defer("show", args={"photo": "a-b", "n": [1, {"x": None}]}, queue="previews", priority=70)
    kept = ProcrastinateJob.objects.get(id=job_id)
    assert (kept.task_name, kept.queue_name, kept.priority, kept.status) == ("show", "previews", 70, "todo")
    assert kept.args == {"photo": "a-b", "n": [1, {"x": None}]}


@pytest.mark.django_db
def test_a_batch_returns_one_id_a_job_in_their_order() -> None:
    ids = defer_batch([NewJob("show", "files", {"n": n}) for n in range(50)])
    kept = {job.id: job.args["n"] for job in ProcrastinateJob.objects.all()}
    assert [kept[job_id] for job_id in ids] == list(range(50))
    assert defer_batch([]) == []


def test_a_job_of_a_rolled_back_transaction_was_never_queued(empty_queue: None) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        defer("show", args={}, queue="files")
        raise RuntimeError
    assert not ProcrastinateJob.objects.exists()


def test_t11_inside_a_worker_the_job_still_belongs_to_the_callers_transaction(empty_queue: None) -> None:
    worker_connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]
    with app.replace_connector(worker_connector), transaction.atomic():
        defer("show", args={}, queue="files")
        transaction.set_rollback(True)
    assert not ProcrastinateJob.objects.exists()


@pytest.mark.django_db
def test_a_batch_is_one_statement(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        defer_batch([NewJob("show", "files") for _ in range(200)])
    assert connection.vendor == "postgresql"


def test_t11_nothing_but_the_queue_module_defers_through_procrastinate() -> None:
    forbidden = {"defer", "defer_async", "batch_defer", "batch_defer_async", "configure_task", "configure"}
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in ("core", "events", "workers")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in forbidden
        and ast.unparse(node.func) not in {"structlog.configure", "queue.defer", "queue.defer_batch"}
    ]
    assert found == []
