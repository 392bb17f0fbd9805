"""Runs a function in a child process with a limit on its time and its memory, so that a bad file costs one try.

Children are spawned, never forked (the parent has threads), import no Django, and stay for the next task; they
are renewed after a number of tasks, because native libraries leak, and ended when nothing came for a while.
"""

import atexit
import contextlib
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from core.database import cores
from core.environment import setting
from workers import child
from workers.limits import Child, Lost, crashed, stopped, too_big

T = TypeVar("T")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lane:
    """How many children may work at once, after how many tasks each is renewed, and how long one may idle."""

    children: int
    tasks: int
    idle_seconds: float


LANES = {
    "decode": Lane(children=setting("FILMROLL_CONCURRENCY") or cores(), tasks=500, idle_seconds=120),
    # One child: TensorFlow with its models is some hundred megabytes, and its threads use all cores anyway.
    # Grouping all faces anew is rare, and takes much memory.
    "grouping": Lane(children=1, tasks=1, idle_seconds=1),
    "analysis": Lane(children=1, tasks=5000, idle_seconds=60),
    # A model that is made from others: once in the life of an installation.
    "making": Lane(children=1, tasks=1, idle_seconds=1),
    # What a hub sends may take an hour.
    "fetching": Lane(children=1, tasks=1, idle_seconds=1),
}

_STOP_SECONDS = 10


class RemoteError(Exception):
    """An error of a class that this process does not know; the message begins with the class's name."""


class RemoteTraceback(Exception):
    """The traceback inside the child, as the cause of the error that is raised here."""


class _Crowd:
    """The children of one lane: who is free, who is at work, and a thread that ends those idle for too long."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._free: list[Child] = []  # the longest idle first
        self._busy: set[Child] = set()
        self._changed = threading.Condition()
        self._stops = 0
        self._tidying = False

    def run(self, work: bytes, seconds: float, memory_mib: int) -> child.Returned | child.Raised:
        with self._borrowed() as one:
            return one.run(work, seconds, memory_mib)

    @contextlib.contextmanager
    def _borrowed(self) -> Iterator[Child]:
        """A child for one task. After an error of its own it is ended: it may be dead, or hold a lock."""
        one = self._borrow()
        try:
            yield one
        except BaseException:
            one.stop()
            raise
        finally:
            if not self._kept(one):
                one.end()
                self._forget(one)

    def _borrow(self) -> Child:
        with self._changed:
            stops = self._stops
            self._changed.wait_for(lambda: self._has_room() or self._stops != stops)
            if self._stops != stops:
                raise stopped()
            one = self._free.pop() if self._free else Child(self._lane.tasks)
            one.job = structlog.contextvars.get_contextvars().get("job")
            self._busy.add(one)
            return one

    def _has_room(self) -> bool:
        return bool(self._free) or len(self._busy) < self._lane.children

    def _kept(self, one: Child) -> bool:
        with self._changed:
            if one.stopped:
                return False
            one.idle_since = time.monotonic()
            self._busy.discard(one)
            self._free.append(one)
            self._start_tidying()
            self._changed.notify_all()
            return True

    def _forget(self, one: Child) -> None:
        with self._changed:
            self._busy.discard(one)
            self._changed.notify_all()

    def _start_tidying(self) -> None:
        if not self._tidying:
            self._tidying = True
            threading.Thread(target=self._tidy, name="idle children", daemon=True).start()

    def _tidy(self) -> None:
        wait: float | None = 0.0
        while wait is not None:
            time.sleep(wait)
            ended, wait = self._idle_too_long()
            for one in ended:
                one.end()

    def _idle_too_long(self) -> tuple[list[Child], float | None]:
        """Those to end, no longer among the free, and the seconds until somebody else may be due."""
        with self._changed:
            due = time.monotonic() - self._lane.idle_seconds
            ended = [one for one in self._free if one.idle_since <= due]
            self._free = [one for one in self._free if one.idle_since > due]
            if self._free:
                return ended, self._free[0].idle_since - due
            self._tidying = bool(self._busy)
            return ended, self._lane.idle_seconds if self._tidying else None

    def stop(self) -> None:
        with self._changed:
            self._stops += 1
            free, self._free = self._free, []
            for one in (*free, *self._busy):
                one.stop()
            self._changed.notify_all()
        for one in free:
            one.end()
        with self._changed:
            self._changed.wait_for(lambda: not self._busy, timeout=_STOP_SECONDS)

    def stop_job(self, job: int) -> None:
        with self._changed:
            for one in self._busy:
                if one.job == job:
                    one.stop()


_crowds: dict[str, _Crowd] = {}
_crowds_lock = threading.Lock()


def run_in_child(lane: str, function: Callable[..., T], *args: Any, seconds: float, memory_mib: int) -> T:
    """The function's value, worked out in a child process of the lane; waits for a free one.

    The function is a module's own, and its module imports no Django. The seconds count from its start.

    Raises ResourceError ("time-limit", "memory-limit", "crashed"), TransientError ("stopped") when `stop` is
    called meanwhile, and what the function raised: unchanged where this process knows its class already,
    as RemoteError where not, with the traceback inside the child as its cause.
    """
    work = pickle.dumps((function, args))
    crowd = _crowd(lane)
    try:
        outcome = crowd.run(work, seconds, memory_mib)
    except Lost:
        log.warning("a child process was gone, another one takes its task", lane=lane)
        outcome = _second_try(crowd, work, seconds, memory_mib)
    match outcome:
        case child.Returned(value):
            result: T = value
            return result
        case child.Raised() as raised:
            raise _error(raised, memory_mib) from RemoteTraceback(raised.traceback)


def _crowd(lane: str) -> _Crowd:
    with _crowds_lock:
        if lane not in _crowds:
            _crowds[lane] = _Crowd(LANES[lane])
        return _crowds[lane]


def _second_try(crowd: _Crowd, work: bytes, seconds: float, memory_mib: int) -> child.Returned | child.Raised:
    try:
        return crowd.run(work, seconds, memory_mib)
    except Lost as lost:
        raise crashed(None, "") from lost


def stop() -> None:
    """End all children at once; who waits for one gets a TransientError. Later calls start new children."""
    with _crowds_lock:
        crowds = list(_crowds.values())
    for crowd in crowds:
        crowd.stop()


def stop_job(job: int) -> None:
    """End the children that work for this job (told by the log's context, which every task's thread has)."""
    with _crowds_lock:
        crowds = list(_crowds.values())
    for crowd in crowds:
        crowd.stop_job(job)


atexit.register(stop)


def _error(raised: child.Raised, memory_mib: int) -> BaseException:
    if raised.name == "MemoryError" and raised.module == "builtins":
        return too_big(memory_mib)
    # Unpickling imports the class's module; TensorFlow's errors, say, must not bring TensorFlow in here.
    if raised.packed is not None and raised.module in sys.modules:
        error: BaseException = pickle.loads(raised.packed)
        return error
    return RemoteError(f"{raised.module}.{raised.name}: {raised.message}")
