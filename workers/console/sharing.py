"""One answer for all who ask at the same moment: fifty open pages that hear of a change fetch the same thing.

An answer is shared by those who asked before it was begun. While this process hears of changes, it is also given
to who asks within a second after it, if no change was heard of since it was begun. So nobody gets one older
than what has made him ask.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection

from events.listener import Listener
from workers.actions import PULSE_CHANNEL

# What changes by the clock alone (a job falls due) nobody is told of, and nobody waits longer for it.
FRESH_SECONDS = 1.0


@dataclass(slots=True)
class _Round:
    """The answers to one question: how many were begun, the newest that is done, and who still waits."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    begun: int = 0
    done: int = 0
    answer: str = ""
    waiting: int = 0
    # What had been heard when the newest answer was begun, and when that was.
    heard: int | None = None
    at: float = 0.0

    def is_fresh(self) -> bool:
        still = self.heard is not None and self.heard == _heard()
        return still and time.monotonic() - self.at < FRESH_SECONDS


_rounds: dict[str, _Round] = {}
_guard = threading.Lock()
_ear: Listener | None = None
_noticed = 0


def hear_with(listener: Listener) -> None:
    """From now on answers are kept for as long as this listener hears of no change."""
    global _ear
    _ear = listener


def notice() -> None:
    """Something has changed that no notification told of: what was answered before is old."""
    global _noticed
    _noticed += 1


def shared(question: str, answer: Callable[[], str]) -> str:
    """What `answer` gives, called now or for somebody else who asked the same, and not older than this call."""
    with _joined(question) as (ours, wanted):
        _take_turn(ours.turn)
        try:
            if ours.done < wanted and not ours.is_fresh():
                ours.begun += 1
                ours.heard, ours.at = None, time.monotonic()
                heard = _heard()
                ours.answer = answer()
                ours.done, ours.heard = ours.begun, heard
            return ours.answer
        finally:
            ours.turn.release()


def _take_turn(turn: threading.Lock) -> None:
    if turn.acquire(blocking=False):
        return
    # The connections are few: who waits for another's answer needs none meanwhile.
    if not connection.in_atomic_block:
        connection.close()
    turn.acquire()


def _heard() -> int | None:
    """A number that is another one after each change; None while nobody listens."""
    told = _ear.heard(PULSE_CHANNEL) if _ear else None
    return None if told is None else told + _noticed


@contextmanager
def _joined(question: str) -> Iterator[tuple[_Round, int]]:
    with _guard:
        ours = _rounds.setdefault(question, _Round())
        ours.waiting += 1
        wanted = ours.begun + 1
    try:
        yield ours, wanted
    finally:
        with _guard:
            ours.waiting -= 1
            for asked in [asked for asked, one in _rounds.items() if not one.waiting and not one.is_fresh()]:
                del _rounds[asked]
