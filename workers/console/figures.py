"""The overview's figures: whether work flows, what is dead, stuck or late, who is there. Counts are bounded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workers.console.actors import named_holds
from workers.console.conditions import CONDITIONS
from workers.console.live import WorkerRow
from workers.console.sql import one, rows
from workers.console.states import State
from workers.lanes import LANES

# Beyond these a count says "10,000+", or about how many a worker has counted: counting on would cost each page.
MOST, ON_PAGES = 10_000, 1_000
RATE_MINUTES = 5
# A job that is ready for longer than this, though workers serve its queue, is late.
LATE = timedelta(minutes=15)
_COUNTED = (State.RUNNING, State.STUCK, State.READY, State.BLOCKED, State.SCHEDULED, State.RETRYING, State.DEAD)


@dataclass(frozen=True, slots=True)
class Count:
    """A number; beyond `most` about how many there were at the last roll-up, or "at least" so many."""

    number: int
    most: int = MOST
    about: int = 0

    @property
    def words(self) -> str:
        if self.number <= self.most:
            return f"{self.number:,}"
        return f"{self.most:,}+" if self.estimate is None else f"about {self.estimate:,}"

    @property
    def estimate(self) -> int | None:
        """As good a number as there is; None where it is only known that there are more than `most`."""
        if self.number <= self.most:
            return self.number
        return self.about if self.about > self.most else None

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
    held: str = ""

    @property
    def waits(self) -> bool:
        """Whether it is meant to stand still: paused, in its quiet hours, or without what it needs."""
        return bool(self.missing or self.held)

    @property
    def percent(self) -> int | None:
        """Of all photos, how many have this step behind them; none where nobody counts that far."""
        ready, retrying = self.ready.estimate, self.retrying.estimate
        if self.name not in _STEPS or not self.photos or ready is None or retrying is None:
            return None
        left = ready + self.running.number + retrying
        return max(0, min(100 if not left else 99, round(100 * (1 - left / self.photos))))

    @property
    def seconds_left(self) -> float | None:
        """Until what is ready now is done, at the present rate."""
        ready = self.ready.estimate
        return ready / self.rate * 60 if ready and self.rate else None

    @property
    def is_empty(self) -> bool:
        return not (self.ready or self.running or self.retrying or self.dead)


# The queues in which each photo has one job, so that what waits there tells how far the step is.
_STEPS = {"files", "previews", "labels"}


def _bounded(condition: str, order: str = "") -> str:
    """A count that stops when it is beyond interest; `order` is that of the index which serves it best."""
    found = f"SELECT 1 FROM procrastinate_jobs AS j WHERE {condition} {order} LIMIT %(most)s + 1"  # noqa: S608  # constants
    return f"SELECT count(*) FROM ({found}) AS x"  # noqa: S608


# Without it the planner takes an index by the jobs' ids and walks over all that wait for a later time.
_BY_TURN = "ORDER BY j.queue_name, j.priority DESC, j.id"


def counts(alive: Sequence[int], most: int = MOST) -> dict[State, Count]:
    """How many jobs are in each state that holds few, up to a number; finished ones are not counted."""
    parts = [f"({_bounded(CONDITIONS[state], _ORDERS.get(state, ''))}) AS {state.value}" for state in _COUNTED]
    row = one(f"SELECT {', '.join(parts)}", {"alive": list(alive), "most": most})
    beyond = any(row[state.value] > most for state in _COUNTED)
    about = _rolled_up() if beyond else {}
    return {
        state: Count(row[state.value], most, sum(of.get(state.value, 0) for of in about.values()))
        for state in _COUNTED
    }


_ORDERS = {State.READY: _BY_TURN, State.BLOCKED: ""}
# Older figures say nothing about now.
_ROLLED_UP = "SELECT queue, state, number FROM job_count WHERE at > now() - interval '10 minutes'"


def _rolled_up() -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in rows(_ROLLED_UP):
        found.setdefault(row["queue"], {})[row["state"]] = row["number"]
    return found


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
       {_bounded(f"j.queue_name = q.name AND {CONDITIONS[State.READY]}", _BY_TURN)}) AS r(ready)
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
  FROM (SELECT queue_name FROM procrastinate_jobs WHERE status = 'failed' LIMIT %(most)s + 1) AS x
 GROUP BY queue_name
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


def queues(workers: Sequence[WorkerRow], most: int = MOST) -> tuple[list[QueueRow], Flow]:
    """A line for each queue that exists or holds work, and the flow over all; counts go up to a number."""
    known = [queue for lane in LANES.values() for queue in lane.queues]
    dead = {row["name"]: row["dead"] for row in rows(_DEAD, {"most": most})}
    about, held = _rolled_up(), named_holds()
    rates = {row["name"]: row for row in rows(_RATES, {"minutes": RATE_MINUTES})}
    photos = one(_PHOTOS)["photos"]
    lines = [
        QueueRow(
            name=row["name"],
            ready=Count(row["ready"], most, about.get(row["name"], {}).get("ready", 0)),
            running=Count(row["running"], most),
            retrying=Count(row["retrying"], most, about.get(row["name"], {}).get("retrying", 0)),
            dead=_dead_of(row["name"], dead, about, most),
            oldest=row["oldest"],
            rate=rates[row["name"]]["done"] / RATE_MINUTES if row["name"] in rates else 0,
            missing=missing(workers, row["name"]),
            served=any(worker.serves(row["name"]) for worker in workers),
            photos=photos,
            held=held[row["name"]].words if row["name"] in held else "",
        )
        for row in rows(_OPEN, {"known": known, "most": most})
    ]
    flow = Flow(sum(row["done"] for row in rates.values()), sum(row["failed"] for row in rates.values()))
    return lines, flow


def _dead_of(queue: str, dead: dict[str, int], about: dict[str, dict[str, int]], most: int) -> Count:
    """They are counted over all queues together: where that stops, each queue's number is a part of it."""
    if sum(dead.values()) <= most or (queue not in dead and "dead" not in about.get(queue, {})):
        return Count(dead.get(queue, 0), most)
    return Count(most + 1, most, about.get(queue, {}).get("dead", 0))


def missing(workers: Sequence[WorkerRow], queue: str) -> str:
    """Why workers that are there do not serve a queue, in their own words."""
    return next((worker.waiting[queue] for worker in workers if worker.lives and queue in worker.waiting), "")
