"""What an operator sets on a queue: pause and resume, a limit, quiet hours, newest first.

Every fetch reads these rows in the database, so a change holds for all workers from their next fetch on, and a
notification brings about that fetch at once.
"""

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import connection, transaction
from django.utils import timezone

from core.turns import take_turns
from events.pulse import pulse
from workers.models import JobAction, QueueSetting

_MOST_AT_ONCE = 1_000


class BadSetting(ValueError):
    """A setting that cannot be; the message is for the operator."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a queue is not worked on now; `until` is None when only a person ends it."""

    by: str
    until: datetime | None
    actor: str
    reason: str

    @property
    def words(self) -> str:
        """In short: by whom and why."""
        if self.by != "pause":
            return "quiet hours"
        return f"paused by {self.actor}{f': {self.reason}' if self.reason else ''}"


def pause_queue(queue: str, actor: str, reason: str = "", until: datetime | None = None) -> None:
    """Start no more jobs of a queue, on any worker, until then or until somebody resumes it."""
    if until is not None and until <= timezone.now():
        raise BadSetting("The end of a pause must lie in the future.")
    told = {"paused_at": timezone.now(), "paused_by": actor, "paused_reason": reason[:300], "paused_until": until}
    end = f"until {until:%Y-%m-%d %H:%M} UTC" if until else "until resumed"
    _set(queue, actor, "paused", f"{end}{f': {reason[:300]}' if reason else ''}", told)


def resume_queue(queue: str, actor: str) -> None:
    """End a pause."""
    _set(
        queue,
        actor,
        "resumed",
        "",
        {"paused_at": None, "paused_by": "", "paused_reason": "", "paused_until": None},
    )


def tune_queue(
    queue: str,
    actor: str,
    concurrency: int | None,
    quiet: tuple[time, time] | None,
    zone: str = "UTC",
    newest_first: bool = False,
) -> None:
    """Set the limit over all workers (none for the lanes' own), the quiet hours and the order of a queue."""
    if concurrency is not None and not 1 <= concurrency <= _MOST_AT_ONCE:
        raise BadSetting(f"The limit is a number from 1 to {_MOST_AT_ONCE:,}. To stop a queue, pause it.")
    if quiet is not None and quiet[0] == quiet[1]:
        raise BadSetting("Quiet hours need a beginning and an end that differ. To stop a queue, pause it.")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadSetting(f"There is no time zone “{zone}”. Write it like Europe/Berlin.") from None
    start, end = quiet or (None, None)
    values = {"concurrency": concurrency, "quiet_from": start, "quiet_until": end, "zone": zone}
    words = (
        f"limit {concurrency or 'none'}, quiet hours {f'{start:%H:%M}-{end:%H:%M} {zone}' if quiet else 'none'}"
    )
    order = "newest first" if newest_first else "oldest first"
    _set(queue, actor, "tuned", f"{words}, {order}", {**values, "newest_first": newest_first})


def queue_settings() -> dict[str, QueueSetting]:
    """What is set, by queue."""
    return {row.queue: row for row in QueueSetting.objects.all()}


def nothing_set(queue: str) -> QueueSetting:
    """A queue on which nobody has set anything: the database's defaults are no values before a row is saved."""
    return QueueSetting(queue=queue, paused_by="", paused_reason="", zone="UTC", newest_first=False)


def holds() -> dict[str, Hold]:
    """Why queues are held now, by queue."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT g.queue, g.held_by, NULLIF(g.held_until, 'infinity'), s.paused_by, s.paused_reason
                 FROM filmroll_gates() AS g JOIN job_queue_setting AS s USING (queue)
                WHERE g.held_by <> ''"""
        )
        return {row[0]: Hold(*row[1:]) for row in cursor.fetchall()}


def hold_of(queue: str) -> Hold | None:
    """Why a queue is held now, if it is."""
    return holds().get(queue)


def _set(queue: str, actor: str, action: str, reason: str, values: dict[str, object]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        # Fetches share it: those under way end first, and those that come see what is set here.
        take_turns("queue settings")
        QueueSetting.objects.update_or_create(queue=queue, defaults=values)
        JobAction.objects.create(
            job_id=0, action=action, actor=actor, reason=reason, subject=f"queue {queue}", at=timezone.now()
        )
        # In the transaction: the workers look only once the row can be seen.
        cursor.execute("SELECT pg_notify(%s, '')", [f"procrastinate_queue_v1#{queue}"])
        pulse("filmroll_jobs")
