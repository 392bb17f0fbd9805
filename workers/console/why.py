"""Why a job is not running, or what comes next: in words, from facts at hand. Plain Python."""

from dataclasses import dataclass
from datetime import datetime

from core.web.words import counted
from workers.console.states import State


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the answer depends on. `ahead` is None when nobody counted; `ahead_more` says it goes on."""

    state: State
    queue: str
    runs: int
    budget: int | None
    due_at: datetime | None = None
    holder: int | None = None
    ahead: int | None = None
    ahead_more: bool = False
    serving: int = 0
    slots: int = 0
    busy: int = 0
    missing: str = ""
    held: str = ""
    limit: int | None = None
    in_flight: int = 0
    reason: str = ""
    ended_by: str = ""
    waits: str = ""  # what it waits for, and how many runs do not count


def explain(facts: Facts) -> list[str]:  # noqa: C901  # one flat table, a state a line
    """Sentences, the most important first."""
    match facts.state:
        case State.SCHEDULED:
            return ["It was queued for a later time, and starts by itself then.", *_nobody(facts)]
        case State.RETRYING:
            if facts.waits:
                return [f"It {facts.waits}. It goes on by itself, however long that takes.", *_nobody(facts)]
            return [f"It failed and is tried again by itself. {_budget(facts)}", *_nobody(facts)]
        case State.BLOCKED:
            return [f"Job {facts.holder} holds its lock; it starts when that job ends.", *_nobody(facts)]
        case State.READY:
            return _nobody(facts) or _its_turn(facts)
        case State.RUNNING:
            return ["A worker is at it now."]
        case State.STUCK:
            return [
                "Its worker is gone. The next sweep gives it back to the queue by itself, within about a minute "
                "of a worker being there."
            ]
        case State.SUCCEEDED:
            return ["Done. Nothing comes next."]
        case State.DEAD:
            return [
                f"It rests here until somebody presses Retry or Discard. {_used_up(facts)}",
                *([facts.reason] if facts.reason else []),
            ]
        case State.RESOLVED | State.CANCELLED:
            return [f"It was taken out{f' by {facts.ended_by}' if facts.ended_by else ''}. Retry puts it back."]
        case State.STOPPED:
            return ["Somebody asked for it to be stopped. Retry puts it back."]


def _nobody(facts: Facts) -> list[str]:
    if facts.held:
        return [facts.held]
    if facts.missing:
        return [f"The queue “{facts.queue}” waits: {facts.missing}. Nothing is used up meanwhile."]
    if facts.serving == 0:
        return [f"No live worker serves the queue “{facts.queue}”. It starts as soon as there is one."]
    return []


def _its_turn(facts: Facts) -> list[str]:
    told = []
    if facts.limit is not None and facts.in_flight >= facts.limit:
        told.append(f"The queue “{facts.queue}” may run {counted(facts.limit, 'job')} at once, and does.")
    if facts.slots and facts.busy >= facts.slots:
        told.append(f"All {counted(facts.slots, 'slot')} of the workers that serve this queue are busy.")
    if facts.ahead:
        more = " or more" if facts.ahead_more else ""
        told.append(f"{counted(facts.ahead, 'job')}{more} of this queue {_go(facts)} first.")
    return told or ["It is next: a worker starts it within a moment."]


def _go(facts: Facts) -> str:
    return "goes" if facts.ahead == 1 and not facts.ahead_more else "go"


def _budget(facts: Facts) -> str:
    if facts.budget is None:
        return ""
    left = max(0, facts.budget - facts.runs)
    return f"{counted(facts.runs, 'run')} of {facts.budget} used, {left} left."


def _used_up(facts: Facts) -> str:
    if facts.budget is not None and facts.runs >= facts.budget:
        return f"All {counted(facts.budget, 'run')} failed."
    return "This kind of error does not go away by trying again."
