"""Rebuilds read models from the log, beside the live ones: writers and pages go on meanwhile.

1. Empty twins of the tables are made in a schema of their own (twins.py), which the replay's session searches
   first. So the same handlers, told of the same events, fill the twins.
2. Batches are read up to the fence and told, each in a transaction, until nothing is left.
3. In one short transaction a SHARE lock on the log holds back the writers, the last events are told, and the
   twins take the places of the live tables. Whoever waited goes on with the new ones.

Only the chosen read models are told, with those whose tables they read (READS). Reactions (consumers without
TABLES) never hear of a replay, and nothing may be appended in one. It is strict: at the first event that
cannot be applied it stops, and the live tables are as they were. The same holds when it is cancelled or killed:
the next replay removes what is half-built, and starts from the beginning, since the code may be another by then.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

from django.db import IntegrityError, OperationalError, connection, transaction

from events import consumers, twins, versions
from events.calling import call
from events.consumers import name_of
from events.consumers import read_models as read_models  # known here by this name
from events.errors import ReplayError
from events.event import Event
from events.fence import read_between, safe_position
from events.lag import fence_holder
from events.pulse import pulse
from events.runnerlock import lock_key
from events.store import CHANNEL

_BATCH = 500
# While the log is locked, no more than this is told: the rest has to become less first.
_LAST = 200
# So long the switch waits for a lock, with everybody who came later behind it, before it steps back.
_LOCK_MILLISECONDS = 400
# So long it tries. Between two tries everybody goes on.
_SWITCH_SECONDS = 60.0
_PAUSE = 0.5
_LOCK_NOT_AVAILABLE, _DEADLOCK = "55P03", "40P01"
_END = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay is. `held_back`: seconds for which writers had to wait at the switch."""

    told: int
    total: int
    seconds: float
    held_back: float = 0.0

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.told / self.seconds if self.seconds else 0.0


Report = Callable[[Progress], None]


def replay(names: Sequence[str] = (), report: Report | None = None) -> Progress:
    """Rebuild the named read models and those that they read, or all of them, and say how it went.

    Raises ReplayError for an unknown name, for a second replay at the same time, for a table that is in use for
    too long, or naming the event that could not be applied; then nothing has changed.
    Inside a transaction of the caller's it is done in place, as part of that transaction.
    """
    chosen = together(names)
    if connection.in_atomic_block:
        return replay_in_place(names, report)
    with _alone(), _searching() as search_path:
        twins.discard()
        try:
            return _Rebuild(chosen, search_path, report).run()
        finally:
            # After the switch there is nothing left to remove.
            twins.discard()


def replay_in_place(names: Sequence[str] = (), report: Report | None = None) -> Progress:
    """Empty the tables and fill them again, in one transaction that holds all writers back until it has ended.

    Pages go on reading the old rows. It needs no second set of tables, and may be part of a larger transaction.
    """
    chosen = together(names)
    telling = _Telling(list(chosen.values()), report)
    with transaction.atomic(), consumers.replaying():
        _lock_log()
        _empty(telling.modules)
        telling.tell_up_to(_END)
        versions.mark(telling.modules)
        # Whoever shows these rows should look again.
        pulse(CHANNEL)
    return telling.progress


def together(names: Sequence[str]) -> dict[str, ModuleType]:
    """The named read models and all whose tables they read, in order; all when none is named."""
    known = read_models()
    wanted, look = set[str](), set(names) or set(known)
    while look:
        unknown = sorted(look - set(known))
        if unknown:
            raise ReplayError(f"no such read model: {', '.join(unknown)}; there are {', '.join(known) or 'none'}")
        wanted |= look
        look = {name for one in look for name in getattr(known[one], "READS", ())} - wanted
    return {name: module for name, module in known.items() if name in wanted}


class _Telling:
    """Tells some read models of the events, in order, and counts them."""

    def __init__(self, modules: list[ModuleType], report: Report | None) -> None:
        self.modules = modules
        read = {name for module in modules for name in getattr(module, "READS", ())}
        self._filling = [module for module in modules if _can_fill(module, read)]
        self._told_singly = [module for module in modules if module not in self._filling]
        self.reached = 0
        self.progress = Progress(0, _count(), 0.0)
        self._report = report
        self._started = time.monotonic()

    def tell_up_to(self, until: int) -> None:
        """Tell all that is there up to a position, each batch in a transaction."""
        while batch := read_between(self.reached, until, _BATCH):
            with transaction.atomic():
                self._tell(batch)
            self.reached = batch[-1].position
            told = self.progress.told + len(batch)
            self.progress = Progress(told, max(told, self.progress.total), self.seconds)
            if self._report is not None:
                self._report(self.progress)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def _tell(self, batch: Sequence[Event]) -> None:
        # The content of erased ones is gone for good; what followed from the erasure is told by later events.
        events = [event for event in batch if not event.erased]
        for module in self._filling:
            _fill(events, module)
        for event in events:
            _tell(event, self._told_singly)


