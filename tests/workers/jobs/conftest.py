"""Real worker processes for tests, on the test's own database."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.workers.jobs.processes import WorkerProcess, database_url, rows, wait_until, worker_sessions


@pytest.fixture
def empty_queue(transactional_db: None) -> None:
    """No jobs and no workers: Django's flush leaves Procrastinate's tables alone, for it did not make them."""
    rows("TRUNCATE procrastinate_jobs, procrastinate_workers, procrastinate_events CASCADE")


@pytest.fixture
def start_worker(empty_queue: None, tmp_path: Path) -> Iterator[Callable[..., WorkerProcess]]:
    """Starts worker processes; those that still run at the end are killed."""
    started: list[WorkerProcess] = []

    def start(lanes: str = "media,alone", **env: str) -> WorkerProcess:
        told = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "tests.workers.jobs.worker_settings",
            "FILMROLL_DATA_DIR": str(tmp_path),
            "FILMROLL_CONCURRENCY": "2",
            **env,
        }
        worker = WorkerProcess(tmp_path / f"worker-{len(started)}.log", lanes, told)
        started.append(worker)
        return worker.wait_until_started()

    yield start
    for worker in started:
        with contextlib.suppress(ProcessLookupError):
            worker.process.kill()
        worker.process.wait(60)
    # The database cannot be emptied while sessions of dead workers hold on to it.
    wait_until(lambda: worker_sessions() == 0)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """The file in which tasks leave their lines."""
    return tmp_path / "mark"
