"""Edit and retry: a dead job's work is queued anew with other arguments; the old job keeps its own."""

import inspect
import json
from typing import Any, get_type_hints

from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from core.sent import json_in
from workers.actions import BY_HAND, note_acts
from workers.models import JobAction
from workers.queue import defer

_MOST_LETTERS = 20_000
_PLAIN = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


class BadArguments(ValueError):
    """Arguments that the task cannot take, or a job that cannot be edited; the message is for the operator."""


def parse_arguments(text: str) -> dict[str, Any]:
    """The arguments that a text of JSON means. Raises BadArguments."""
    if len(text) > _MOST_LETTERS:
        raise BadArguments(f"Arguments may have {_MOST_LETTERS:,} letters at most.")
    try:
        args = json_in(text)
    except ValueError as error:
        raise BadArguments(f"This is no JSON that can be kept: {error}.") from None
    if not isinstance(args, dict):
        raise BadArguments("Arguments are names with values, in braces.")
    return args


def check_arguments(task: str, args: dict[str, Any]) -> None:
    """Raises BadArguments unless the task knows these names, gets all that it needs, and each is of its kind."""
    known = app.tasks.get(task)
    if known is None:
        raise BadArguments(f"This version knows no task “{task}”, so its arguments cannot be checked.")
    signature = inspect.signature(known.func)
    try:
        signature.bind(**args)
    except TypeError as error:
        raise BadArguments(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
    hints = get_type_hints(known.func)
    for name, value in args.items():
        wanted = hints.get(name)
        if wanted in _PLAIN and (not isinstance(value, wanted) or isinstance(value, bool) is not (wanted is bool)):
            raise BadArguments(f"“{name}” must be {_PLAIN[wanted]}.")


def edit_and_retry(job_id: int, args: dict[str, Any], actor: str) -> int:
    """Queue a dead job's work with these arguments, and resolve the dead one; the new job's id.

    Each job's history names the other; the old arguments stay with the old job and in the new one's history.
    Raises BadArguments.
    """
    with transaction.atomic():
        task, queue, priority, before = _dead(job_id)
        check_arguments(task, args)
        if args == before:
            raise BadArguments("These are the arguments that it has. Press Retry to try it again as it is.")
        raised = priority + BY_HAND if priority < BY_HAND else priority
        new = defer(task, args=args, queue=queue, priority=raised)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE procrastinate_jobs SET status = 'cancelled' WHERE id = %s", [job_id])
        old = json.dumps(before, ensure_ascii=False)
        note_acts({job_id}, "superseded", actor, f"by job {new}, with other arguments; these were: {old}")
        told = f"from job {job_id}, whose arguments were: {old}"
        JobAction.objects.create(job_id=new, action="edited", actor=actor, reason=told, at=timezone.now())
    return new


def _dead(job_id: int) -> tuple[str, str, int, dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status::text, task_name, queue_name, priority, args::text FROM procrastinate_jobs"
            " WHERE id = %s FOR UPDATE",
            [job_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise BadArguments("This job is gone.")
    status, task, queue, priority, args = row
    if status != "failed":
        raise BadArguments("Only a dead letter can be edited: this job has another state by now.")
    return task, queue, priority, json.loads(args)
