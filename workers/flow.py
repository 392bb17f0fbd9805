"""How much work was done, by minute and hour, and how much waits: rolled up by a worker, after it has worked.

Not by the trigger: a row that counts would make the commits of all workers wait for each other. Rolling up again
gives the same rows, so any worker may do it at any time; when nobody works, nobody does.
"""

from django.db import connection, transaction

from workers.presence import LOCK_CLASS

# Minutes are kept for two days, hours for four hundred.
_KEPT = {"minute": "2 days", "hour": "400 days"}
_LOCK = -2
# Two minutes back: a run may commit its end a little after the moment that it notes down.
_MINUTES = """
INSERT INTO job_flow (span, at, task, done, failed, dead, seconds)
SELECT 'minute', date_trunc('minute', ended_at), task, count(*) FILTER (WHERE outcome = 'succeeded'),
       count(*) FILTER (WHERE outcome IN ('retrying', 'dead', 'lost')), count(*) FILTER (WHERE outcome = 'dead'),
       COALESCE(sum(extract(epoch FROM ended_at - started_at)), 0)
  FROM job_attempt
 WHERE ended_at >= COALESCE((SELECT max(at) - interval '2 minutes' FROM job_flow WHERE span = 'minute'),
                            date_trunc('minute', now()) - interval '1 day')
   AND ended_at >= date_trunc('hour', now()) - interval '2 days'
   AND ended_at < date_trunc('minute', now())
 GROUP BY 2, 3
ON CONFLICT (span, at, task) DO UPDATE
   SET done = EXCLUDED.done, failed = EXCLUDED.failed, dead = EXCLUDED.dead, seconds = EXCLUDED.seconds
"""
_HOURS = """
INSERT INTO job_flow (span, at, task, done, failed, dead, seconds)
SELECT 'hour', date_trunc('hour', at), task, sum(done), sum(failed), sum(dead), sum(seconds)
  FROM job_flow
 WHERE span = 'minute'
   AND at >= COALESCE((SELECT max(at) - interval '1 hour' FROM job_flow WHERE span = 'hour'), '-infinity')
 GROUP BY 2, 3
ON CONFLICT (span, at, task) DO UPDATE
   SET done = EXCLUDED.done, failed = EXCLUDED.failed, dead = EXCLUDED.dead, seconds = EXCLUDED.seconds
"""
# The two parts have an index each; together they would be looked for among all jobs.
_COUNTS = """
DELETE FROM job_count;
INSERT INTO job_count (queue, state, number, at)
SELECT queue_name, CASE WHEN scheduled_at IS NULL OR scheduled_at <= now() THEN 'ready'
                        WHEN attempts > 0 THEN 'retrying' ELSE 'scheduled' END, count(*), now()
  FROM procrastinate_jobs WHERE status = 'todo' GROUP BY 1, 2
 UNION ALL
SELECT queue_name, 'dead', count(*), now() FROM procrastinate_jobs WHERE status = 'failed' GROUP BY 1
"""
_FORGET = "DELETE FROM job_flow WHERE span = %s AND at < date_trunc('hour', now()) - %s::interval"


def roll_up() -> bool:
    """Bring the figures up to the last full minute. False when another process is at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK_CLASS, _LOCK])
        if not cursor.fetchone()[0]:
            return False
        cursor.execute(_MINUTES)
        cursor.execute(_HOURS)
        cursor.execute(_COUNTS)
        for span, kept in _KEPT.items():
            cursor.execute(_FORGET, [span, kept])
    return True
