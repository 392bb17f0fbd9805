"""The trigger that records attempts, the functions workers fetch and end jobs with, and the pages' indexes."""

from django.db import migrations

# Opens and closes one row per attempt in the transaction that changes the job's state, whoever changes it.
# It must never raise: if it did, no worker could fetch a job. Hence no constraint, and the exception block.
RECORD = """
CREATE FUNCTION filmroll_record_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE TRIGGER filmroll_record_attempt AFTER UPDATE OF status ON procrastinate_jobs
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION filmroll_record_attempt();

-- A finished job that keeps its worker makes the deletion of that worker's row a search through all jobs.
CREATE FUNCTION filmroll_forget_worker() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.worker_id := NULL;
    RETURN NEW;
END $$;

CREATE TRIGGER filmroll_forget_worker BEFORE UPDATE OF status ON procrastinate_jobs
    FOR EACH ROW WHEN (OLD.status = 'doing' AND NEW.status <> 'doing')
    EXECUTE FUNCTION filmroll_forget_worker();
"""

DROP_RECORD = """
DROP TRIGGER filmroll_record_attempt ON procrastinate_jobs;
DROP FUNCTION filmroll_record_attempt();
DROP TRIGGER filmroll_forget_worker ON procrastinate_jobs;
DROP FUNCTION filmroll_forget_worker();
"""

# The rule of procrastinate_fetch_job_v2, asked queue by queue: with one list over all queues, a worker of
# a quiet queue walks over every job of the busy ones (100,000 previews waiting: 50 ms a fetch). BETWEEN and
# the order by queue leave the planner no other index than filmroll_jobs_ready; with "=" it takes the one by
# priority, and the walk is back.
# Returns one row: the job and its open attempt, or no job and the seconds until the next one falls due.
FETCH = """
CREATE FUNCTION filmroll_fetch_job(_queues varchar[], _worker bigint)
    RETURNS TABLE (job procrastinate_jobs, attempt bigint, run int, due_in float) LANGUAGE plpgsql AS $$
DECLARE
    _queue varchar;
    _id bigint;
BEGIN
    FOR _queue IN
        SELECT q FROM unnest(_queues) AS q
        CROSS JOIN LATERAL (
            SELECT j.priority, j.id FROM procrastinate_jobs AS j
             WHERE j.status = 'todo' AND j.queue_name BETWEEN q AND q
               AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())
             ORDER BY j.queue_name, j.priority DESC, j.id LIMIT 1
        ) AS head
        ORDER BY head.priority DESC, head.id
    LOOP
        SELECT j.id INTO _id FROM procrastinate_jobs AS j
         WHERE j.status = 'todo' AND j.queue_name BETWEEN _queue AND _queue
           AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())
           AND (j.lock IS NULL OR NOT EXISTS (
                SELECT 1 FROM procrastinate_jobs AS o
                 WHERE o.lock = j.lock AND (o.status = 'doing' OR (o.status = 'todo' AND (
                       o.priority > j.priority OR (o.priority = j.priority AND o.id < j.id))))))
         ORDER BY j.queue_name, j.priority DESC, j.id LIMIT 1
           FOR UPDATE OF j SKIP LOCKED;
        EXIT WHEN _id IS NOT NULL;
    END LOOP;
    IF _id IS NOT NULL THEN
        UPDATE procrastinate_jobs SET status = 'doing', worker_id = _worker WHERE id = _id
            RETURNING procrastinate_jobs.* INTO job;
        SELECT a.id, a.number INTO attempt, run FROM job_attempt AS a
         WHERE a.job_id = _id ORDER BY a.number DESC LIMIT 1;
    ELSE
        due_in := (
            SELECT extract(epoch FROM min(due.scheduled_at) - now()) FROM unnest(_queues) AS q
            CROSS JOIN LATERAL (
                SELECT j.scheduled_at FROM procrastinate_jobs AS j
                 WHERE j.status = 'todo' AND j.queue_name = q AND j.scheduled_at > now()
                 ORDER BY j.scheduled_at LIMIT 1
            ) AS due);
    END IF;
    RETURN NEXT;
END $$;
"""

