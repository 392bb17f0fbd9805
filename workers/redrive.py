"""One job where one is enough: dead work is tried again in the job that it had, and waiting work not doubled."""

from django.db import connection

from workers.actions import retry_jobs
from workers.queue import NewJob, defer_batch


def redrive_or_defer(job: NewJob, key: str) -> None:
    """Retry the dead job that has the same task and the same `key` among its arguments; queue a new one else.

    A job that is open already is left alone. In the caller's transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, status::text FROM procrastinate_jobs"
            " WHERE task_name = %s AND args ->> %s = %s AND status IN ('todo', 'doing', 'failed')"
            " ORDER BY id DESC",
            [job.task_name, key, job.args[key]],
        )
        found = cursor.fetchall()
    dead = [identity for identity, status in found if status == "failed"]
    if len(dead) < len(found):
        return  # open already
    if not dead:
        defer_batch([job])
        return
    retry_jobs(dead[:1], actor="history")


def defer_unless_waiting(job: NewJob, key: str) -> None:
    """Queue a job unless one with the same `key` waits that will begin after the caller's transaction has ended.

    The waiting one is held until then: workers skip what is locked, so it sees what the caller has done.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM procrastinate_jobs WHERE task_name = %s AND args ->> %s = %s AND status = 'todo'"
            " AND (scheduled_at IS NULL OR scheduled_at <= now()) LIMIT 1 FOR UPDATE SKIP LOCKED",
            [job.task_name, key, job.args[key]],
        )
        if cursor.fetchone() is None:
            defer_batch([job])
