"""The PostgreSQL server that Filmroll runs itself, shared by any number of programs.

The first one that needs it starts it, the last one to end stops it. Three file locks see to that:

- `turn`: who starts, joins, leaves or stops the server, one at a time;
- `users`: held, shared, by every program that uses it, so that the last one knows that it is the last;
- `server`: held by all processes of the server itself. While it is held no other server may start, even when
  no process can be seen (another container on the same folder) or when a killed server's children linger.
  PostgreSQL's own lock file cannot tell this once a power cut has left a stale one behind.
"""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from core import cluster as clusters
from core import locks
from core.cluster import socket_folder

EMBEDDED_NAME = "filmroll"
# Recovery after a power cut may take a while.
_READY_SECONDS = 120.0
# Longer than any start or stop may take.
_TURN_SECONDS = 180.0
# In this order, with the seconds that each may take.
_STOPS = ((signal.SIGINT, 8.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
_SERVER_SETTINGS = {
    "max_connections": "80",
    # The system's own cache has the rest; on a small server this memory is needed for pictures.
    "shared_buffers": "64MB",
    "wal_compression": "on",
    "jit": "off",
    "listen_addresses": "",
    "log_min_messages": "warning",
    # Ours are short statements and LISTEN; a session that sleeps inside a transaction is a defect.
    "idle_in_transaction_session_timeout": "10min",
}

# Servers that this program has started and that others use on. Whoever starts a child has to bury it.
_outlived: list[subprocess.Popen[bytes]] = []


class Embedded:
    """The PostgreSQL server that Filmroll runs itself.

    Programs `join` and `leave` it. It is an ordinary child, in the foreground, of whoever came first, and lives
    on without that one for as long as somebody uses it.
    """

    def __init__(self, data_dir: Path, **server_settings: str) -> None:
        self.cluster = data_dir / "postgres"
        self.log = data_dir / "postgres.log"
        self.settings = {**_SERVER_SETTINGS, **server_settings}
        self.process: subprocess.Popen[bytes] | None = None
        self._locks = data_dir / "locks"
        self._use: int | None = None
        self._user = clusters.unprivileged_user()

    def join(self) -> None:
        """Have a server that answers, now and until `leave`: the one that runs, or a new one.

        Raises RuntimeError when there is none to be had.
        """
        with self._turn():
            # Nobody uses it, but it runs: a killed program has left it behind, with that one's settings.
            self._end_unless_used()
            self._use = locks.take(self._locks / "users", shared=True)
            try:
                self._have_running()
            except BaseException:
                self._depart()
                raise

    def have_running(self) -> None:
        """Start the server again if it has ended or is ending. Raises RuntimeError when it does not start."""
        with self._turn():
            self._have_running()

    def leave(self) -> None:
        """The program needs the server no more; the last one stops it."""
        with self._turn():
            self._depart()

    def trouble(self) -> str:
        """What keeps a server that was running from taking new sessions; empty when nothing does."""
        if self.pid() is None:
            return "ended"
        return "was told to stop" if clusters.is_stopping(self.cluster) else ""

    def pid(self) -> int | None:
        """The number of the server's first process; None when it is gone or cannot be seen from here."""
        for process in (self.process, *_outlived):
            if process is not None:
                process.poll()  # buries it
        found = clusters.live_postmaster(self.cluster)
        return found.pid if found else None

    def prepare(self) -> None:
        """Make the cluster if there is none."""
        clusters.prepare(self.cluster, self._user)

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server process; `wait_until_ready` tells when it answers.

        Raises RuntimeError when a server runs already.
        """
        lock = locks.take(self._locks / "server")
        if lock is None:
            raise RuntimeError(f"A database server runs already in {self.cluster}.")
        try:
            if self.pid() is not None:
                raise RuntimeError(f"A database server that is not Filmroll's runs in {self.cluster}.")
            clusters.forget_dead_server(self.cluster)
            self.process = self._spawn(lock)
        finally:
            os.close(lock)
        return self.process

    def wait_until_ready(self, seconds: float = _READY_SECONDS) -> None:
        """Return when the server answers and the database exists.

        Raises RuntimeError when the server ends or does not answer in time.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                raise RuntimeError(f"The database did not start. Its log is {self.log}:\n{self._last_words()}")
            if self._answers():
                return
            time.sleep(0.05)
        raise RuntimeError(f"The database did not answer within {seconds:.0f} s. Its log is {self.log}.")

    def stop(self) -> None:
        """Stop the server that this object has started, whoever uses it."""
        if self.process is not None:
            self._end()

    def _turn(self) -> contextlib.AbstractContextManager[None]:
        return locks.turn(self._locks / "turn", _TURN_SECONDS)

    def _depart(self) -> None:
        if self._use is not None:
            os.close(self._use)
            self._use = None
        self._end_unless_used()
        if self.process is not None and self.process.poll() is None:
            _outlived.append(self.process)
            self.process = None

    def _end_unless_used(self) -> None:
        alone = locks.take(self._locks / "users")
        if alone is not None:
            self._end()
            os.close(alone)

    def _have_running(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not self._is_free():
            if clusters.is_stopping(self.cluster):
                self._end()
            elif self._answers():
                return
            elif time.monotonic() > deadline:
                raise RuntimeError(f"A database server holds {self.cluster} and does not answer.")
            time.sleep(0.05)
        self.prepare()
        self.start()
        self.wait_until_ready()

    def _is_free(self) -> bool:
        """Whether no process of a server lives, seen or unseen."""
        lock = locks.take(self._locks / "server")
        if lock is not None:
            os.close(lock)
        return self.pid() is None and lock is not None

    def _end(self) -> None:
        """Stop whatever server runs: first fast (roll back, disconnect), then at once."""
        for sign, seconds in _STOPS:
            pid = self.pid()
            if pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sign)
            deadline = time.monotonic() + seconds
            while not self._is_free() and time.monotonic() < deadline:
                time.sleep(0.02)
            if self._is_free():
                return

    def _spawn(self, lock: int) -> subprocess.Popen[bytes]:
        options = [word for key, value in self.settings.items() for word in ("-c", f"{key}={value}")]
        command = [str(clusters.binaries() / "postgres"), "-D", str(self.cluster)]
        command += ["-k", str(socket_folder(self.cluster)), *options]
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C reaches the caller alone, who stops the database last.
            return subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                user=self._user,
                start_new_session=True,
                pass_fds=[lock],
            )

    def _answers(self) -> bool:
        # With a limit: a server that was halted takes the connection and never says a word.
        where = make_conninfo(host=str(socket_folder(self.cluster)), user="postgres", connect_timeout=5)
        try:
            with psycopg.connect(where, dbname="postgres", autocommit=True) as connection:
                _make_database(connection)
        except psycopg.OperationalError:
            return False
        return True

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])


def _make_database(connection: psycopg.Connection[Any]) -> None:
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [EMBEDDED_NAME]).fetchone()
    if not found:
        connection.execute(f"CREATE DATABASE {EMBEDDED_NAME}")
