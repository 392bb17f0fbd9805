"""Dead letters: grouped by task and kind of error, since a thousand of them mostly have three causes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workers.console.listing import PAGE, Page
from workers.console.reading import TASK_WORDS
from workers.console.sql import rows

GROUPS = 20
# One press of "Retry all" takes so many; the rest are there for the next.
AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Group:
    """Dead jobs of one task with one kind of error, with the newest of them for a sample."""

    task: str
    fingerprint: str
    count: int
    first_at: datetime
    last_at: datetime
    sample_job: int
    error_class: str
    error_code: str
    message: str
    reason: str

    @property
    def title(self) -> str:
        return TASK_WORDS.get(self.task, self.task)


# The sample is the newest attempt of the group.
_GROUPS = """
WITH grouped AS (
    SELECT task, fingerprint, count(*) AS count, min(ended_at) AS first_at, max(ended_at) AS last_at,
           max(id) AS newest
      FROM job_attempt WHERE outcome = 'dead' AND NOT resolved
     GROUP BY task, fingerprint ORDER BY count(*) DESC, max(id) DESC LIMIT %(limit)s)
SELECT g.task, g.fingerprint, g.count, g.first_at, g.last_at, a.job_id AS sample_job, a.error_class, a.error_code,
       a.message, a.reason
  FROM grouped AS g JOIN job_attempt AS a ON a.id = g.newest ORDER BY g.count DESC, g.newest DESC
"""
_MEMBERS = """
SELECT job_id FROM job_attempt
 WHERE outcome = 'dead' AND NOT resolved AND task = %(task)s AND fingerprint = %(fingerprint)s
   AND job_id < %(before)s
 ORDER BY job_id DESC LIMIT %(limit)s
"""


def groups(limit: int = GROUPS) -> list[Group]:
    """The largest groups."""
    return [Group(**row) for row in rows(_GROUPS, {"limit": limit})]


def members(task: str, fingerprint: str, before: int = 2**62, limit: int = AT_ONCE) -> list[int]:
    """The jobs of a group, newest first."""
    asked: dict[str, Any] = {"task": task, "fingerprint": fingerprint, "before": before, "limit": limit}
    return [row["job_id"] for row in rows(_MEMBERS, asked)]


def page_of_group(task: str, fingerprint: str, after: str) -> Page:
    """One page of a group's jobs."""
    before = int(after) if after.isdecimal() else 2**62
    ids = members(task, fingerprint, min(before, 2**62), PAGE + 1)
    return Page(tuple(ids[:PAGE]), str(ids[PAGE - 1]) if len(ids) > PAGE else "")
