"""Dead letters: grouped by task and kind of error, since a thousand of them mostly have three causes."""

import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from core.readmodels.photos import Photo
from core.web.typed import number_in
from workers.console.listing import PAGE, Page
from workers.console.reading import TASK_WORDS, is_uuid
from workers.console.sql import one, rows, run

GROUPS = 20


@dataclass(frozen=True, slots=True)
class Group:
    """Dead jobs of one task with one kind of error, with the newest of them for a sample."""

    task: str
    fingerprint: str
    count: int
    first_at: datetime
    last_at: datetime
    recent: int
    before: int
    sample_job: int
    error_class: str
    error_code: str
    message: str
    reason: str

    @property
    def title(self) -> str:
        return TASK_WORDS.get(self.task, self.task)

    @property
    def trend(self) -> str:
        """How this day compares with the day before."""
        if not self.recent:
            return "none within a day"
        if self.recent > self.before:
            return f"growing: {self.recent:,} within a day, {self.before:,} the day before"
        return f"{self.recent:,} within a day, {self.before:,} the day before"

    @property
    def grows(self) -> bool:
        return self.recent > self.before


# The sample is the newest attempt of the group.
_GROUPS = """
WITH grouped AS (
    SELECT task, fingerprint, count(*) AS count, min(ended_at) AS first_at, max(ended_at) AS last_at,
           count(*) FILTER (WHERE ended_at > now() - interval '1 day') AS recent,
           count(*) FILTER (WHERE ended_at > now() - interval '2 days'
                              AND ended_at <= now() - interval '1 day') AS before,
           max(id) AS newest
      FROM job_attempt WHERE outcome = 'dead' AND NOT resolved
     GROUP BY task, fingerprint ORDER BY count(*) DESC, max(id) DESC LIMIT %(limit)s)
SELECT g.task, g.fingerprint, g.count, g.first_at, g.last_at, g.recent, g.before, a.job_id AS sample_job,
       a.error_class, a.error_code, a.message, a.reason
  FROM grouped AS g JOIN job_attempt AS a ON a.id = g.newest ORDER BY g.count DESC, g.newest DESC
"""
_MEMBERS = """
SELECT job_id FROM job_attempt
 WHERE outcome = 'dead' AND NOT resolved AND task = %(task)s AND fingerprint = %(fingerprint)s
   AND job_id < %(before)s
 ORDER BY job_id DESC LIMIT %(limit)s
"""


_PHOTOS = """
SELECT x.fingerprint, x.task, j.args ->> 'photo' AS photo
  FROM unnest(%(tasks)s::text[], %(fingerprints)s::text[]) AS x(task, fingerprint)
  CROSS JOIN LATERAL (
       SELECT a.job_id FROM job_attempt AS a
        WHERE a.outcome = 'dead' AND NOT a.resolved AND a.task = x.task AND a.fingerprint = x.fingerprint
        ORDER BY a.job_id DESC LIMIT %(limit)s) AS newest
  JOIN procrastinate_jobs AS j ON j.id = newest.job_id
"""
PICTURES = 5


def pictures(groups: list[Group]) -> dict[tuple[str, str], list[Photo]]:
    """Photos among the newest jobs of each group, by its task and fingerprint; those that are known."""
    asked = {
        "tasks": [group.task for group in groups],
        "fingerprints": [group.fingerprint for group in groups],
        "limit": 3 * PICTURES,
    }
    found = [row for row in rows(_PHOTOS, asked) if row["photo"] and is_uuid(row["photo"])] if groups else []
    known = Photo.objects.in_bulk({row["photo"] for row in found})
    by_group: dict[tuple[str, str], list[Photo]] = {}
    for row in found:
        photo = known.get(UUID(row["photo"]))
        shown = by_group.setdefault((row["task"], row["fingerprint"]), [])
        if photo and photo not in shown and len(shown) < PICTURES:
            shown.append(photo)
    return by_group


# What was counted at which value of a number that rises with each change, and when. Also the clock changes them:
# what died within a day.
_counted: tuple[int, float, list[Group]] = (-1, 0.0, [])
_KEPT_SECONDS = 10.0
# A sequence that was never asked says the same as one that was asked once.
_CHANGES = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS changes FROM filmroll_dead_changes"


def groups(limit: int = GROUPS) -> list[Group]:
    """The largest groups; counted anew when dead letters have changed, and now and then."""
    global _counted
    # Asked before counting: what changes meanwhile is another number for whoever comes next.
    changes = one(_CHANGES)["changes"]
    known, at, found = _counted
    if known != changes or time.monotonic() - at > _KEPT_SECONDS:
        found = _count_groups()
        _counted = (changes, time.monotonic(), found)
    return found[:limit]


def _count_groups() -> list[Group]:
    with transaction.atomic():
        # Helpers would take longer to start than they save, and the workers need the processors.
        run("SET LOCAL max_parallel_workers_per_gather = 0")
        return [Group(**row) for row in rows(_GROUPS, {"limit": GROUPS})]


def page_of_group(task: str, fingerprint: str, after: str, size: int = PAGE) -> Page:
    """One page of a group's jobs, newest first."""
    before = number_in(after, digits=18) or 2**62
    asked = {"task": task, "fingerprint": fingerprint, "before": before, "limit": size + 1}
    ids = [row["job_id"] for row in rows(_MEMBERS, asked)]
    return Page(tuple(ids[:size]), str(ids[size - 1]) if len(ids) > size else "")
