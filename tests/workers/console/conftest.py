"""Jobs in every state for the console's tests, and people who look at them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from core.accounts import Account
from workers.queue import defer

PHOTO = "7d1c7a5e-1111-5222-8333-944445555666"


def sql(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """A password hash that costs nothing."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def staff(client: Client, db: None) -> Client:
    """A browser of somebody who may operate the console."""
    client.force_login(Account.objects.create_user("ada", password="x", is_staff=True))
    return client


@pytest.fixture
def worker(db: None) -> int:
    """A live worker: the test's own session holds its lock."""
    worker_id = sql("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")[0][0]
    sql(
        """INSERT INTO worker_info (worker_id, name, host, pid, version, queues, concurrency, waiting, started_at)
           VALUES (%s, 'media', 'darkroom', 4711, '1', '["files", "previews"]', 2, '{}', now())""",
        worker_id,
    )
    sql("SELECT pg_advisory_xact_lock(%s, %s)", 0x46494C4D, worker_id)
    return int(worker_id)


Make = Callable[..., int]


@pytest.fixture
def make(db: None) -> Make:
    """Makes a job in a state, by the way that leads there."""

    def make(
        state: str, queue: str = "files", task: str = "import_file", worker: int | None = None, **args: Any
    ) -> int:
        job = defer(task, args={"path": "2024/IMG_0001.jpg", **args}, queue=queue)
        _STEPS[state](job, worker)
        return job

    return make


def _start(job: int, worker: int | None) -> None:
    sql("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE id = %s", worker, job)


def _fail(job: int, worker: int | None) -> None:
    _start(job, worker)
    sql(
        """UPDATE job_attempt SET error_kind = 'poison', error_code = 'empty', reason = 'This file is empty.',
                  error_class = 'PoisonError', message = 'no <b>bytes</b>', traceback = 'Traceback: line 1',
                  fingerprint = 'f1' WHERE job_id = %s""",
        job,
    )


def _end(status: str) -> Callable[[int, int | None], None]:
    def end(job: int, worker: int | None) -> None:
        (_fail if status == "failed" else _start)(job, worker)
        sql("UPDATE procrastinate_jobs SET status = %s, attempts = 1 WHERE id = %s", status, job)

    return end


def _wait(attempts: int) -> Callable[[int, int | None], None]:
    def wait(job: int, worker: int | None) -> None:
        if attempts:
            _fail(job, worker)
        sql(
            """UPDATE procrastinate_jobs SET status = 'todo', attempts = %s,
                      scheduled_at = now() + interval '90 seconds' WHERE id = %s""",
            attempts,
            job,
        )

    return wait


def _want_room(job: int, worker: int | None) -> None:
    for _ in range(9):
        _start(job, worker)
        sql(
            """UPDATE job_attempt SET error_kind = 'transient', error_code = 'disk-full', outcome = 'waiting',
                      reason = 'The disk is full.', error_class = 'OSError' WHERE job_id = %s""",
            job,
        )
        sql("SELECT filmroll_put_back(%s, 1, now() + interval '90 seconds', NULL)", job)


def _resolve(job: int, worker: int | None) -> None:
    from workers.actions import discard_jobs

    _end("failed")(job, worker)
    discard_jobs([job], "ada", "not needed")


def _block(job: int, worker: int | None) -> None:
    holder = defer("holds_the_lock", args={}, queue="other")
    sql("UPDATE procrastinate_jobs SET lock = 'one' WHERE id IN (%s, %s)", job, holder)
    sql("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE id = %s", worker, holder)


_STEPS: dict[str, Callable[[int, int | None], None]] = {
    "ready": lambda _job, _worker: None,
    "scheduled": _wait(0),
    "retrying": _wait(2),
    "waiting for room": _want_room,
    "blocked": _block,
    "running": _start,
    "stuck": lambda job, _worker: _start(job, None),
    "succeeded": _end("succeeded"),
    "dead": _end("failed"),
    "stopped": _end("aborted"),
    "cancelled": lambda job, _worker: sql("UPDATE procrastinate_jobs SET status = 'cancelled' WHERE id = %s", job),
    "resolved": _resolve,
}
