"""The database goes away for a while, and comes back."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg

from core import database
from tests.workers.jobs.processes import ROOT, WorkerProcess, lines, wait_until


def test_j24_jobs_go_on_by_themselves_when_the_database_is_back_and_no_result_is_lost_or_doubled(
    own_server: database.Embedded, tmp_path: Path
) -> None:
    url = database.conninfo(tmp_path / "own")
    env = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tests.workers.jobs.worker_settings",
        "FILMROLL_DATA_DIR": str(tmp_path),
        "FILMROLL_CONCURRENCY": "2",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=env, check=True)
    worker = WorkerProcess(tmp_path / "worker.log", "media", env).wait_until_started()
    long, mark, over = tmp_path / "long", tmp_path / "mark", tmp_path / "over"
    try:
        _defer(url, "hold", long, until=str(over))
        wait_until(lambda: lines(long) == ["began"])
        own_server.stop()
        over.touch()
        wait_until(lambda: "a result waits for the database" in worker.log.read_text(), log=worker.log)
        assert lines(long) == ["began", "ended"]
        own_server.start()
        own_server.wait_until_ready()
        for _ in range(20):
            _defer(url, "touch", mark)
        wait_until(lambda: len(lines(mark)) == 20, log=worker.log)
        wait_until(lambda: _count(url, "status = 'succeeded'") == 21, log=worker.log)
        assert _count(url, "attempts = 1") == 21
        assert worker.process.poll() is None
        assert worker.stop() == 0
    finally:
        if worker.process.poll() is None:
            worker.process.send_signal(signal.SIGKILL)
            worker.process.wait(60)


def _defer(url: str, task: str, mark: Path, **args: str) -> None:
    import json

    query = "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('files', %s, %s)"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(query, [task, json.dumps({"mark": str(mark), **args})])


def _count(url: str, where: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(f"SELECT count(*) FROM procrastinate_jobs WHERE {where}").fetchone()
    assert row is not None
    return int(row[0])
