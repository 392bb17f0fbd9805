"""What is held back is what the workers say, not what the asking machine happens to lack."""

import pytest
from django.db import connection
from django.utils import timezone

from workers.models import WorkerInfo
from workers.presence import LOCK_CLASS
from workers.progress import progress
from workers.queue import defer

pytestmark = pytest.mark.django_db
WAITING = {"labels": "model missing: it is not there"}


def worker(identity: int, waiting: dict[str, str], *, lives: bool = True) -> None:
    now = timezone.now()
    WorkerInfo.objects.create(
        worker_id=identity,
        name="analysis",
        host="nas",
        pid=1,
        version="1",
        queues=["labels"],
        concurrency=1,
        waiting=waiting,
        started_at=now,
    )
    if lives:  # for as long as the test's transaction
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, identity])


def test_jobs_that_wait_for_a_model_are_held_and_not_left() -> None:
    worker(1, WAITING)
    defer("detect_objects", args={"photo": "x"}, queue="labels")
    now = progress()
    assert (now.jobs["held"], now.left, now.idle, now.held) == (1, 0, True, WAITING)


def test_jobs_that_another_machine_can_do_are_left() -> None:
    worker(1, WAITING)
    worker(2, {})
    defer("detect_objects", args={"photo": "x"}, queue="labels")
    now = progress()
    assert (now.jobs["ready"], now.left, now.held) == (1, 1, {})


def test_a_worker_that_was_killed_says_nothing_any_more() -> None:
    worker(1, {}, lives=False)
    assert "model missing" in progress().held["labels"]
