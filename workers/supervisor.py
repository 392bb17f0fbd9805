"""Keeps everything that one machine needs running: the database, the web server, the workers, the watcher.

One foreground process that works on nothing itself. A child that dies is started again with backoff;
on a signal the children stop first and the database last.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psycopg
import structlog
from django.conf import settings

from core import database
from workers.actions import PULSE_CHANNEL
from workers.vigil import alarm

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
        # A child that starts without its database would only die.
        self.database_there = asyncio.Event()
        self.database_there.set()

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
            await self.database_there.wait()
            started = time.monotonic()
            try:
                child.process = await _start(child)
            except OSError as error:  # no memory for one more process, no room for its log
                wait = min(wait * 2, _MOST_WAIT)
                _log.warning("a program cannot be started yet", program=child.name, error=str(error), wait=wait)
                await self._pause(wait)
                continue
            child.starts += 1
            code = await child.process.wait()
            if self.stopping.is_set():
                return
            wait = _LEAST_WAIT if time.monotonic() - started > _HEALTHY_SECONDS else min(wait * 2, _MOST_WAIT)
            _log.warning("a program ended and is started again", program=child.name, code=code, wait=wait)
            # It may have had no time to say so itself: open pages look whose workers live.
            await asyncio.to_thread(_have_pages_look)
            await self._pause(wait)

    async def _keep_database(self, server: database.Embedded) -> None:
        wait = _LEAST_WAIT
        while not self.stopping.is_set():
            with alarm(server.cluster, server.pid()) as changed:
                trouble = server.trouble()
                if not trouble:
                    wait = _LEAST_WAIT
                    await changed.rings()
                    continue
            self.database_there.clear()
            _log.warning("the database is started again", trouble=trouble)
            try:
                # In a thread: asyncio waits for it at the end, so the database cannot come up after it was left.
                await asyncio.to_thread(server.have_running)
                self.database_there.set()
            except (RuntimeError, OSError) as error:
                _log.warning("the database does not start yet", error=str(error), wait=wait)
            await self._pause(wait)
            wait = min(wait * 2, _MOST_WAIT)

    async def _pause(self, seconds: float) -> None:
        """Not wait_for: on Python 3.11 it may swallow a cancellation."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopping.wait()

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


def start_database() -> database.Embedded | None:
    """Have the embedded database running; None when DATABASE_URL names another, which answers.

    Raises RuntimeError when there is no database to work with.
    """
    if not database.is_embedded():
        database.check_answers()
        return None
    server = database.Embedded(settings.DATA_DIR)
    server.join()
    return server


def _have_pages_look() -> None:
    where = database.conninfo(settings.DATA_DIR)
    with (
        contextlib.suppress(psycopg.Error),  # without a database there is nothing to look at
        psycopg.connect(where, autocommit=True, connect_timeout=5) as connection,
    ):
        connection.execute(f"NOTIFY {PULSE_CHANNEL}")


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
