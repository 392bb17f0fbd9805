"""A job that was asked to stop and then fails is stopped, not dead: the flag does not outlive the run."""

from django.db import migrations

NOW = """
CREATE OR REPLACE FUNCTION filmroll_forget_worker() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM job_queue_setting AS s
                WHERE s.queue = OLD.queue_name AND s.concurrency IS NOT NULL) THEN
        PERFORM pg_notify('procrastinate_queue_v1#' || OLD.queue_name, '');
    END IF;
    NEW.worker_id := NULL;
    IF OLD.abort_requested AND NEW.status = 'failed' THEN
        NEW.status := 'aborted';
        NEW.abort_requested := false;
    END IF;
    RETURN NEW;
END $$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION filmroll_forget_worker() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM job_queue_setting AS s
                WHERE s.queue = OLD.queue_name AND s.concurrency IS NOT NULL) THEN
        PERFORM pg_notify('procrastinate_queue_v1#' || OLD.queue_name, '');
    END IF;
    NEW.worker_id := NULL;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("workers", "0005_queue_settings")]
    operations = [migrations.RunSQL(NOW, BEFORE)]
