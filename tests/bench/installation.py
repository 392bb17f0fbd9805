"""A whole installation for a benchmark: its own server that syncs to disk, its data folder, real processes."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg

_PATIENCE_SECONDS = 1800


@dataclass
class Installation:
    """Filmroll as an operator has it, and what its processes take."""

    folder: Path
    url: str
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.url,
            "FILMROLL_DATA_DIR": str(self.folder),
            "FILMROLL_MODELS_DIR": "",
            "FILMROLL_LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "core.settings",
        }

    def manage(self, *command: str) -> None:
        subprocess.run(
            [sys.executable, "manage.py", *command], check=True, env=self.environment, stdout=subprocess.DEVNULL
        )

    def python(self, program: str, told: str = "") -> str:
        """What a short program prints that runs as one of Filmroll's; `told` is its input."""
        run = [sys.executable, "-c", program]
        done = subprocess.run(run, check=True, env=self.environment, stdout=subprocess.PIPE, text=True, input=told)
        return done.stdout

    @contextlib.contextmanager
    def started(self, *command: str) -> Iterator[None]:
        """One program that runs inside the block."""
        log = (self.folder / f"{command[0]}.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, "manage.py", *command], env=self.environment, stdout=log, stderr=log
        )
        self.processes.append(process)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)
            self.processes.remove(process)
            log.close()

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            done = connection.execute(query, values or None)  # type: ignore[arg-type]
            return done.fetchall() if done.description else []

    def bulk(self, query: str, values: dict[str, Any]) -> None:
        """One statement without triggers and foreign keys."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(query, values)  # type: ignore[arg-type]

    def value(self, query: str, *values: object) -> Any:
        return self.rows(query, *values)[0][0]

    def until(self, query: str, expected: object, every: float = 0.05) -> None:
        """Wait until a query's first value is the expected one."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with psycopg.connect(self.url, autocommit=True) as connection:
            while (row := connection.execute(query).fetchone()) is None or row[0] != expected:  # type: ignore[arg-type]
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{query}: {row} in place of {expected}")
                time.sleep(every)

    def cpu_seconds(self) -> float:
        """Processor time that the programs, their children and the server have taken since they started."""
        return sum(_cpu_seconds(process) for process in self._everything())

    def cpu_by_program(self) -> dict[str, float]:
        """The same by program; a program's children apart from itself."""
        taken: dict[str, float] = {}
        for process in self._everything():
            name, own = _name(process), _cpu_seconds(process)
            taken[name] = taken.get(name, 0.0) + own
        return taken

    def memory_mib(self) -> float:
        """Resident memory of them all; what several of them share counts once."""
        return sum(_resident(process) for process in self._everything()) / (1 << 20)

    def page_cache_mib(self) -> float:
        """The part of it that is the server's page cache: of a fixed size, and filled little by little."""
        return sum(_shared(process) for process in self._everything()) / (1 << 20)

    def _everything(self) -> list[psutil.Process]:
        pid_file = self.folder / "postgres" / "postmaster.pid"
        found = [int(path.read_text().split()[0]) for path in self.folder.glob("**/postmaster.pid")] or [
            int(pid_file.read_text().split()[0])
        ]
        roots = [psutil.Process(pid) for pid in [*(one.pid for one in self.processes), *found]]
        return [process for root in roots for process in (root, *root.children(recursive=True))]


def _cpu_seconds(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


def _name(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.NoSuchProcess):
        words = process.cmdline()
        if "manage.py" in " ".join(words):
            return words[-1]
        return "children" if process.name().startswith("python") else "server"
    return "ended"


def _shared(process: psutil.Process) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss_Shmem:"):
                return int(line.split()[1]) << 10
    return 0


def _resident(process: psutil.Process) -> int:
    """Its proportional share of the memory: pages that n processes share count an nth part in each."""
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return int(process.memory_full_info().pss)
    return 0


@contextlib.contextmanager
def installed(kept_in: str = "") -> Iterator[Installation]:
    """A fresh, migrated, empty installation; or the one that an earlier run has left in the folder `kept_in`."""
    from core import database

    kept = os.environ.pop("DATABASE_URL", None)
    with contextlib.ExitStack() as held:
        name = kept_in or held.enter_context(tempfile.TemporaryDirectory(prefix="filmroll-bench-"))
        folder = Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        try:
            with database.running(folder):
                made = Installation(folder, database.conninfo(folder))
                made.manage("migrate", "--verbosity", "0")
                yield made
        finally:
            if kept is not None:
                os.environ["DATABASE_URL"] = kept
