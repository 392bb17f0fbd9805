"""A whole installation for each test: its own database, data folder and photo folder, and real processes."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import templates

ROOT = Path(__file__).parents[2]


@dataclass
class Installation:
    """Filmroll as an operator has it: reached through its command line, its database and its web pages only."""

    folder: Path
    database_url: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    extra_environment: dict[str, str] = field(default_factory=dict)

    @property
    def photos(self) -> Path:
        return self.folder / "photos"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.database_url,
            "FILMROLL_DATA_DIR": str(self.folder / "data"),
            "FILMROLL_MODELS_DIR": "",
            **self.extra_environment,
        }

    def manage(self, *command: str, timeout: float = 300) -> str:
        """Run one command to its end and return what it printed."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *command],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a program that goes on; it is killed at the end of the test if it is still there."""
        with (self.folder / f"{command[0]}-{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), *command],
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """As a power cut would: the process and all its children, without a word."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)

    def rows(self, query: str, *values: object, fetch: bool = True) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            done = connection.execute(query, values or None)
            return done.fetchall() if fetch else []

    def value(self, query: str, *values: object) -> Any:
        return self.rows(query, *values)[0][0]

    def status(self, *, wait_idle: bool = False, timeout: float = 300) -> dict[str, Any]:
        words = ["--wait-idle", "--timeout", str(timeout)] if wait_idle else []
        answer: dict[str, Any] = json.loads(self.manage("status", "--json", *words, timeout=timeout + 20))
        return answer

    def until(self, query: str, expected: object, timeout: float = 120) -> None:
        """Wait until a query's first value is the expected one."""
        deadline = time.monotonic() + timeout
        while (seen := self.value(query)) != expected:
            assert time.monotonic() < deadline, f"{query}: {seen!r} in place of {expected!r}\n{self.logs()}"
            time.sleep(0.05)

    def logs(self) -> str:
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in sorted(self.folder.glob("*.log")))

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                self.kill(process)


def free_port() -> int:
    """A port for a server that starts later: none that the system gives to others meanwhile, nor a neighbour's."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    while True:
        # Below those that are given to whoever asks for any.
        port = random.randrange(10_000 + worker % 16, 32_000, 16)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    name = f"journey_{uuid.uuid4().hex[:8]}"
    with _server() as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {templates.template()}")
    made = Installation(tmp_path, templates.url_of(name))
    made.photos.mkdir()
    try:
        yield made
    finally:
        made.end()
        with _server() as server:
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def serve(installation: Installation) -> Callable[[], str]:
    """Starts the web server on a free port, waits until it answers, and returns its address."""

    def start() -> str:
        port = free_port()
        installation.extra_environment["FILMROLL_PORT"] = str(port)
        installation.start("web")
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30).close()
                return f"http://127.0.0.1:{port}"
            except OSError:
                assert time.monotonic() < deadline, installation.logs()
                time.sleep(0.1)

    return start


def _server() -> psycopg.Connection[Any]:
    return psycopg.connect(templates.url_of("postgres"), autocommit=True)
