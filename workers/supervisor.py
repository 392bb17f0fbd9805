"""Keeps everything that one machine needs running: the database, the web server, the workers, the watcher.

One foreground process that works on nothing itself. A child that dies is started again with backoff;
on a signal the children stop first and the database last.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import structlog
from django.conf import settings

from core import database

_LEAST_WAIT, _MOST_WAIT = 0.3, 30.0
# A child that lived this long has got over whatever made it die before.
_HEALTHY_SECONDS = 60.0
_STOP_SECONDS = 8.0
_LOG_BYTES = 20_000_000

_log = structlog.get_logger(__name__)


class AlreadyRunning(RuntimeError):
    """Another `up` works on the same data folder."""


@dataclass(slots=True)
class Child:
    """A program that is kept running; `command` is what follows manage.py."""

    name: str
    command: Sequence[str]
    process: asyncio.subprocess.Process | None = None
    starts: int = field(default=0)


@contextlib.contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for this process. The kernel gives it back when the process ends, however it ends.

    Raises AlreadyRunning.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(f"Filmroll is running already on {data_dir}.") from None
        yield


class Supervisor:
    """Runs the children until `stop` is called."""

    def __init__(self, children: Sequence[Child], server: database.Embedded | None) -> None:
        self.children = children
        self.server = server
        self.stopping = asyncio.Event()
        self.impatient = asyncio.Event()

    def stop(self) -> None:
        """The first call asks everybody to end; the second one does not wait for them."""
        (self.impatient if self.stopping.is_set() else self.stopping).set()

    async def run(self) -> None:
        """Keep all children running; return once everything but the database has stopped."""
        keepers = [asyncio.create_task(self._keep(child)) for child in self.children]
        if self.server is not None:
            keepers.append(asyncio.create_task(self._keep_database(self.server)))
        await self.stopping.wait()
        await asyncio.gather(*(self._end(child) for child in self.children))
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)

    async def _keep(self, child: Child) -> None:
        wait = _LEAST_WAIT
        while not self.stopping.is_set():
            started = time.monotonic()
            child.process = await _start(child)
            child.starts += 1
            code = await child.process.wait()
            if self.stopping.is_set():
                return
            wait = _LEAST_WAIT if time.monotonic() - started > _HEALTHY_SECONDS else min(wait * 2, _MOST_WAIT)
            _log.warning("a program ended and is started again", program=child.name, code=code, wait=wait)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), wait)

    async def _keep_database(self, server: database.Embedded) -> None:
        while not self.stopping.is_set():
            process = server.process
            assert process is not None
            code = await _end_of(process)
            if self.stopping.is_set():
                return
            _log.warning("the database ended and is started again", code=code)
            await asyncio.to_thread(_restart_database, server)

    async def _end(self, child: Child) -> None:
        process = child.process
        if process is None:
            return
        for sign, seconds in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, 5.0)):
            if process.returncode is not None:
                return
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(sign)
            waits = [asyncio.create_task(process.wait()), asyncio.create_task(self.impatient.wait())]
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            for task in waits:
                task.cancel()


async def _end_of(process: subprocess.Popen[bytes]) -> int:
    """The exit code of a process that asyncio did not start.

    In a thread of its own: one of the loop's would be waited for at the end, while the database lives on.
    """
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def wait() -> None:
        process.wait()
        with contextlib.suppress(RuntimeError):  # the loop has ended first
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait, daemon=True, name="database-watch").start()
    await ended.wait()
    return process.returncode


def start_database() -> database.Embedded | None:
    """Start the embedded database and wait until it answers; None when DATABASE_URL names another.

    Raises RuntimeError when it does not start.
    """
    if not database.is_embedded():
        return None
    server = database.Embedded(settings.DATA_DIR)
    server.stop_stranger()
    server.prepare()
    server.start()
    server.wait_until_ready()
    return server


def _restart_database(server: database.Embedded) -> None:
    # The killed server's own children hold its memory for a moment longer.
    for _ in range(100):
        server.prepare()
        server.start()
        try:
            server.wait_until_ready()
            return
        except RuntimeError as error:
            _log.warning("the database does not start yet", error=str(error).splitlines()[0])
            time.sleep(0.3)


async def _start(child: Child) -> asyncio.subprocess.Process:
    manage = settings.BASE_DIR / "manage.py"
    with log_for_children() as log:
        # A session of its own: Ctrl-C reaches this process alone, who then stops the others in order.
        return await asyncio.create_subprocess_exec(
            sys.executable,
            str(manage),
            *child.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "FILMROLL_SUPERVISOR": str(os.getpid())},
        )


@contextlib.contextmanager
def log_for_children() -> Iterator[IO[bytes] | None]:
    """Where the children's log lines go: into a file when a person watches the terminal, else to the same place.

    The terminal then has its one line of progress; a container's log has everything.
    """
    if not sys.stderr.isatty():
        yield None
        return
    path = log_path()
    if path.exists() and path.stat().st_size > _LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    with path.open("ab") as log:
        yield log


def log_path() -> Path:
    """The log file of the programs that `up` runs on a terminal."""
    return Path(settings.DATA_DIR) / "filmroll.log"
