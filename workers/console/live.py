"""Which workers live, told by the locks that they hold."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.web.words import size
from workers.console.sql import rows
from workers.presence import LOCK_CLASS

# A worker without a lock (of another kind than ours) is believed for as long as its heartbeat is this fresh.
_BELIEVED_SECONDS = 180


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One lane of one worker process."""

    id: int
    name: str
    host: str
    pid: int | None
    version: str
    queue_version: str
    memory: int | None
    queues: tuple[str, ...]
    concurrency: int
    waiting: dict[str, str]
    started_at: datetime | None
    ended_at: datetime | None
    heartbeat: datetime | None
    lives: bool
    jobs: tuple[int, ...] = ()

    @property
    def memory_words(self) -> str:
        return "\N{EN DASH}" if self.memory is None else size(self.memory)

    @property
    def why_waiting(self) -> list[str]:
        """Why queues are not served, each reason once."""
        return sorted(set(self.waiting.values()))

    def serves(self, queue: str) -> bool:
        return self.lives and queue in self.queues and queue not in self.waiting


_WORKERS = """
SELECT COALESCE(w.id, info.worker_id) AS id, COALESCE(info.name, 'worker') AS name,
       COALESCE(info.host, '') AS host, info.pid, COALESCE(info.version, '') AS version,
       COALESCE(info.queue_version, '') AS queue_version, info.memory,
       info.queues::text AS queues,
       COALESCE(info.concurrency, 1) AS concurrency,
       info.waiting::text AS waiting, info.started_at, info.ended_at, w.last_heartbeat AS heartbeat,
       w.id IS NOT NULL AND (
           EXISTS (SELECT 1 FROM pg_locks AS l
                    WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %(lock_class)s::oid
                      AND l.objid = w.id::int::oid AND l.objsubid = 2
                      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
           OR (info.worker_id IS NULL AND w.last_heartbeat > now() - make_interval(secs => %(believed)s))
       ) AS lives,
       ARRAY(SELECT j.id FROM procrastinate_jobs AS j WHERE j.status = 'doing' AND j.worker_id = w.id
              ORDER BY j.id) AS jobs
  FROM procrastinate_workers AS w FULL JOIN worker_info AS info ON info.worker_id = w.id
 WHERE w.id IS NOT NULL OR info.ended_at > now() - interval '1 day'
 ORDER BY lives DESC, name, id DESC LIMIT 200
"""


def workers() -> list[WorkerRow]:
    """Workers that live, then those that ended within a day."""
    return [_worker(row) for row in rows(_WORKERS, {"lock_class": LOCK_CLASS, "believed": _BELIEVED_SECONDS})]


def _worker(row: dict[str, Any]) -> WorkerRow:
    return WorkerRow(
        **{
            **row,
            "queues": tuple(json.loads(row["queues"] or "[]")),
            "waiting": json.loads(row["waiting"] or "{}"),
            "jobs": tuple(row["jobs"]),
        }
    )
