"""`/jobs/stream`: tells a page or a program that jobs changed; what changed is fetched."""

import time

from asgiref.sync import sync_to_async
from django.db import DatabaseError, close_old_connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_GET

from core.web.live import HEARTBEAT_SECONDS, JOBS, PHOTOS, stream
from events import listener
from workers.console import sharing
from workers.console.sql import one
from workers.presence import LOCK_CLASS

# Each change of a job's state leaves an event, each act of a person its note, and both have numbers that rise.
# A worker that was killed tells nobody, but its lock is gone.
_VERSION = """
SELECT (COALESCE((SELECT max(id) FROM procrastinate_events), 0)
      + COALESCE((SELECT max(id) FROM job_action), 0)) * 1000
     + (SELECT count(*) FROM pg_locks AS l WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
           AND l.classid = %(lock_class)s::oid
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())) %% 1000 AS version
"""
# A job is claimed and has failed within milliseconds: told together, it is fetched once and not twice.
_GATHER_SECONDS = 0.04
_known: tuple[float, int | None] = (0.0, None)


@require_GET
async def jobs_stream(request: HttpRequest) -> HttpResponseBase:
    """Server-sent events for staff: `jobs`, `photos`, and every 15 quiet seconds `version` with a number."""
    account = await request.auser()
    if not account.is_authenticated:
        return HttpResponse(status=401)
    if not account.is_staff:
        return HttpResponse(status=403)
    sharing.hear_with(listener.shared())
    return await stream(PHOTOS | JOBS, version, _GATHER_SECONDS)


async def version() -> int | None:
    """A number that is another one after any change; asked once in a while for all streams of this process."""
    global _known
    if time.monotonic() - _known[0] >= HEARTBEAT_SECONDS / 2:
        # Noted before the answer is there: the other streams need not ask too.
        asked, before = time.monotonic(), _known[1]
        _known = (asked, before)
        _known = (asked, await sync_to_async(_read, thread_sensitive=False)())
        if _known[1] != before:
            sharing.notice()
    return _known[1]


def _read() -> int | None:
    try:
        return int(one(_VERSION, {"lock_class": LOCK_CLASS})["version"])
    except DatabaseError:
        return None
    finally:
        close_old_connections()
