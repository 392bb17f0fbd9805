"""The overview's figures: whether work flows, what is dead, stuck or late, who is there. Counts are bounded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workers.console.conditions import CONDITIONS
from workers.console.live import WorkerRow
from workers.console.sql import one, rows
from workers.console.states import State
from workers.lanes import LANES

# Beyond this a count says "10,000+": nobody needs the number, and counting on would cost.
MOST = 10_000
RATE_MINUTES = 5
# A job that is ready for longer than this, though workers serve its queue, is late.
LATE = timedelta(minutes=15)
_COUNTED = (State.RUNNING, State.STUCK, State.READY, State.BLOCKED, State.SCHEDULED, State.RETRYING, State.DEAD)


@dataclass(frozen=True, slots=True)
class Count:
    """A number, or "at least" one."""

    number: int
    most: int = MOST

    @property
    def words(self) -> str:
        return f"{self.most:,}+" if self.number > self.most else f"{self.number:,}"

    def __bool__(self) -> bool:
        return self.number > 0


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One queue's line. `rate` is jobs done in a minute; `oldest` is when its oldest ready job was queued."""

    name: str
    ready: Count
    running: Count
    retrying: Count
    dead: Count
    oldest: datetime | None
    rate: float
    missing: str
    served: bool
    photos: int

    @property
    def percent(self) -> int | None:
        """Of all photos, how many have this step behind them; none where nobody counts that far."""
        left = self.ready.number + self.running.number + self.retrying.number
        if self.name not in _STEPS or not self.photos or left > MOST:
            return None
        return max(0, min(100 if not left else 99, round(100 * (1 - left / self.photos))))

    @property
    def seconds_left(self) -> float | None:
        """Until what is ready now is done, at the present rate."""
        if not self.ready or not self.rate or self.ready.number > MOST:
            return None
        return self.ready.number / self.rate * 60

    @property
    def is_empty(self) -> bool:
        return not (self.ready or self.running or self.retrying or self.dead)


# The queues in which each photo has one job, so that what waits there tells how far the step is.
_STEPS = {"files", "previews", "labels"}


def _bounded(condition: str, most: int = MOST) -> str:
    """A count that stops when it is beyond interest."""
    found = f"SELECT 1 FROM procrastinate_jobs AS j WHERE {condition} LIMIT {most + 1}"  # noqa: S608  # constants
    return f"SELECT count(*) FROM ({found}) AS x"  # noqa: S608


def counts(alive: Sequence[int], most: int = MOST) -> dict[State, Count]:
    """How many jobs are in each state that holds few, up to a number; finished ones are not counted."""
    parts = [f"({_bounded(CONDITIONS[state], most)}) AS {state.value}" for state in _COUNTED]
    row = one(f"SELECT {', '.join(parts)}", {"alive": list(alive)})
    return {state: Count(row[state.value], most) for state in _COUNTED}


# The queues that hold something, from one to the next: DISTINCT would walk over every job that waits.
_OPEN = f"""
WITH RECURSIVE waiting AS (
    SELECT (SELECT min(queue_name) FROM procrastinate_jobs WHERE status = 'todo') AS queue
    UNION ALL
    SELECT (SELECT min(queue_name) FROM procrastinate_jobs WHERE status = 'todo' AND queue_name > w.queue)
      FROM waiting AS w WHERE w.queue IS NOT NULL)
SELECT q.name, r.ready,
       ({_bounded(f"j.queue_name = q.name AND {CONDITIONS[State.RETRYING]}")}) AS retrying,
       ({_bounded("j.queue_name = q.name AND j.status = 'doing'")}) AS running,
       CASE WHEN r.ready > 0 THEN
           (SELECT e.at FROM procrastinate_events AS e WHERE e.type = 'deferred' AND e.job_id =
            (SELECT min(j.id) FROM procrastinate_jobs AS j WHERE j.queue_name = q.name
                AND {CONDITIONS[State.READY]}) LIMIT 1) END AS oldest
  FROM (SELECT unnest(%(known)s::text[]) AS name
        UNION SELECT queue FROM waiting WHERE queue IS NOT NULL) AS q
  CROSS JOIN LATERAL (
       {_bounded(f"j.queue_name = q.name AND {CONDITIONS[State.READY]}")}) AS r(ready)
 ORDER BY q.name
"""  # noqa: S608  # constants of this program
# The planner's own estimate where counting would cost.
_PHOTOS = """
SELECT CASE WHEN reltuples > 100000 THEN reltuples::bigint
            ELSE (SELECT count(*) FROM photo WHERE hidden = '') END AS photos
  FROM pg_class WHERE oid = 'photo'::regclass
"""
_DEAD = """
SELECT queue_name AS name, count(*) AS dead
  FROM (SELECT queue_name FROM procrastinate_jobs WHERE status = 'failed' LIMIT %(most)s) AS x GROUP BY queue_name
"""
_RATES = """
SELECT queue AS name, count(*) FILTER (WHERE outcome = 'succeeded') AS done,
       count(*) FILTER (WHERE outcome IN ('retrying', 'dead', 'lost')) AS failed
  FROM job_attempt WHERE ended_at > now() - make_interval(mins => %(minutes)s) GROUP BY queue
"""


@dataclass(frozen=True, slots=True)
class Flow:
    """Runs that ended well and badly within the last minutes."""

    done: int
    failed: int

    @property
    def per_minute(self) -> float:
        return self.done / RATE_MINUTES


def queues(workers: Sequence[WorkerRow]) -> tuple[list[QueueRow], Flow]:
    """A line for each queue that exists or holds work, and the flow over all."""
    known = [queue for lane in LANES.values() for queue in lane.queues]
    dead = {row["name"]: row["dead"] for row in rows(_DEAD, {"most": MOST + 1})}
    rates = {row["name"]: row for row in rows(_RATES, {"minutes": RATE_MINUTES})}
    photos = one(_PHOTOS)["photos"]
    lines = [
        QueueRow(
            name=row["name"],
            ready=Count(row["ready"]),
            running=Count(row["running"]),
            retrying=Count(row["retrying"]),
            dead=Count(dead.get(row["name"], 0)),
            oldest=row["oldest"],
            rate=rates[row["name"]]["done"] / RATE_MINUTES if row["name"] in rates else 0,
            missing=missing(workers, row["name"]),
            served=any(worker.serves(row["name"]) for worker in workers),
            photos=photos,
        )
        for row in rows(_OPEN, {"known": known})
    ]
    flow = Flow(sum(row["done"] for row in rates.values()), sum(row["failed"] for row in rates.values()))
    return lines, flow


def missing(workers: Sequence[WorkerRow], queue: str) -> str:
    """Why workers that are there do not serve a queue, in their own words."""
    return next((worker.waiting[queue] for worker in workers if worker.lives and queue in worker.waiting), "")
