"""Makes a library large: copies its rows in every table, each copy a photo of its own, as if imported."""

from tests.bench.installation import Installation

# For each table what differs in the copies; `n` is the copy's number, `t` the row. Ids follow from the old ones,
# so that the copies' rows point at one another as the originals' do.
_NEW = "md5({0} || ':' || n)::uuid"
_TABLES = {
    "photo": {"id": _NEW.format("t.id"), "sha256": "encode(sha256((t.sha256 || n)::bytea), 'hex')"},
    "photo_file": {
        "id": _NEW.format("t.id"),
        "photo_id": _NEW.format("t.photo_id"),
        "path": "'copy' || n || '/' || t.path",
    },
    "event": {
        "position": "nextval(pg_get_serial_sequence('event', 'position'))",
        "stream_id": "'photo-' || md5(substr(t.stream_id, 7) || ':' || n)::uuid",
        "event_id": _NEW.format("t.event_id"),
    },
    "procrastinate_jobs": {"id": "t.id + n * 10000000"},
    "procrastinate_events": {"id": "t.id + n * 10000000", "job_id": "t.job_id + n * 10000000"},
    "job_attempt": {"id": "t.id + n * 10000000", "job_id": "t.job_id + n * 10000000"},
}
_WHERE = {"event": "t.stream_id LIKE 'photo-%'", "photo_file": "t.photo_id IS NOT NULL"}


def multiply(filmroll: Installation, times: int) -> None:
    """Have every photo so many times, with its events, files, jobs and attempts."""
    for table, changes in _TABLES.items():
        changed = ", ".join(f"'{column}', {value}" for column, value in changes.items())
        # The log's guards and the jobs' recording are off: these rows are copies of what they let pass before.
        filmroll.rows(
            f"""SET session_replication_role = replica;
                INSERT INTO {table} OVERRIDING SYSTEM VALUE
                SELECT (jsonb_populate_record(t, jsonb_build_object({changed}))).*
                  FROM {table} AS t CROSS JOIN generate_series(1, {times - 1}) AS n
                 WHERE {_WHERE.get(table, "true")}"""
        )
    filmroll.rows("VACUUM ANALYZE")
