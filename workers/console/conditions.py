"""What states and search terms are in SQL; `j` is the job, and every value is a parameter."""

from typing import Any

from workers.console.search import Filter, Term
from workers.console.states import State

_DISCARDED = """EXISTS (SELECT 1 FROM job_action AS c
                WHERE c.job_id = j.id AND c.action IN ('discarded', 'superseded')
                AND c.id = (SELECT max(d.id) FROM job_action AS d WHERE d.job_id = j.id))"""
_HELD = "EXISTS (SELECT 1 FROM procrastinate_jobs AS o WHERE o.lock = j.lock AND o.status = 'doing')"
_READY = "j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())"
# `alive` is the list of the ids of live workers.
CONDITIONS: dict[State, str] = {
    State.SCHEDULED: "j.status = 'todo' AND j.scheduled_at > now() AND j.attempts = 0",
    State.RETRYING: "j.status = 'todo' AND j.scheduled_at > now() AND j.attempts > 0",
    State.READY: f"{_READY} AND (j.lock IS NULL OR NOT {_HELD})",
    State.BLOCKED: f"{_READY} AND j.lock IS NOT NULL AND {_HELD}",
    State.RUNNING: "j.status = 'doing' AND j.worker_id = ANY(%(alive)s)",
    State.STUCK: "j.status = 'doing' AND (j.worker_id IS NULL OR j.worker_id <> ALL(%(alive)s))",
    State.SUCCEEDED: "j.status = 'succeeded'",
    State.DEAD: "j.status = 'failed'",
    State.RESOLVED: f"j.status = 'cancelled' AND {_DISCARDED}",
    State.CANCELLED: f"j.status = 'cancelled' AND NOT {_DISCARDED}",
    State.STOPPED: "j.status = 'aborted'",
}
# Words that stand in the terms below for longer ones.
_NEWEST = "(SELECT b.* FROM job_attempt AS b WHERE b.job_id = j.id ORDER BY b.number DESC LIMIT 1) AS a"
_SAYS = "position(lower({value}) in lower(a.error_class || ' ' || a.message || ' ' || a.reason)) > 0"
_TERMS: dict[str, str] = {
    "queue": "j.queue_name = {value}",
    "task": "j.task_name = {value}",
    "photo": "j.args ->> 'photo' = {value}",
    "worker": """EXISTS (SELECT 1 FROM job_attempt AS a WHERE a.job_id = j.id
                 AND {value} IN (a.worker, a.host, a.worker || '@' || a.host))""",
    "error": """EXISTS (SELECT 1 FROM job_attempt AS a WHERE a.job_id = j.id AND a.error_class <> ''
                AND ({value} IN (a.error_code, a.error_kind, a.fingerprint) OR {says}))""",
    # When something last happened to a job; one that has never run has its due time or none.
    "since": "COALESCE((SELECT COALESCE(a.ended_at, a.started_at) FROM {newest}), j.scheduled_at) >= {value}",
    "before": "COALESCE((SELECT COALESCE(a.ended_at, a.started_at) FROM {newest}), j.scheduled_at) < {value}",
    # As the job's page counts: a run that only waited for the world is none.
    "attempts": """j.attempts - CASE WHEN j.attempts > 0 THEN filmroll_waits(j.id) ELSE 0 END
                   {compared} {value}""",
    "run": """EXISTS (SELECT 1 FROM {newest} WHERE
              extract(epoch FROM COALESCE(a.ended_at, clock_timestamp()) - a.started_at) {compared} {value})""",
    # A word by itself: the number of a job, a part of its file's path, or of what its newest attempt says.
    "": """(j.id::text = ltrim({value}, '#') OR position(lower({value}) in lower(j.args ->> 'path')) > 0
            OR EXISTS (SELECT 1 FROM {newest} WHERE {says}))""",
}


def where_state(wanted: Filter) -> str:
    """The condition of the filter's state."""
    return f"({CONDITIONS[wanted.state]})" if wanted.state else "true"


def where_terms(wanted: Filter) -> tuple[str, dict[str, Any]]:
    """The condition of the filter's terms, and its parameters."""
    parts, parameters = [], {}
    for number, term in enumerate(wanted.terms):
        condition, values = _condition(term, f"term{number}")
        # A comparison with nothing is neither true nor false; without it means all the others.
        parts.append(f"({condition}) IS NOT TRUE" if term.without else f"({condition})")
        parameters.update(values)
    return " AND ".join(parts) or "true", parameters


def _condition(term: Term, name: str) -> tuple[str, dict[str, Any]]:
    if term.key == "state":
        return CONDITIONS[term.value], {}
    if term.key.startswith("arg."):
        # A value that stands for itself, or with * for any letters.
        pattern = term.value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
        values = {name: pattern, f"{name}_path": term.key.removeprefix("arg.").split(".")}
        return f"j.args #>> %({name}_path)s::text[] LIKE %({name})s", values
    value = f"%({name})s"
    words = {"value": value, "compared": term.compared, "newest": _NEWEST, "says": _SAYS.format(value=value)}
    return _TERMS[term.key].format(**words), {name: term.value}
