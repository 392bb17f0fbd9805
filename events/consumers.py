"""Who hears of an event in the transaction that records it: the modules that EVENT_CONSUMERS names, in order.

A consumer has `HANDLERS: dict[str, Callable[[Event], None]]`, from event type to function. One that keeps
tables which a replay fills again (a read model) has `TABLES: tuple[type[Model], ...]` too. A handler does its
part on the same database connection and nothing slow; an error in it undoes the event as well.

For replays a read model may say more. `READS: tuple[str, ...]` names the read models whose tables its handlers
read: they are replayed together. `VERSION: int` counts up when the same events give other rows (versions.py).
`FILL: Callable[[Sequence[Event]], None]` does for many events, which have
handlers, what the handlers do one by one; it is for read models that nobody reads and that read nobody.

Every consumer hears of all events in the order of their positions, as in a replay. So when a handler appends,
the consumers hear of that event after the one in hand, not in the middle of it.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any

from django.conf import settings

from events.errors import EventError
from events.event import Event

_waiting: ContextVar[deque[Event] | None] = ContextVar("events_waiting", default=None)
_kept: ContextVar[dict[object, Any] | None] = ContextVar("events_kept", default=None)
_replaying: ContextVar[bool] = ContextVar("events_replaying", default=False)


def all_consumers() -> tuple[ModuleType, ...]:
    """The consumers' modules, in the order of the settings."""
    return _imported(tuple(getattr(settings, "EVENT_CONSUMERS", ())))


def read_models() -> dict[str, ModuleType]:
    """The consumers that a replay can rebuild, by the last part of their module's name, in order."""
    return {name_of(consumer): consumer for consumer in all_consumers() if getattr(consumer, "TABLES", ())}


def name_of(consumer: ModuleType) -> str:
    """What a consumer is called: the last part of its module's name."""
    return consumer.__name__.rsplit(".", 1)[-1]


def heard_by_any(types: Iterable[str]) -> bool:
    """Whether any consumer has a handler for any of these event types."""
    wanted = set(types)
    return any(not wanted.isdisjoint(consumer.HANDLERS) for consumer in all_consumers())


def tell(events: Iterable[Event]) -> None:
    """Let all consumers hear of new events."""
    waiting = _waiting.get()
    if waiting is not None:
        waiting.extend(events)
        return
    token, kept = _waiting.set(waiting := deque(events)), _kept.set({})
    try:
        known = all_consumers()
        while waiting:
            deliver(waiting.popleft(), known)
    finally:
        _waiting.reset(token)
        _kept.reset(kept)


def kept() -> dict[object, Any] | None:
    """What handlers leave for those that hear of the same new events after them; it goes with the append.

    None while nothing new is told, as in a replay: then everybody reads for himself.
    """
    return _kept.get()


def deliver(event: Event, consumers: Iterable[ModuleType]) -> None:
    """Call the handlers of some consumers for one event."""
    for consumer in consumers:
        handler = consumer.HANDLERS.get(event.type)
        if handler is not None:
            handler(event)


@contextmanager
def replaying() -> Iterator[None]:
    """Inside the block nothing may be appended: a replay tells again what happened, it makes nothing happen."""
    token = _replaying.set(True)
    try:
        yield
    finally:
        _replaying.reset(token)


def refuse_in_replay() -> None:
    """Raise EventError when a handler tries to append during a replay."""
    if _replaying.get():
        raise EventError("a handler of a read model appended an event in a replay")


@lru_cache
def _imported(names: tuple[str, ...]) -> tuple[ModuleType, ...]:
    return tuple(import_module(name) for name in names)
