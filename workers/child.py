"""What goes on inside a child process: it settles in once, then does one task after the other.

Everything here is imported by each child, so this module stays light: no Django, no database, no queue.
"""

import contextlib
import ctypes
import faulthandler
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from ctypes import c_int
from dataclasses import dataclass
from multiprocessing import reduction
from pathlib import Path
from typing import Any

# Other things on the machine, the web pages first, come before the pictures.
NICENESS = 10
# When the whole machine runs out of memory, the kernel shall end a child and not the database.
_OOM_SCORE = 500
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True, slots=True)
class Returned:
    """The task's value."""

    value: Any


@dataclass(frozen=True, slots=True)
class Raised:
    """The task's error, so packed that the parent imports nothing (TensorFlow, say) by looking at it."""

    module: str
    name: str
    message: str
    traceback: str
    packed: bytes | None


class Noise:
    """The file that takes what native libraries print; it crosses into the child as an open descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __reduce__(self) -> tuple[Callable[[Any], "Noise"], tuple[Any]]:
        return _receive_noise, (reduction.DupFd(self.descriptor),)


def _receive_noise(passed: Any) -> Noise:
    return Noise(passed.detach())


def begin(parent: int, pid: c_int, noise: Noise) -> None:
    """Settle in: end with the parent, step back behind everything else, keep quiet, say who we are."""
    _end_with(parent)
    # pebble's handler runs Python code, which a loop in native code never lets happen.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.nice(NICENESS)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE))
    os.dup2(noise.descriptor, 1)
    os.dup2(noise.descriptor, 2)
    # Not by way of 2, which a task may have turned away for a while: this is how a crash is told.
    faulthandler.enable(noise.descriptor)
    pid.value = os.getpid()


def perform(work: bytes) -> Returned | Raised:
    """Do one task: a packed pair of a function and its arguments."""
    os.ftruncate(2, 0)
    # This is the child's outermost edge: whatever happens in a task is the parent's to judge.
    try:
        function, arguments = pickle.loads(work)
        return Returned(function(*arguments))
    except BaseException as error:  # noqa: BLE001
        return _raised(error)


def _raised(error: BaseException) -> Raised:
    kind = type(error)
    return Raised(kind.__module__, kind.__qualname__, str(error), traceback.format_exc(), _packed(error))


def _packed(error: BaseException) -> bytes | None:
    """None for an error that does not survive the journey: one that cannot be pickled, or not be unpickled."""
    if not isinstance(error, Exception):
        return None
    try:
        packed = pickle.dumps(error)
        pickle.loads(packed)
    except Exception:  # noqa: BLE001 (an error's own __reduce__ and __init__ may raise anything)
        return None
    return packed


def _end_with(parent: int) -> None:
    """Be killed when the parent is gone, however it went, even from within native code."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it died before the call above
            os._exit(1)
    else:
        threading.Thread(target=_watch_parent, daemon=True).start()


def _watch_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os.kill(os.getpid(), signal.SIGKILL)
