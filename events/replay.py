"""Rebuilds read models from the log: empties their tables and lets them hear of every event again.

It is one transaction that first takes a SHARE lock on the log. That lock waits for the writers in flight and
holds back new ones until the replay has committed, so no event can be missed or told twice; readers of the
log and of the read models go on, and see the old rows until the new ones are there, all at once.

Only the chosen read models are told. Reactions (consumers without tables) never hear of a replay, and nothing
may be appended in one. It is strict: at the first event that cannot be applied, everything is as before.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType

from django.db import connection, transaction

from events import consumers
from events.errors import ReplayError
from events.event import Event
from events.fence import read_between
from events.pulse import pulse
from events.store import CHANNEL

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay is."""

    told: int
    total: int
    seconds: float

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.told / self.seconds if self.seconds else 0.0


def read_models() -> dict[str, ModuleType]:
    """The consumers that a replay can rebuild, by the last part of their module's name, in order."""
    return {
        consumer.__name__.rsplit(".", 1)[-1]: consumer
        for consumer in consumers.all_consumers()
        if getattr(consumer, "TABLES", ())
    }


def replay(names: Sequence[str] = (), report: Callable[[Progress], None] | None = None) -> Progress:
    """Rebuild the named read models, or all of them, and say how it went.

    Raises ReplayError for an unknown name, or naming the event that could not be applied.
    """
    chosen = _chosen(names)
    with transaction.atomic(), consumers.replaying():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE event IN SHARE MODE")
        _empty(chosen)
        progress = _tell_all(chosen, report)
        # Whoever shows these rows should look again.
        pulse(CHANNEL)
    return progress


def _chosen(names: Sequence[str]) -> list[ModuleType]:
    known = read_models()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ReplayError(f"no such read model: {', '.join(unknown)}; there are {', '.join(known) or 'none'}")
    return [module for name, module in known.items() if not names or name in names]


def _empty(modules: Sequence[ModuleType]) -> None:
    """Delete all rows and start the numbering anew, so that the same events give the same rows."""
    tables = [model._meta.db_table for module in modules for model in module.TABLES]
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        # DELETE, not TRUNCATE: pages go on reading the old rows. Later tables may refer to earlier ones.
        for table in reversed(tables):
            cursor.execute(f"DELETE FROM {quote(table)}")  # noqa: S608
        for table in tables:
            for sequence in connection.introspection.get_sequences(cursor, table):
                # Not setval(), which a rollback would not undo.
                cursor.execute(f"ALTER SEQUENCE {quote(sequence['name'])} RESTART")


def _tell_all(modules: Sequence[ModuleType], report: Callable[[Progress], None] | None) -> Progress:
    started = time.monotonic()
    progress = Progress(0, _count(), 0.0)
    for batch in _batches():
        for event in batch:
            _tell(event, modules)
        progress = Progress(progress.told + len(batch), progress.total, time.monotonic() - started)
        if report is not None:
            report(progress)
    return progress


def _tell(event: Event, modules: Sequence[ModuleType]) -> None:
    if event.erased:
        # Its content is gone for good; what followed from the erasure is told by later events.
        return
    try:
        consumers.deliver(event, modules)
    except Exception as error:
        raise ReplayError(f"event {event.position} ({event.name} of {event.stream_id}): {error!r}") from error


def _batches() -> Iterator[list[Event]]:
    # No fence: under the SHARE lock there is no writer in flight.
    after = 0
    while batch := read_between(after, until=2**63 - 1, limit=_BATCH):
        yield batch
        after = batch[-1].position


def _count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM event")
        return int(cursor.fetchone()[0])
