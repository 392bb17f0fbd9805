"""How soon a job starts, and how many jobs a second our worker ends beside Procrastinate's own.

The stock worker runs on a database of its own, without our triggers, attempts and indexes, on the same server;
both take turns in one run, so that only the ratio counts.
"""

import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import psycopg
from psycopg.conninfo import make_conninfo

from tests.bench.bar import Bar

_DEAD, _REDRIVE_SECONDS = 10_000, 20
_JOBS, _ROUNDS, _SLOTS, _STARTS = 2_000, 3, 4, 300
_CLAIMED, _CLAIMERS = 10_000, 4
# Two jobs so close that the second may come while the first is being fetched; then rest until both are done.
_PAIRS, _APART_SECONDS, _LOST_SECONDS = int(os.environ.get("FILMROLL_BENCH_PAIRS", "10000")), 0.012, 1.0
_OURS = ["worker", "--lanes", "media"]
_STOCK = ["procrastinate", "worker", "--queues", "files", "--concurrency", str(_SLOTS)]
_DEFER = """
INSERT INTO procrastinate_jobs (queue_name, task_name, args)
SELECT 'files', 'nothing', jsonb_build_object('number', n) FROM generate_series(1, %s) AS n
"""
# From the commit of each job to its start; the first one found the worker starting.
_WAITS = """
SELECT extract(epoch FROM s.at - d.at)::float FROM procrastinate_events AS d
  JOIN procrastinate_events AS s ON s.job_id = d.job_id AND s.type = 'started'
 WHERE d.type = 'deferred' ORDER BY d.id OFFSET 1
"""


def run() -> list[Bar]:
    """The bars of the queue."""
    with _databases() as (ours, stock):
        waits = _starts(ours)
        redriven, more = _redrive(ours)
        odd = _claims(ours)
        lost = _wakings(ours)
        rates = [(_rate(ours, _OURS), _rate(stock, _STOCK)) for _ in range(_ROUNDS)]
    p50, p99 = median(waits) * 1000, quantiles(waits, n=100)[98] * 1000
    print(f"  a job starts after {p50:.1f} ms at the median, {p99:.1f} ms at p99, on an idle worker")
    print(f"  ours {median(a for a, _ in rates):,.0f} jobs/s, stock {median(b for _, b in rates):,.0f} jobs/s")
    return [
        Bar("jobs-start-p50", round(p50, 2), "<=", 30, "ms"),
        Bar("jobs-start-p99", round(p99, 2), "<=", 100, "ms"),
        Bar("jobs-redrive-rate-off", round(abs(redriven / 200 - 1), 3), "<=", 0.1),
        Bar("jobs-redrive-after-cancel", more, "==", 0),
        Bar("jobs-claimed-not-once", odd, "==", 0),
        Bar("jobs-wakings-lost", lost, "==", 0),
        Bar("jobs-rate-to-stock", round(median(a / b for a, b in rates), 3), ">=", 0.9),
    ]


def _redrive(url: str) -> tuple[float, int]:
    """Dead letters redriven a second by an operation over 10,000, and how many more after it was cancelled."""
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("TRUNCATE procrastinate_jobs, job_attempt CASCADE")
        _defer(database, _DEAD)
        for status in ("doing", "failed"):
            database.execute("UPDATE procrastinate_jobs SET status = %s::procrastinate_job_status", [status])
        with _worker(url, [*_OURS[:2], "operations"], "core.settings"):
            row = database.execute(
                """INSERT INTO job_operation (act, actor, scope, rate, canary, total, created_at)
                   VALUES ('retry', 'bench', 'all', 200, 0, %s, now()) RETURNING id""",
                [_DEAD],
            ).fetchone()
            assert row is not None
            database.execute(
                """INSERT INTO job_operation_item (operation_id, position, job_id)
                   SELECT %s, row_number() OVER (ORDER BY id), id FROM procrastinate_jobs
                    WHERE status = 'failed'""",
                row,
            )
            database.execute(
                """INSERT INTO procrastinate_jobs (queue_name, task_name, args)
                   VALUES ('operations', 'run_operation', jsonb_build_object('operation', %s::bigint))""",
                row,
            )
            while (first := _redriven(database)) < 200:
                time.sleep(0.01)
            began = time.monotonic()
            time.sleep(_REDRIVE_SECONDS)
            rate = (_redriven(database) - first) / (time.monotonic() - began)
            # What cancel_operation does: it waits for the batch under way.
            database.execute("UPDATE job_operation SET state = 'cancelled'")
            cancelled = _redriven(database)
            time.sleep(2)
            print(f"  {rate:.0f} dead letters redriven a second, asked for 200")
            return rate, _redriven(database) - cancelled


def _redriven(database: psycopg.Connection) -> int:
    row = database.execute("SELECT done FROM job_operation ORDER BY id DESC LIMIT 1").fetchone()
    assert row is not None
    return int(row[0])


