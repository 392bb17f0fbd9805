"""What an operator sets on a queue: a pause, quiet hours, a limit, newest first; read by every fetch."""

from django.db import migrations, models

# Why a queue is held now and until when ("infinity" for until somebody resumes it). Quiet hours are told by the
# clock of their zone; a window whose end lies before its beginning goes over midnight.
GATES = """
CREATE FUNCTION filmroll_gates() RETURNS TABLE (
    queue text, held_by text, held_until timestamptz, concurrency int, newest_first boolean
) LANGUAGE sql STABLE AS $$
    SELECT s.queue,
           CASE WHEN p.paused THEN 'pause' WHEN q.quiet THEN 'quiet hours' ELSE '' END,
           CASE WHEN p.paused THEN COALESCE(s.paused_until, 'infinity')
                WHEN q.quiet THEN (c.clock::date + s.quiet_until
                     + CASE WHEN c.clock::time >= s.quiet_until THEN interval '1 day' ELSE interval '0' END
                     ) AT TIME ZONE s.zone END,
           s.concurrency, s.newest_first
      FROM job_queue_setting AS s,
           LATERAL (SELECT now() AT TIME ZONE s.zone AS clock) AS c,
           LATERAL (SELECT s.paused_at IS NOT NULL
                       AND (s.paused_until IS NULL OR s.paused_until > now()) AS paused) AS p,
           LATERAL (SELECT COALESCE(CASE WHEN s.quiet_from <= s.quiet_until
                       THEN c.clock::time >= s.quiet_from AND c.clock::time < s.quiet_until
                       ELSE c.clock::time >= s.quiet_from OR c.clock::time < s.quiet_until END, false) AS quiet) AS q
$$;
"""
# The former fetch becomes `filmroll_take_job`, and this one leaves out what is held or full. A limit holds over
# all workers: who fetches from a limited queue does so one after the other, by a lock that ends with the fetch.
FETCH = """
ALTER FUNCTION filmroll_fetch_job(varchar[], bigint) RENAME TO filmroll_take_job;
CREATE FUNCTION filmroll_fetch_job(_queues varchar[], _worker bigint)
    RETURNS TABLE (job procrastinate_jobs, attempt bigint, run int, due_in float) LANGUAGE plpgsql AS $$
DECLARE
    _gate record;
    _taken record;
    _opens timestamptz;
    _newest varchar[] := '{}';
BEGIN
    FOR _gate IN SELECT g.* FROM filmroll_gates() AS g WHERE g.queue = ANY(_queues) ORDER BY g.queue LOOP
        IF _gate.held_by <> '' THEN
            _queues := array_remove(_queues, _gate.queue::varchar);
            _opens := LEAST(_opens, NULLIF(_gate.held_until, 'infinity'));
            CONTINUE;
        END IF;
        IF _gate.concurrency IS NOT NULL THEN
            PERFORM pg_advisory_xact_lock(hashtextextended('jobs of ' || _gate.queue, 0));
            IF (SELECT count(*) FROM procrastinate_jobs AS j
                 WHERE j.status = 'doing' AND j.queue_name = _gate.queue) >= _gate.concurrency THEN
                _queues := array_remove(_queues, _gate.queue::varchar);
                CONTINUE;
            END IF;
        END IF;
        IF _gate.newest_first THEN
            _newest := _newest || _gate.queue::varchar;
        END IF;
    END LOOP;
    IF _newest <> '{}' THEN
        PERFORM filmroll_bring_newest_forward(_newest, _queues);
    END IF;
    SELECT t.job AS j, t.attempt AS a, t.run AS r, t.due_in AS d INTO _taken
      FROM filmroll_take_job(_queues, _worker) AS t;
    job := _taken.j;
    attempt := _taken.a;
    run := _taken.r;
    due_in := _taken.d;
    IF (job).id IS NULL AND _opens IS NOT NULL THEN
        due_in := LEAST(due_in, GREATEST(0, extract(epoch FROM _opens - clock_timestamp())));
    END IF;
    RETURN NEXT;
END $$;

-- Newest first: the newest of the jobs that are the most urgent of their queue goes one step ahead of the others.
CREATE FUNCTION filmroll_bring_newest_forward(_newest varchar[], _queues varchar[]) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    _queue varchar;
    _first record;
    _last bigint;
BEGIN
    FOREACH _queue IN ARRAY _newest LOOP
        SELECT j.id, j.priority INTO _first FROM procrastinate_jobs AS j
         WHERE j.status = 'todo' AND j.queue_name BETWEEN _queue AND _queue
           AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())
         ORDER BY j.queue_name, j.priority DESC, j.id LIMIT 1;
        CONTINUE WHEN _first.id IS NULL OR _first.priority % 10 = 1;
        SELECT j.id INTO _last FROM procrastinate_jobs AS j
         WHERE j.status = 'todo' AND j.queue_name BETWEEN _queue AND _queue AND j.priority = _first.priority
           AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())
         ORDER BY j.queue_name DESC, j.priority, j.id DESC LIMIT 1 FOR UPDATE SKIP LOCKED;
        UPDATE procrastinate_jobs SET priority = priority + 1 WHERE id = _last AND status = 'todo';
    END LOOP;
END $$;

-- A slot of a limited queue is free again: workers that were left out are told. Else this is as it was.
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
BEFORE = """
CREATE OR REPLACE FUNCTION filmroll_forget_worker() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.worker_id := NULL;
    RETURN NEW;
END $$;
DROP FUNCTION filmroll_fetch_job(varchar[], bigint);
DROP FUNCTION filmroll_bring_newest_forward(varchar[], varchar[]);
ALTER FUNCTION filmroll_take_job(varchar[], bigint) RENAME TO filmroll_fetch_job;
DROP FUNCTION filmroll_gates();
"""


class Migration(migrations.Migration):
    dependencies = [("workers", "0004_rolled_up")]
    operations = [
        migrations.CreateModel(
            name="QueueSetting",
            fields=[
                ("queue", models.TextField(primary_key=True, serialize=False)),
                ("paused_at", models.DateTimeField(null=True)),
                ("paused_by", models.TextField(db_default="")),
                ("paused_reason", models.TextField(db_default="")),
                ("paused_until", models.DateTimeField(null=True)),
                ("concurrency", models.IntegerField(null=True)),
                ("quiet_from", models.TimeField(null=True)),
                ("quiet_until", models.TimeField(null=True)),
                ("zone", models.TextField(db_default="UTC")),
                ("newest_first", models.BooleanField(db_default=False)),
            ],
            options={"db_table": "job_queue_setting"},
        ),
        migrations.AddField(model_name="jobaction", name="subject", field=models.TextField(db_default="")),
        migrations.RunSQL(GATES + FETCH, BEFORE),
    ]
