"""Decides what follows a failed run: another run later, another run alone, or the dead letters."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from workers.errors import ErrorKind, classify

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
    """Retries by kind of error. `budget` counts runs, the first included; waits are in seconds."""

    budget: int = 6
    first: float = 2.0
    cap: float = 3600.0

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        kind, _, _ = classify(exception)
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