# Ends a run of a job: 'done', or 'late' when the job is no longer this run's (swept meanwhile, and perhaps
# taken by somebody else). `_status` is 'succeeded', 'failed' or 'todo' (run again at `_at`).
END = """
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

-- Puts a running job back into the queue, `_burns` (0 or 1) runs of its budget used up, and wakes the workers.
CREATE FUNCTION filmroll_put_back(_job bigint, _burns int, _at timestamptz, _queue text)
    RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- Asked to stop: Procrastinate's retry would make it 'failed' and leave the flag up, which no later
    -- retry survives.
    UPDATE procrastinate_jobs SET status = 'aborted', abort_requested = false, attempts = attempts + _burns
     WHERE id = _job AND status = 'doing' AND abort_requested;
    IF FOUND THEN
        RETURN;
    END IF;
    UPDATE procrastinate_jobs
       SET status = 'todo', attempts = attempts + _burns, scheduled_at = _at,
           queue_name = COALESCE(_queue, queue_name)
     WHERE id = _job AND status = 'doing';
    PERFORM filmroll_wake_workers(_job);
EXCEPTION WHEN unique_violation THEN
    -- The same work waits in the queue already (its queueing lock is taken): this one is not needed.
    UPDATE job_attempt SET outcome = 'superseded' WHERE job_id = _job AND ended_at IS NULL;
    UPDATE procrastinate_jobs SET status = 'cancelled', abort_requested = false WHERE id = _job;
    INSERT INTO job_action (job_id, action, actor, reason, at)
    VALUES (_job, 'superseded', 'system', 'The same work was already waiting in the queue.', now());
END $$;

-- Puts back what a worker holds, but for the jobs that it knows of; no budget is used up. Returns their ids.
CREATE FUNCTION filmroll_hand_back(_worker bigint, _keep bigint[]) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE
    _id bigint;
BEGIN
    FOR _id IN
        SELECT id FROM procrastinate_jobs
         WHERE status = 'doing' AND worker_id = _worker AND id <> ALL (_keep) FOR UPDATE
    LOOP
        UPDATE job_attempt SET outcome = 'handed back' WHERE job_id = _id AND ended_at IS NULL;
        PERFORM filmroll_put_back(_id, 0, NULL, NULL);
        RETURN NEXT _id;
    END LOOP;
END $$;

-- Procrastinate notifies on insert only.
CREATE FUNCTION filmroll_wake_workers(_job bigint) RETURNS void LANGUAGE sql AS $$
    SELECT pg_notify('procrastinate_any_queue_v1', json_build_object('type', 'job_inserted', 'job_id', _job)::text);
$$;
"""

DROP_FUNCTIONS = """
DROP FUNCTION filmroll_fetch_job(varchar[], bigint);
DROP FUNCTION filmroll_end_run(bigint, bigint, bigint, text, timestamptz, text, jsonb);
DROP FUNCTION filmroll_hand_back(bigint, bigint[]);
DROP FUNCTION filmroll_put_back(bigint, int, timestamptz, text);
DROP FUNCTION filmroll_wake_workers(bigint);
"""

# Partial, by state: each job passes through several states, and every index that holds a row costs a write.
INDEXES = {
    "filmroll_jobs_ready": "(queue_name, priority DESC, id) WHERE status = 'todo'",
    "filmroll_jobs_due": "(queue_name, scheduled_at) WHERE status = 'todo' AND scheduled_at IS NOT NULL",
    "filmroll_jobs_doing": "(id) WHERE status = 'doing'",
    "filmroll_jobs_dead": "(id) WHERE status = 'failed'",
    "filmroll_jobs_ended": "(id) WHERE status IN ('cancelled', 'aborted')",
    "filmroll_jobs_photo": "((args ->> 'photo'), id) WHERE args ->> 'photo' IS NOT NULL",
    # What a rescan asks of each batch of files: is an import of it open?
    "filmroll_jobs_file": "((args ->> 'file')) WHERE args ->> 'file' IS NOT NULL",
    # The foreign key's own search (worker_id = $1, any state) cannot use Procrastinate's index.
    "filmroll_jobs_worker": "(worker_id) WHERE worker_id IS NOT NULL",
}


class Migration(migrations.Migration):
    dependencies = [("workers", "0001_initial"), ("procrastinate", "0041_post_retry_failed_job")]
    operations = [
        migrations.RunSQL(RECORD, DROP_RECORD),
        migrations.RunSQL(FETCH + END, DROP_FUNCTIONS),
        *(
            migrations.RunSQL(f"CREATE INDEX {name} ON procrastinate_jobs {what}", f"DROP INDEX {name}")
            for name, what in INDEXES.items()
        ),
    ]
