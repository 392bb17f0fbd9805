"""One word per state of a job, and what tells the states apart. Plain Python."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """What a person is told; Procrastinate's own words are fewer."""

    SCHEDULED = "scheduled"  # its first run is in the future
    READY = "ready"  # waits for a free slot
    BLOCKED = "blocked"  # another job holds its lock
    RETRYING = "retrying"  # it failed, and runs again at a time
    RUNNING = "running"
    STUCK = "stuck"  # it runs, says the table, but its worker is gone
    SUCCEEDED = "succeeded"
    DEAD = "dead"  # it failed for good, and nobody has decided yet
    RESOLVED = "resolved"  # it was dead or waiting, and a person or newer work put an end to it
    CANCELLED = "cancelled"
    STOPPED = "stopped"  # somebody asked for it while it ran


# The icon beside each word: a state is never told by its colour alone.
ICONS = {
    State.SCHEDULED: "clock",
    State.READY: "queue-list",
    State.BLOCKED: "lock-closed",
    State.RETRYING: "arrow-path",
    State.RUNNING: "play",
    State.STUCK: "exclamation-triangle",
    State.SUCCEEDED: "check",
    State.DEAD: "x-circle",
    State.RESOLVED: "archive-box",
    State.CANCELLED: "no-symbol",
    State.STOPPED: "stop",
}
WAITING = {State.SCHEDULED, State.READY, State.BLOCKED, State.RETRYING}
_OVER = {State.DEAD, State.RESOLVED, State.CANCELLED, State.STOPPED}


def acts_on(state: State | None) -> list[str]:
    """What can be done to all jobs in a state. Those that it cannot be done to are left alone, with the reason."""
    if state is None:
        return ["retry", "discard", "cancel", "stop"]
    if state is State.RUNNING:
        return ["stop"]
    retry = ["retry"] if state in _OVER | {State.RETRYING, State.SCHEDULED} else []
    discard = ["discard"] if state in WAITING | {State.DEAD} else []
    return [*retry, *discard, *(["cancel"] if state in WAITING else [])]


@dataclass(frozen=True, slots=True)
class Signs:
    """What a job's state is read from; `worker_lives` is about the worker that runs it, if it runs."""

    status: str
    due_at: datetime | None
    runs: int
    is_locked: bool
    worker_lives: bool
    last_action: str


def state_of(signs: Signs, now: datetime) -> State:
    """The state that these signs make."""
    match signs.status:
        case "todo":
            return _waiting(signs, now)
        case "doing":
            return State.RUNNING if signs.worker_lives else State.STUCK
        case "succeeded":
            return State.SUCCEEDED
        case "failed":
            return State.DEAD
        case "cancelled":
            return State.RESOLVED if signs.last_action in ("discarded", "superseded") else State.CANCELLED
        case _:
            return State.STOPPED


def _waiting(signs: Signs, now: datetime) -> State:
    if signs.due_at is not None and signs.due_at > now:
        return State.RETRYING if signs.runs else State.SCHEDULED
    return State.BLOCKED if signs.is_locked else State.READY
