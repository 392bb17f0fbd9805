"""What an operator sets for all queues together: how long finished jobs are kept, and whether uploads go first."""

from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from events.pulse import pulse
from workers.models import JobAction, JobSetting

KEEP_DAYS, UPLOADS_FIRST = "keep_days", "uploads_first"
_DEFAULTS: dict[str, Any] = {KEEP_DAYS: 30, UPLOADS_FIRST: True}
_LONGEST_DAYS = 3_650
# What puts an upload before the backlog.
AHEAD = 50
# The uploads that wait are moved at once, by where their files lie: a managed library's folder has no other files.
_MOVE_FILES = """
UPDATE procrastinate_jobs SET priority = priority + %(step)s
 WHERE status = 'todo' AND queue_name = 'files' AND task_name = 'import_file' AND (priority >= %(ahead)s) = %(are)s
   AND args ->> 'library' = ANY(%(libraries)s)
"""
_MOVE_PREVIEWS = """
UPDATE procrastinate_jobs AS j SET priority = j.priority + %(step)s
  FROM photo AS p
 WHERE j.status = 'todo' AND j.queue_name = 'previews' AND j.task_name = 'render_previews'
   AND (j.priority >= %(ahead)s) = %(are)s
   AND p.id::text = j.args ->> 'photo' AND p.library_id::text = ANY(%(libraries)s)
"""


class BadJobSetting(ValueError):
    """A setting that cannot be; the message is for the operator."""


def keep_days() -> int:
    """For how many days finished jobs are kept; 0 for ever."""
    return int(_value(KEEP_DAYS))


def uploads_first() -> bool:
    """Whether what people upload goes before what is found in folders."""
    return bool(_value(UPLOADS_FIRST))


def upload_priority() -> int:
    """By how much the jobs of an upload are more urgent than those of a file in a folder."""
    return AHEAD if uploads_first() else 0


def keep_finished_jobs(days: int, actor: str) -> None:
    """Keep finished jobs for so many days, 0 for ever. Raises BadJobSetting."""
    if not 0 <= days <= _LONGEST_DAYS:
        raise BadJobSetting(f"Say a number of days from 1 to {_LONGEST_DAYS:,}, or 0 to keep them for ever.")
    _set(KEEP_DAYS, days, actor, f"finished jobs are kept {f'for {days} days' if days else 'for ever'}")


def put_uploads_first(first: bool, libraries: list[str], actor: str) -> int:
    """Let uploads go before the backlog or take their turn, those that wait included; how many were moved.

    `libraries` are the ids of those that hold uploads.
    """
    with transaction.atomic():
        if uploads_first() == first:
            return 0
        _set(UPLOADS_FIRST, first, actor, "uploads go first" if first else "uploads take their turn")
        step: dict[str, Any] = {
            "step": AHEAD if first else -AHEAD,
            "ahead": AHEAD,
            "are": not first,
            "libraries": libraries,
        }
        with connection.cursor() as cursor:
            moved = 0
            for query in (_MOVE_FILES, _MOVE_PREVIEWS):
                cursor.execute(query, step)
                moved += cursor.rowcount
    return moved


def _value(name: str) -> Any:
    found = JobSetting.objects.filter(name=name).values_list("value", flat=True).first()
    return _DEFAULTS[name] if found is None else found


def _set(name: str, value: Any, actor: str, words: str) -> None:
    with transaction.atomic():
        before = _value(name)
        JobSetting.objects.update_or_create(name=name, defaults={"value": value})
        told = {"action": "set", "subject": name, "actor": actor, "reason": f"{words} (before: {before})"}
        JobAction.objects.create(job_id=0, at=timezone.now(), **told)
        pulse("filmroll_jobs")
