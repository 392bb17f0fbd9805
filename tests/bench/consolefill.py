"""Fills an installation with the jobs of years: finished, live, dead; by bulk SQL with the triggers off."""

import contextlib
import os
from collections.abc import Iterator

from tests.bench.installation import Installation

# FILMROLL_BENCH_JOBS=10000000 is what the console is made for; the default fits a small machine.
FINISHED = int(os.environ.get("FILMROLL_BENCH_JOBS", "2000000"))
LIVE, DEAD = 100_000, 50_000
_AT_ONCE = 250_000
# Three jobs a photo (its import, previews, labels), one in 200 of them discarded or stopped. The reasons of the
# dead ones are spread as in life: few causes have most of them.
_TASK = """CASE n %% 3 WHEN 0 THEN 'import_file' WHEN 1 THEN 'render_previews' ELSE 'detect_objects' END"""
_QUEUE = "CASE n %% 3 WHEN 0 THEN 'files' WHEN 1 THEN 'previews' ELSE 'labels' END"
_ARGS = """jsonb_build_object('photo', md5('photo ' || (n / 3))::uuid, 'path',
           '2' || n %% 20 || '/DSC_' || n || '.jpg')"""
_JOBS = f"""
INSERT INTO procrastinate_jobs (id, queue_name, task_name, priority, args, status, scheduled_at, attempts)
SELECT n, {_QUEUE}, {_TASK}, CASE WHEN n %% 50 = 0 THEN 50 ELSE 0 END, {_ARGS},
       (%(status)s)::procrastinate_job_status,
       CASE WHEN %(due)s THEN now() + n %% 7200 * interval '1 second' END, %(runs)s
  FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
"""
_ATTEMPTS = f"""
INSERT INTO job_attempt (job_id, number, task, queue, worker, host, pid, started_at, ended_at, outcome,
                         error_kind, error_code, reason, error_class, message, traceback, fingerprint)
SELECT n, 1, {_TASK}, {_QUEUE}, 'media', 'darkroom', 4711, at, at + (20 + n %% 977) * interval '1 ms', %(outcome)s,
       CASE WHEN dead THEN 'poison' ELSE '' END, CASE WHEN dead THEN 'truncated' ELSE '' END,
       CASE WHEN dead THEN 'This file ends in the middle.' ELSE '' END,
       CASE WHEN dead THEN 'workers.errors.PoisonError' ELSE '' END,
       CASE WHEN dead THEN 'file ends at byte ' || n ELSE '' END,
       CASE WHEN dead THEN repeat('  File "pipelines/decoding.py", line 12, in decode' || chr(10), 40) ELSE '' END,
       CASE WHEN dead THEN md5('kind ' || floor(40 * power(random(), 3))) ELSE '' END
  FROM (SELECT n, %(outcome)s = 'dead' AS dead,
               now() - (%(newest)s - n) * interval '40 ms' - interval '1 minute' AS at
          FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n) AS x
"""
_EVENTS = """
INSERT INTO procrastinate_events (job_id, type, at)
SELECT n, 'deferred', now() - (%(newest)s - n) * interval '40 ms' - interval '2 minutes'
  FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
"""


_TABLES = ["procrastinate_jobs", "procrastinate_events", "job_attempt"]


def fill(made: Installation) -> None:
    """Finished jobs first, then the dead, then the live: ready ones, and a tenth to be retried later."""
    with _indexes_afterwards(made):
        _fill(made)
    for table in _TABLES:
        made.rows(f"VACUUM (ANALYZE) {table}")
    # What the filling has left to write is not the pages' burden.
    made.rows("CHECKPOINT")


def is_filled(made: Installation) -> bool:
    """Whether a kept installation holds all of it already, its indexes included."""
    jobs = made.value("SELECT count(*) FROM (SELECT 1 FROM procrastinate_jobs WHERE status = 'failed') AS x")
    indexed = made.value("SELECT count(*) FROM pg_indexes WHERE indexname = 'filmroll_jobs_ready'")
    # A run of the bench leaves some more dead ones behind.
    return bool(jobs >= DEAD and indexed)


def freshen(made: Installation) -> None:
    """Have the newest finished runs have ended just now, 25 a second: the pages tell of the last minutes."""
    made.bulk(
        """UPDATE job_attempt SET started_at = now() - (%(last)s - job_id) * interval '40 ms' - interval '1 s',
                                  ended_at = now() - (%(last)s - job_id) * interval '40 ms'
            WHERE job_id BETWEEN %(last)s - 20000 AND %(last)s""",
        {"last": FINISHED},
    )
    made.rows("VACUUM (ANALYZE) job_attempt")


@contextlib.contextmanager
def _indexes_afterwards(made: Installation) -> Iterator[None]:
    """Without indexes the rows come in three times as fast; made afterwards they are the same."""
    found = made.rows(
        """SELECT i.indexname, i.indexdef FROM pg_indexes AS i
            WHERE i.tablename = ANY(%s) AND NOT EXISTS (
                  SELECT 1 FROM pg_constraint AS c WHERE c.conname = i.indexname)""",
        _TABLES,
    )
    for name, _ in found:
        made.rows(f"DROP INDEX {name}")
    try:
        yield
    finally:
        for _, definition in found:
            made.rows(f"SET maintenance_work_mem = '512MB'; {definition}")


def _fill(made: Installation) -> None:
    newest = FINISHED + DEAD + LIVE
    for first in range(1, FINISHED + 1, _AT_ONCE):
        last = min(first + _AT_ONCE - 1, FINISHED)
        _insert(made, (first, last, newest), "succeeded", "succeeded")
    _insert(made, (FINISHED + 1, FINISHED + DEAD, newest), "failed", "dead")
    retried = FINISHED + DEAD + LIVE // 10
    _insert(made, (FINISHED + DEAD + 1, retried, newest), "todo", "retrying", due=True)
    _insert(made, (retried + 1, newest, newest), "todo", "")
    made.rows("SELECT setval('procrastinate_jobs_id_seq', %s)", newest)


def _insert(made: Installation, span: tuple[int, int, int], status: str, outcome: str, due: bool = False) -> None:
    first, last, newest = span
    values = {"first": first, "last": last, "newest": newest, "status": status, "outcome": outcome, "due": due}
    values["runs"] = 0 if not outcome else 1
    made.bulk(_JOBS, values)
    made.bulk(_EVENTS, values)
    if outcome:
        made.bulk(_ATTEMPTS, values)
