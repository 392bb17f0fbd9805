"""A fetch that is under way when an operator changes a queue ends before the change, or sees it."""

from django.db import migrations

# Each statement of a fetch has a snapshot of its own: without the lock, one that had read the settings just before
# a pause could still take a job that came just after it. `workers.queuesettings` takes the same lock alone.
NOW = """
ALTER FUNCTION filmroll_fetch_job(varchar[], bigint) RENAME TO filmroll_fetch_open;
CREATE FUNCTION filmroll_fetch_job(_queues varchar[], _worker bigint)
    RETURNS TABLE (job procrastinate_jobs, attempt bigint, run int, due_in float) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('queue settings', 0));
    RETURN QUERY SELECT f.job, f.attempt, f.run, f.due_in FROM filmroll_fetch_open(_queues, _worker) AS f;
END $$;
"""
BEFORE = """
DROP FUNCTION filmroll_fetch_job(varchar[], bigint);
ALTER FUNCTION filmroll_fetch_open(varchar[], bigint) RENAME TO filmroll_fetch_job;
"""


class Migration(migrations.Migration):
    dependencies = [("workers", "0007_operations")]
    operations = [migrations.RunSQL(NOW, BEFORE)]
