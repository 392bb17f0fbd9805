"""Who puts a job back wakes the workers of its queue, as an insert does: each lane listens to its queues alone."""

from django.db import migrations

WAKE = """
CREATE OR REPLACE FUNCTION filmroll_wake_workers(_job bigint) RETURNS void LANGUAGE sql AS $$
    SELECT pg_notify(channel, json_build_object('type', 'job_inserted', 'job_id', _job)::text)
      FROM procrastinate_jobs AS j,
           unnest(ARRAY['procrastinate_any_queue_v1', 'procrastinate_queue_v1#' || j.queue_name]) AS channel
     WHERE j.id = _job;
$$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION filmroll_wake_workers(_job bigint) RETURNS void LANGUAGE sql AS $$
    SELECT pg_notify('procrastinate_any_queue_v1', json_build_object('type', 'job_inserted', 'job_id', _job)::text);
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("workers", "0002_recording")]
    operations = [migrations.RunSQL(WAKE, BEFORE)]