def _claims(url: str) -> int:
    """Of a backlog that several worker processes share, how many jobs were not started exactly once."""
    with psycopg.connect(url, autocommit=True) as database, contextlib.ExitStack() as held:
        database.execute("TRUNCATE procrastinate_jobs, job_attempt CASCADE")
        _defer(database, _CLAIMED)
        for _ in range(_CLAIMERS):
            held.enter_context(_worker(url, _OURS))
        _wait_until_done(database, _CLAIMED)
        row = database.execute(
            """SELECT count(*) FROM (
                   SELECT (SELECT count(*) FROM job_attempt AS a WHERE a.job_id = j.id) AS attempts,
                          (SELECT count(*) FROM procrastinate_events AS e
                            WHERE e.job_id = j.id AND e.type = 'started') AS starts
                     FROM procrastinate_jobs AS j) AS x WHERE attempts <> 1 OR starts <> 1"""
        ).fetchone()
        took = database.execute("SELECT count(DISTINCT pid) FROM job_attempt").fetchone()
        assert row is not None
        assert took is not None
        print(f"  {_CLAIMED:,} jobs claimed by {took[0]} processes, {row[0]} not exactly once", flush=True)
        return int(row[0])


def _wakings(url: str) -> int:
    """Of jobs that come in pairs a moment apart, how many waited so long that their waking must have been lost."""
    draw = random.Random(7)
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("TRUNCATE procrastinate_jobs, job_attempt CASCADE")
        with _worker(url, _OURS):
            _wait_until_done(database, _defer(database, 1))
            for _ in range(_PAIRS):
                _defer(database, 1)
                time.sleep(draw.uniform(0, _APART_SECONDS))
                _defer(database, 1)
                _wait_until_empty(database)
        waits = [row[0] for row in database.execute(_WAITS)]
        lost = sum(1 for wait in waits if wait > _LOST_SECONDS)
        told = f"the longest waited {max(waits) * 1000:.0f} ms, the median {median(waits) * 1000:.1f} ms"
        print(f"  {_PAIRS:,} pairs: {told}, {lost} over {_LOST_SECONDS:.0f} s", flush=True)
        return lost


def _wait_until_empty(database: psycopg.Connection) -> None:
    while database.execute(
        "SELECT 1 FROM procrastinate_jobs WHERE status IN ('todo', 'doing') LIMIT 1"
    ).fetchone():
        time.sleep(0.002)


def _starts(url: str) -> list[float]:
    """Seconds from the commit of a job to its start, jobs coming one by one to an idle worker."""
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("TRUNCATE procrastinate_jobs CASCADE")
        with _worker(url, _OURS):
            _wait_until_done(database, _defer(database, 1))
            for _ in range(_STARTS):
                _defer(database, 1)
                time.sleep(0.015)
            _wait_until_done(database, _STARTS + 1)
        return [row[0] for row in database.execute(_WAITS)]


def _rate(url: str, command: list[str]) -> float:
    """Jobs a second over a backlog, from the first start to the last end, by the server's clock."""
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("TRUNCATE procrastinate_jobs CASCADE")
        _defer(database, _JOBS)
        database.execute("VACUUM ANALYZE procrastinate_jobs")
        with _worker(url, command):
            _wait_until_done(database, _JOBS)
        row = database.execute(
            """SELECT extract(epoch FROM max(at) FILTER (WHERE type = 'succeeded')
                             - min(at) FILTER (WHERE type = 'started'))::float FROM procrastinate_events"""
        ).fetchone()
        assert row is not None
        return _JOBS / float(row[0])


def _defer(database: psycopg.Connection, count: int) -> int:
    database.execute(_DEFER, [count])
    return count


def _wait_until_done(database: psycopg.Connection, count: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        row = database.execute("SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'").fetchone()
        if row == (count,):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{count} jobs were not done within two minutes")


@contextlib.contextmanager
def _worker(url: str, command: list[str], settings: str = "tests.bench.jobs_settings") -> Iterator[None]:
    with subprocess.Popen(
        [sys.executable, "manage.py", *command],
        env={**_environment(url), "DJANGO_SETTINGS_MODULE": settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


@contextlib.contextmanager
def _databases() -> Iterator[tuple[str, str]]:
    """A fresh server that syncs to disk, with a database for each worker."""
    from core import database

    kept = os.environ.pop("DATABASE_URL", None)
    with tempfile.TemporaryDirectory(prefix="filmroll-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            with database.running(folder):
                ours = database.conninfo(folder)
                with psycopg.connect(ours, autocommit=True) as connection:
                    connection.execute("CREATE DATABASE stock")
                stock = make_conninfo(ours, dbname="stock")
                for url, apps in ((ours, []), (stock, ["procrastinate"])):
                    command = [sys.executable, "manage.py", "migrate", *apps, "--verbosity", "0"]
                    subprocess.run(command, check=True, env=_environment(url))
                yield ours, stock
        finally:
            if kept is not None:
                os.environ["DATABASE_URL"] = kept


def _environment(url: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tests.bench.jobs_settings",
        "FILMROLL_CONCURRENCY": str(_SLOTS),
        "FILMROLL_LOG_LEVEL": "WARNING",
    }
