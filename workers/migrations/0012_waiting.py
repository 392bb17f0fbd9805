"""A run that ended for want of room on the disk, or the like, uses up nothing of its job's budget."""

from django.db import migrations, models

# How many runs of a job, since it last was put back by hand, do not count.
WAITS = """
CREATE FUNCTION filmroll_waits(_job bigint) RETURNS int LANGUAGE sql STABLE AS $$
    SELECT count(*)::int FROM job_attempt WHERE job_id = _job AND outcome = 'waiting' AND NOT resolved;
$$;
"""
# As before, but for `_counts`. Its default is for workers of the former version that are still at work.
END = """
DROP FUNCTION filmroll_end_run(bigint, bigint, bigint, text, timestamptz, text, jsonb);
CREATE FUNCTION filmroll_end_run(
    _job bigint, _worker bigint, _attempt bigint, _status text, _at timestamptz, _queue text, _error jsonb,
    _counts boolean DEFAULT true
) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM procrastinate_jobs AS j
     WHERE j.id = _job AND j.status = 'doing' AND j.worker_id = _worker
       AND (_attempt IS NULL OR EXISTS (SELECT 1 FROM job_attempt AS a WHERE a.id = _attempt AND a.ended_at IS NULL))
       FOR UPDATE;
    IF NOT FOUND THEN
        UPDATE job_attempt SET late = _status
         WHERE id = _attempt AND (outcome IN ('lost', 'handed back') OR error_code = 'worker-lost');
        RETURN 'late';
    END IF;
    IF _error IS NOT NULL THEN
        UPDATE job_attempt AS a
           SET error_kind = e.error_kind, error_code = e.error_code, reason = e.reason,
               error_class = e.error_class, message = e.message, traceback = e.traceback,
               fingerprint = e.fingerprint
          FROM jsonb_to_record(_error) AS e(error_kind text, error_code text, reason text, error_class text,
                                            message text, traceback text, fingerprint text)
         WHERE a.id = _attempt;
    END IF;
    IF _status = 'todo' THEN
        PERFORM filmroll_put_back(_job, 1, _at, _queue);
        -- What the trigger has just written; a job that was asked to stop is stopped.
        UPDATE job_attempt SET outcome = 'waiting' WHERE id = _attempt AND NOT _counts AND outcome = 'retrying';
    ELSE
        PERFORM procrastinate_finish_job_v1(_job, _status::procrastinate_job_status, false);
    END IF;
    RETURN 'done';
END $$;
"""
# As before, but that what was taken out or stopped begins anew as well when it is put back.
RECORD = """
CREATE OR REPLACE FUNCTION filmroll_record_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'doing' THEN
        UPDATE job_attempt
           SET ended_at = clock_timestamp(),
               outcome = CASE WHEN outcome <> '' THEN outcome
                              WHEN NEW.status = 'succeeded' THEN 'succeeded'
                              WHEN NEW.status = 'todo' THEN 'retrying'
                              WHEN NEW.status = 'failed' THEN 'dead'
                              ELSE 'stopped' END,
               next_run_at = CASE WHEN NEW.status = 'todo' THEN COALESCE(NEW.scheduled_at, now()) END
         WHERE job_id = NEW.id AND ended_at IS NULL;
    ELSIF NEW.status = 'doing' THEN
        INSERT INTO job_attempt (job_id, number, task, queue, started_at, worker_id, worker, host, pid)
        SELECT NEW.id,
               COALESCE((SELECT max(number) FROM job_attempt WHERE job_id = NEW.id), 0) + 1,
               NEW.task_name, NEW.queue_name, clock_timestamp(), NEW.worker_id,
               COALESCE(info.name, ''), COALESCE(info.host, ''), info.pid
          FROM (SELECT 1) AS one LEFT JOIN worker_info AS info ON info.worker_id = NEW.worker_id;
    ELSIF OLD.status IN ('failed', 'cancelled', 'aborted') THEN
        UPDATE job_attempt SET resolved = true WHERE job_id = NEW.id AND NOT resolved;
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'an attempt at job % could not be recorded: %', NEW.id, SQLERRM;
    RETURN NULL;
END $$;
"""
END_BEFORE = """
DROP FUNCTION filmroll_end_run(bigint, bigint, bigint, text, timestamptz, text, jsonb, boolean);
CREATE FUNCTION filmroll_end_run(
    _job bigint, _worker bigint, _attempt bigint, _status text, _at timestamptz, _queue text, _error jsonb
) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM procrastinate_jobs AS j
     WHERE j.id = _job AND j.status = 'doing' AND j.worker_id = _worker
       AND (_attempt IS NULL OR EXISTS (SELECT 1 FROM job_attempt AS a WHERE a.id = _attempt AND a.ended_at IS NULL))
       FOR UPDATE;
    IF NOT FOUND THEN
        UPDATE job_attempt SET late = _status
         WHERE id = _attempt AND (outcome IN ('lost', 'handed back') OR error_code = 'worker-lost');
        RETURN 'late';
    END IF;
    IF _error IS NOT NULL THEN
        UPDATE job_attempt AS a
           SET error_kind = e.error_kind, error_code = e.error_code, reason = e.reason,
               error_class = e.error_class, message = e.message, traceback = e.traceback,
               fingerprint = e.fingerprint
          FROM jsonb_to_record(_error) AS e(error_kind text, error_code text, reason text, error_class text,
                                            message text, traceback text, fingerprint text)
         WHERE a.id = _attempt;
    END IF;
    IF _status = 'todo' THEN
        PERFORM filmroll_put_back(_job, 1, _at, _queue);
    ELSE
        PERFORM procrastinate_finish_job_v1(_job, _status::procrastinate_job_status, false);
    END IF;
    RETURN 'done';
END $$;
"""
RECORD_BEFORE = """
CREATE OR REPLACE FUNCTION filmroll_record_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'doing' THEN
        UPDATE job_attempt
           SET ended_at = clock_timestamp(),
               outcome = CASE WHEN outcome <> '' THEN outcome
                              WHEN NEW.status = 'succeeded' THEN 'succeeded'
                              WHEN NEW.status = 'todo' THEN 'retrying'
                              WHEN NEW.status = 'failed' THEN 'dead'
                              ELSE 'stopped' END,
               next_run_at = CASE WHEN NEW.status = 'todo' THEN COALESCE(NEW.scheduled_at, now()) END
         WHERE job_id = NEW.id AND ended_at IS NULL;
    ELSIF NEW.status = 'doing' THEN
        INSERT INTO job_attempt (job_id, number, task, queue, started_at, worker_id, worker, host, pid)
        SELECT NEW.id,
               COALESCE((SELECT max(number) FROM job_attempt WHERE job_id = NEW.id), 0) + 1,
               NEW.task_name, NEW.queue_name, clock_timestamp(), NEW.worker_id,
               COALESCE(info.name, ''), COALESCE(info.host, ''), info.pid
          FROM (SELECT 1) AS one LEFT JOIN worker_info AS info ON info.worker_id = NEW.worker_id;
    ELSIF OLD.status = 'failed' THEN
        UPDATE job_attempt SET resolved = true WHERE job_id = NEW.id AND NOT resolved;
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'an attempt at job % could not be recorded: %', NEW.id, SQLERRM;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("workers", "0011_dead_and_waiting")]
    operations = [
        migrations.RunSQL(WAITS, "DROP FUNCTION filmroll_waits(bigint)"),
        migrations.RunSQL(END, END_BEFORE),
        migrations.RunSQL(RECORD, RECORD_BEFORE),
        migrations.AlterField(
            "attempt",
            "outcome",
            models.TextField(
                choices=[
                    ("succeeded", "Succeeded"),
                    ("retrying", "Retrying"),
                    ("waiting", "Waiting"),
                    ("dead", "Dead"),
                    ("lost", "Lost"),
                    ("handed back", "Handed Back"),
                    ("stopped", "Stopped"),
                    ("superseded", "Superseded"),
                ],
                db_default="",
            ),
        ),
    ]
