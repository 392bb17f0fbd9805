"""The kinds of work: how often each is tried, and how long its runs have waited and taken of late."""

from dataclasses import dataclass

from procrastinate.contrib.django import app

from core.web.words import counted
from workers.console.reading import TASK_WORDS
from workers.console.sql import rows
from workers.retries import RetryPolicy
from workers.templatetags.moments import span

# The newest runs over all tasks: enough for a percentile, and few enough to sort while somebody waits.
RECENT = 2_000


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One kind of work. Times are in seconds: median and 95 % of the newest runs, if there were any."""

    name: str
    queue: str
    policy: str
    runs: int = 0
    took: float | None = None
    took_most: float | None = None
    waited: float | None = None
    waited_most: float | None = None
    done: int = 0
    failed: int = 0
    dead: int = 0

    @property
    def title(self) -> str:
        return TASK_WORDS.get(self.name, self.name)


_RECENT = """
WITH recent AS (
    SELECT job_id, number, task, started_at, ended_at FROM job_attempt
     WHERE ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT %(recent)s)
SELECT r.task AS name, count(*) AS runs,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM r.ended_at - r.started_at)) AS took,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM r.ended_at - r.started_at)) AS took_most,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM r.started_at - queued.at)) AS waited,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM r.started_at - queued.at)) AS waited_most
  FROM recent AS r
  LEFT JOIN LATERAL (
       SELECT e.at FROM procrastinate_events AS e
        WHERE r.number = 1 AND e.job_id = r.job_id AND e.type = 'deferred' ORDER BY e.id LIMIT 1) AS queued ON true
 GROUP BY r.task
"""
_DAY = """
SELECT task AS name, sum(done)::int AS done, sum(failed)::int AS failed, sum(dead)::int AS dead
  FROM job_flow WHERE span = 'hour' AND at > now() - interval '25 hours' GROUP BY task
"""


def tasks() -> list[TaskRow]:
    """Every kind of work that this program knows, or that was done of late, by name."""
    figures = {row["name"]: row for row in rows(_RECENT, {"recent": RECENT})}
    day = {row["name"]: row for row in rows(_DAY)}
    ours = {name: task for name, task in app.tasks.items() if task.queue != "builtin"}
    found = []
    for name in sorted({*ours, *figures, *day}):
        known = ours.get(name)
        policy = policy_words(known.retry_strategy) if known else "unknown to this version"
        found.append(
            TaskRow(
                **{
                    "name": name,
                    "queue": known.queue if known else "",
                    "policy": policy,
                    **figures.get(name, {}),
                    **day.get(name, {}),
                }
            )
        )
    return found


def policy_words(policy: object) -> str:
    """What happens to a run that fails and may be tried again."""
    if not isinstance(policy, RetryPolicy):
        return "one run"
    waits = f"after up to {span(policy.longest_wait(1))}, doubling up to {span(policy.cap)}"
    return f"{counted(policy.budget, 'run')}, {waits}"


@dataclass(frozen=True, slots=True)
class Wait:
    """One step of the backoff: after which run, the longest wait in seconds, its height in hundredths."""

    run: int
    seconds: float
    height: float
    over: bool


def backoff_of(task: str, runs: int) -> list[Wait]:
    """The waits between the runs of a task, as a curve; `over` are those that the job has behind it."""
    known = app.tasks.get(task)
    policy = known.retry_strategy if known else None
    if not isinstance(policy, RetryPolicy):
        return []
    waits = [policy.longest_wait(run) for run in range(1, min(policy.budget, 20))]
    most = max(waits, default=1)
    return [Wait(n, wait, max(4, round(100 * wait / most)), n < runs) for n, wait in enumerate(waits, 1)]
