"""One child process as its parent sees it: gives it a task, watches its time and its memory, says how it ended.

Each child has a pebble pool of its own. In a pool shared by several, a child that is killed while it holds
the channel's lock stops the others for a minute, and an idle child that dies breaks the pool for all.
"""

import concurrent.futures
import contextlib
import fcntl
import multiprocessing
import os
import signal
import tempfile
import time
from multiprocessing import resource_tracker
from typing import Any

from pebble import ProcessExpired, ProcessPool

from workers import child
from workers.errors import ONCE_MORE, JobError, ResourceError, TransientError

# Between two looks at a child's memory it can grow by what the machine can write: some 100 MiB.
# RLIMIT_DATA would be exact, but native libraries report its refusal as a broken file as often as not.
_LOOK_SECONDS = 0.05
# A child that is not at work after this time will never be (pebble's own limit counts from the task's start).
_START_SECONDS = 60
_LAST_WORDS_BYTES = 4000
_SPAWN = multiprocessing.get_context("spawn")


def _prepare_launcher() -> None:
    """Children inherit the mask: a Ctrl-C meant for the whole group passes them by, even while they start."""
    resource_tracker.ensure_running()  # it unblocks SIGINT when it starts, so it has to be there before
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


# Children are started by a thread that never ends: on Linux they die with the *thread* that started them.
_launcher = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="children", initializer=_prepare_launcher)


class Lost(Exception):
    """The child was gone before it began, so the task may be given to another one."""


class Child:
    """One process at a time: after the given number of tasks it is renewed, because native libraries leak."""

    def __init__(self, tasks: int) -> None:
        self.idle_since = time.monotonic()
        self.stopped = False
        self.job: int | None = None
        self._started = False
        self._noise = tempfile.TemporaryFile()  # noqa: SIM115 (closed in end)
        fcntl.fcntl(self._noise, fcntl.F_SETFL, fcntl.fcntl(self._noise, fcntl.F_GETFL) | os.O_APPEND)
        self._pid = _SPAWN.RawValue("i", 0)
        self._pool = ProcessPool(
            max_workers=1,
            max_tasks=tasks,
            initializer=child.begin,
            initargs=(os.getpid(), self._pid, child.Noise(self._noise.fileno())),
            context=_SPAWN,
        )

    def run(self, work: bytes, seconds: float, memory_mib: int) -> child.Returned | child.Raised:
        """Raises ResourceError at a limit or when the child dies, Lost when it was dead before."""
        future = self._schedule(work, seconds)
        last = time.monotonic() + _START_SECONDS + seconds
        while not concurrent.futures.wait([future], timeout=_LOOK_SECONDS).done:
            if self.stopped:
                raise stopped()
            if time.monotonic() > last:
                raise _too_slow(seconds)
            if not self._pool.active and not future.done():
                raise self._gone()
            if future.running():
                self._look_at_memory(memory_mib)
        return self._outcome(future, seconds)

    def _schedule(self, work: bytes, seconds: float) -> "concurrent.futures.Future[Any]":
        try:
            if not self._started:
                _launcher.submit(lambda: self._pool.active).result()
                self._started = True
            future: concurrent.futures.Future[Any] = self._pool.schedule(child.perform, (work,), timeout=seconds)
            return future
        except (RuntimeError, concurrent.futures.BrokenExecutor) as error:  # how pebble says that a pool is broken
            raise self._gone() from error

    def _gone(self) -> Exception:
        return stopped() if self.stopped else Lost()

    def _look_at_memory(self, limit_mib: int) -> None:
        import psutil  # of all programs the workers alone look

        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self._pid.value)
            if process.memory_info().rss > limit_mib << 20:
                process.kill()
                raise too_big(limit_mib)

    def _outcome(self, future: "concurrent.futures.Future[Any]", seconds: float) -> child.Returned | child.Raised:
        match future.exception():
            case None:
                outcome: child.Returned | child.Raised = future.result()
                return outcome
            case concurrent.futures.BrokenExecutor() as error:
                raise self._gone() from error
            case TimeoutError():
                raise _too_slow(seconds)
            case ProcessExpired() as expired:
                raise crashed(expired.exitcode, self._last_words())
            case error:
                raise error

    def _last_words(self) -> str:
        """What the child printed last: libraries say there why they abort, and Python where it was."""
        size = os.fstat(self._noise.fileno()).st_size
        words = os.pread(self._noise.fileno(), _LAST_WORDS_BYTES, max(0, size - _LAST_WORDS_BYTES))
        return words.decode(errors="replace").strip()

    def stop(self) -> None:
        """Let go of the process; `end` waits until it is gone."""
        self.stopped = True
        self._pool.stop()  # type: ignore[no-untyped-call]

    def end(self) -> None:
        self.stop()
        self._pool.join()
        self._noise.close()


def _too_slow(seconds: float) -> JobError:
    return ResourceError(
        "time-limit",
        f"This took longer than the {seconds:g} seconds that one picture may take, so it was stopped. {ONCE_MORE}",
    )


def too_big(memory_mib: int) -> JobError:
    return ResourceError(
        "memory-limit",
        f"This needs more than the {memory_mib:,} MiB of memory that one picture may take, so it was stopped. "
        f"{ONCE_MORE} If it fails again, allow more memory and press Retry.",
    )


def crashed(exit_code: int | None, last_words: str) -> JobError:
    error = ResourceError(
        "crashed",
        f"The program that reads pictures broke down on this one ({_how_it_ended(exit_code)}). {ONCE_MORE}",
    )
    if last_words:
        error.add_note(f"Its last words:\n{last_words}")
    return error


def _how_it_ended(exit_code: int | None) -> str:
    if exit_code is None:
        return "it ended before it began"
    if exit_code < 0:
        return signal.Signals(-exit_code).name
    return f"exit code {exit_code}"


def stopped() -> JobError:
    return TransientError("stopped", "Filmroll was stopped while it worked on this. It goes on by itself.")
