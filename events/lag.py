"""Says how far behind each subscription is, and who holds readers back: for a page about health."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from events.calling import call
from events.models import State
from events.runnerlock import lock_key

# Counting further says nothing more and costs time.
MOST_COUNTED = 10_000

_LAG = """
    SELECT c.name, c.partition, c.state, c.error, c.position, c.updated_at,
           (SELECT count(*) FROM (SELECT FROM event e WHERE e.position > c.position LIMIT %s) AS waiting),
           (SELECT extract(epoch FROM clock_timestamp() - e.recorded_at)::float8
            FROM event e WHERE e.position > c.position ORDER BY e.position LIMIT 1),
           (SELECT array_agg(p.stream_id ORDER BY p.id) FROM event_parked_stream p
            WHERE p.name = c.name AND p.partition = c.partition)
    FROM event_checkpoint c ORDER BY c.name, c.partition
"""
_RUNNERS = """
    SELECT (classid::bigint << 32) | objid::bigint, pid FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_HOLDERS = """
    SELECT l.pid, a.application_name, a.query_start, coalesce(a.xact_start, p.prepared), p.gid
    FROM pg_locks l
    LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    LEFT JOIN pg_locks t ON l.pid IS NULL AND t.virtualtransaction = l.virtualtransaction
        AND t.locktype = 'transactionid' AND t.mode = 'ExclusiveLock'
    LEFT JOIN pg_prepared_xacts p ON p.transaction = t.transactionid
    WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND l.granted
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND l.relation = to_regclass('event')
    ORDER BY 4 NULLS LAST LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Lag:
    """One partition of a subscription; `runner` is the server process that holds its lock, if any does."""

    name: str
    partition: int
    state: str
    error: str
    position: int
    updated_at: datetime
    # Events after the checkpoint, MOST_COUNTED at most, and the seconds since the first of them was recorded.
    behind: int
    seconds: float
    parked: tuple[str, ...]
    runner: int | None


@dataclass(frozen=True, slots=True)
class Holder:
    """A transaction that has appended and is still open; one that is prepared has a name and no process."""

    pid: int | None
    application: str
    query_start: datetime | None
    began: datetime | None
    prepared: str | None


def lag() -> list[Lag]:
    """How far each subscription is behind, by name and partition; two short statements."""
    runners = dict(call(_RUNNERS))
    return [
        Lag(
            name=name,
            partition=partition,
            state=state,
            error=error,
            position=position,
            updated_at=updated_at,
            behind=behind,
            seconds=seconds or 0.0,
            parked=tuple(parked or ()),
            runner=runners.get(lock_key(f"{name}/{partition}")),
        )
        for name, partition, state, error, position, updated_at, behind, seconds, parked in call(
            _LAG, [MOST_COUNTED]
        )
    ]


def fence_holder() -> Holder | None:
    """The oldest transaction that keeps readers from going on, if there is one."""
    for pid, application, query_start, began, prepared in call(_HOLDERS):
        return Holder(pid, application or "", query_start, began, prepared)
    return None


# Longer than this, and somebody should know.
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps the followers of the log from following: subscriptions, and a transaction that stays open."""

    subscriptions: tuple[Lag, ...]
    holder: Holder | None

    def __bool__(self) -> bool:
        return bool(self.subscriptions or self.holder)


def trouble() -> Trouble:
    """The subscriptions that halted, set streams aside or lag for over a minute, and who holds readers so long."""
    lagging = [one for one in lag() if one.state == State.HALTED or one.parked or one.seconds > PATIENCE]
    holder = fence_holder()
    since = holder.began if holder else None
    too_long = since is not None and (timezone.now() - since).total_seconds() > PATIENCE
    return Trouble(tuple(lagging), holder if too_long else None)
