"""A supervised program ends with its supervisor, even when that one is killed."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def is_supervised() -> bool:
    """Whether `up` has started this program, and sees to the database too."""
    return bool(os.environ.get("FILMROLL_SUPERVISOR"))


def end_with_supervisor() -> None:
    """Ask the kernel for SIGTERM at the supervisor's death (Linux); a no-op when there is none."""
    supervisor = os.environ.get("FILMROLL_SUPERVISOR")
    if not supervisor or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # It may have died before the kernel was asked.
    if os.getppid() != int(supervisor):
        os.kill(os.getpid(), signal.SIGTERM)
