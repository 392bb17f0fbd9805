"""What is held back is what the workers say, not what the asking machine happens to lack."""

import pytest
from django.utils import timezone

from workers.models import WorkerInfo
from workers.progress import progress
from workers.queue import defer

pytestmark = pytest.mark.django_db
WAITING = {"labels": "model missing: it is not there"}


def worker(identity: int, waiting: dict[str, str], *, ended: bool = False) -> None:
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
        ended_at=now if ended else None,
    )


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


def test_a_worker_that_has_ended_says_nothing_any_more() -> None:
    worker(1, {}, ended=True)
    assert "model missing" in progress().held["labels"]