class _Rebuild:
    """One replay beside the live tables."""

    def __init__(self, chosen: dict[str, ModuleType], search_path: str, report: Report | None) -> None:
        self.search_path = search_path
        self.tables = _tables(chosen.values())
        others = [module for name, module in read_models().items() if name not in chosen]
        self.hidden = [table for table in _tables(others) if table not in self.tables]
        self.telling = _Telling(list(chosen.values()), report)

    def run(self) -> Progress:
        self.twins = twins.make(self.tables, self.search_path)
        with transaction.atomic():
            self.seen = twins.structures(self.twins, self.search_path)
        # A read model that reads another one has to name it: the live rows of that one are of another time.
        twins.hide(self.hidden)
        with consumers.replaying():
            self._catch_up()
            twins.settle(self.twins)
            held_back = self._switch()
        done = self.telling.progress
        return Progress(done.told, done.total, self.telling.seconds, held_back)

    def _catch_up(self) -> None:
        while (safe := safe_position()) > self.telling.reached:
            before = self.telling.progress.told
            self.telling.tell_up_to(safe)
            if self.telling.progress.told - before < _LAST:
                return

    def _switch(self) -> float:
        """Try until it is done; how long the writers were held back."""
        deadline = time.monotonic() + _SWITCH_SECONDS
        while True:
            began = time.monotonic()
            try:
                if self._try():
                    return time.monotonic() - began
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", "") not in (_LOCK_NOT_AVAILABLE, _DEADLOCK):
                    raise
            except IntegrityError as error:
                raise ReplayError(f"a table that stays refers to rows that are not there now: {error}") from error
            if time.monotonic() > deadline:
                raise ReplayError(_in_use())
            time.sleep(_PAUSE)
            self._catch_up()

    def _try(self) -> bool:
        """The switch; False when too much is left to tell while everybody waits."""
        with transaction.atomic():
            _set_local("synchronous_commit", "on")
            _set_local("lock_timeout", f"{_LOCK_MILLISECONDS}ms")
            _lock_log()
            # No fence: under the SHARE lock there is no writer in flight.
            if len(read_between(self.telling.reached, _END, _LAST)) == _LAST:
                return False
            self.telling.tell_up_to(_END)
            twins.show(self.hidden)
            twins.switch(self.twins, self.seen, self.search_path)
            versions.mark(self.telling.modules)
            # Whoever shows these rows should look again.
            pulse(CHANNEL)
        return True


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the one replay's lock, which ends with the session. Raises ReplayError when another has it."""
    key = lock_key("replay")
    if not call("SELECT pg_try_advisory_lock(%s)", [key])[0][0]:
        raise ReplayError("another replay is running; let it end, or cancel it")
    try:
        yield
    finally:
        call("SELECT pg_advisory_unlock(%s)", [key])


@contextmanager
def _searching() -> Iterator[str]:
    """Inside the block the session's settings may be changed; yields the search path that it has before."""
    [(path,)] = call("SELECT current_setting('search_path')")
    # Until the switch nothing of value is written, and its commit waits for the disk on behalf of all.
    call("SELECT set_config('synchronous_commit', 'off', false)")
    try:
        yield path
    finally:
        twins.set_search_path(path, local=False)
        with connection.cursor() as cursor:
            cursor.execute("RESET synchronous_commit")


def _set_local(name: str, value: str) -> None:
    call("SELECT set_config(%s, %s, true)", [name, value])


def _lock_log() -> None:
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE event IN SHARE MODE")


def _tables(modules: Iterable[ModuleType]) -> list[str]:
    return [model._meta.db_table for module in modules for model in module.TABLES]


def _tell(event: Event, modules: Sequence[ModuleType]) -> None:
    try:
        consumers.deliver(event, modules)
    except Exception as error:
        raise ReplayError(f"event {event.position} ({event.name} of {event.stream_id}): {error!r}") from error


def _can_fill(module: ModuleType, read: set[str]) -> bool:
    """Whether it may be told of many events at once: what others do between two of them does not matter to it."""
    return hasattr(module, "FILL") and not getattr(module, "READS", ()) and name_of(module) not in read


def _fill(events: Sequence[Event], module: ModuleType) -> None:
    heard = [event for event in events if event.type in module.HANDLERS]
    if not heard:
        return
    try:
        with transaction.atomic():
            module.FILL(heard)
    except Exception as error:
        # Which one it was is found by the handlers, or else it is the function's own fault.
        for event in heard:
            _tell(event, [module])
        first, last = heard[0].position, heard[-1].position
        raise ReplayError(f"{name_of(module)}.FILL on the events {first} to {last}: {error!r}") from error


def _empty(modules: Sequence[ModuleType]) -> None:
    """Delete all rows and start the numbering anew, so that the same events give the same rows."""
    tables = _tables(modules)
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        # DELETE, not TRUNCATE: pages go on reading the old rows. Later tables may refer to earlier ones.
        for table in reversed(tables):
            cursor.execute(f"DELETE FROM {quote(table)}")  # noqa: S608
        for table in tables:
            for sequence in connection.introspection.get_sequences(cursor, table):
                # Not setval(), which a rollback would not undo.
                cursor.execute(f"ALTER SEQUENCE {quote(sequence['name'])} RESTART")


def _count() -> int:
    return int(call("SELECT count(*) FROM event")[0][0])


def _in_use() -> str:
    holder = fence_holder()
    said = f"the log or a table was in use whenever the switch was tried, for {_SWITCH_SECONDS:.0f} s"
    if holder is None:
        return said
    return f"{said}; the oldest open transaction that has appended: {holder.application}, process {holder.pid}"
