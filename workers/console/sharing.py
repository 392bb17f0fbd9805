"""One answer for all who ask at the same moment: fifty open pages that hear of a change fetch the same thing.

An answer is shared only by those who asked before it was begun. So nobody gets one that is older than what
has made him ask, and nothing is kept once it was given out.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Round:
    """The answers to one question: how many were begun, the newest that is done, and who still waits."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    begun: int = 0
    done: int = 0
    answer: str = ""
    waiting: int = 0


_rounds: dict[str, _Round] = {}
_guard = threading.Lock()


def shared(question: str, answer: Callable[[], str]) -> str:
    """What `answer` gives, called now or by somebody else who asked the same, but begun after this call."""
    with _joined(question) as (ours, wanted), ours.turn:
        if ours.done < wanted:
            ours.begun += 1
            ours.answer = answer()
            ours.done = ours.begun
        return ours.answer


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
            if not ours.waiting:
                del _rounds[question]
