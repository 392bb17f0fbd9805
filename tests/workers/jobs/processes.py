"""Worker processes that tests start, and looks at what they did."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection
from psycopg.conninfo import make_conninfo

ROOT = Path(__file__).resolve().parents[3]
# Costs nothing where what is waited for comes true; a machine that does much else may be very slow.
_PATIENCE = 60.0


class WorkerProcess:
    """One `manage.py worker` and its log."""

    def __init__(self, log: Path, lanes: str, env: dict[str, str]) -> None:
        self.log = log
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "worker", "--lanes", lanes],
                cwd=ROOT,
                env=env,
                stdout=file,
                stderr=file,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_until_started(self) -> "WorkerProcess":
        def started() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            return "worker started" in self.log.read_text()

        wait_until(started, 2 * _PATIENCE, self.log)
        return self

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(_PATIENCE)

    def stop(self, seconds: float = _PATIENCE) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


def wait_until(true: Callable[[], Any], seconds: float = _PATIENCE, log: Path | None = None) -> Any:
    """The first true answer; fails with the worker's log when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := true():
            return answer
        time.sleep(0.01)
    raise AssertionError(f"not true within {seconds} s\n{log.read_text() if log else ''}")


def database_url() -> str:
    """The test database, for other processes."""
    known = connection.settings_dict
    return make_conninfo(
        host=known["HOST"] or None,
        port=known["PORT"] or None,
        user=known["USER"] or None,
        password=known["PASSWORD"] or None,
        dbname=known["NAME"],
    )


def lines(mark: Path) -> list[str]:
    """The first word of each line."""
    return [line.split()[0] for line in mark.read_text().splitlines()] if mark.exists() else []


def rows(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall() if cursor.description else []


def status_of(job_id: int) -> str:
    return str(rows("SELECT status FROM procrastinate_jobs WHERE id = %s", job_id)[0][0])


def worker_sessions() -> int:
    """Connections that worker processes still hold."""
    query = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                AND pid <> pg_backend_pid() AND application_name LIKE '%% worker'"""
    return int(rows(query)[0][0])
