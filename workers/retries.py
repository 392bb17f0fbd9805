"""Decides what follows a failed run: another run later, another run alone, or the dead letters."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from workers.errors import WAITS_FOR, ErrorKind, classify

# The queue of runs that ended for want of memory or time: one at a time, in a lane of its own.
ALONE = "alone"
# A run that ends with its program (kill, power cut) says little about the job itself, so these are
# counted apart from the budget; but a job that takes its worker down again and again must stop.
LOST_LIMIT = 2


class Next(Enum):
    """What follows a failed run."""

    LATER = "later"  # the same queue, after a wait
    ALONE = "alone"  # once more, in the queue for one job at a time
    DEAD = "dead"  # a person decides


@dataclass(frozen=True)
class RetryPolicy(BaseRetryStrategy):
    """Retries by kind of error. `budget` counts runs, the first included; waits are in seconds.

    A run that ended for want of what `WAITS_FOR` names (room on the disk) counts for nothing: the job comes again,
    after `first_pause` and up to `longest_pause` seconds, for as long as that is wanting.
    """

    budget: int = 6
    first: float = 2.0
    cap: float = 3600.0
    first_pause: float = 5.0
    longest_pause: float = 300.0

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        kind, code, _ = classify(exception)
        if waits_for(kind, code):
            # How often it has waited before is known to the worker, who gives it its time (`pause`).
            return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=self.pause(0)))
        # Procrastinate counts the runs before this one: 0 while the first is under way.
        runs = job.attempts + 1
        match self.after(kind, runs, job.queue):
            case Next.DEAD:
                return None
            case Next.ALONE:
                return RetryDecision(retry_at=datetime.now(UTC), queue=ALONE)
            case Next.LATER:
                return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=self.wait(runs)))

    def after(self, kind: ErrorKind, runs: int, queue: str) -> Next:
        """What follows run number `runs` of a job in `queue` that failed with this kind of error."""
        match kind:
            case ErrorKind.POISON:
                return Next.DEAD
            case ErrorKind.RESOURCE:
                return Next.DEAD if queue == ALONE else Next.ALONE
            case ErrorKind.TRANSIENT:
                return Next.LATER if runs < self.budget else Next.DEAD

    def longest_wait(self, runs: int) -> float:
        """The upper bound of the wait after run number `runs`: doubles each time, up to the cap."""
        # The exponent is bounded so that a huge budget cannot overflow a float.
        return float(min(self.cap, self.first * 2 ** min(runs - 1, 60)))

    def wait(self, runs: int) -> float:
        """Seconds to wait after run number `runs`: anywhere up to the bound ("full jitter").

        A thousand jobs that failed together on one full disk must not come back together.
        """
        return random.uniform(0, self.longest_wait(runs))

    def pause(self, before: int) -> float:
        """Seconds to wait for the world, after so many waits before this one: half of the bound at least.

        Nothing is won by looking again at once, and much is lost by coming long after there is room again.
        """
        bound = min(self.longest_pause, self.first_pause * 2 ** min(before, 60))
        return random.uniform(bound / 2, bound)


def waits_for(kind: ErrorKind, code: str) -> str:
    """What a job that failed so waits for, without a run of its budget used up; "" when the run counts."""
    return WAITS_FOR.get(code, "") if kind is ErrorKind.TRANSIENT else ""
