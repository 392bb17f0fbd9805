"""Health of the work for machines: `/jobs/health` (listener, workers, sweep) and `/jobs/metrics`.

Health is open to all: who watches over servers has no sign-in. It tells counts, never names, paths or
errors' text. The metrics say more (queues, how much is done) and are for an administrator's key or sign-in.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.api.access import KeyAuth
from core.readmodels.libraries import all_folders
from core.readmodels.mounts import mounts_away
from events import listener
from workers.console import figures
from workers.console.live import workers
from workers.console.states import State
from workers.watch import WATCHER_NAME

_LISTENS_SECONDS = 3.0


@require_safe
@never_cache
async def health(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """200 when the database answers, notifications arrive, workers live, and no job waits for a sweep."""
    told = await sync_to_async(_signs)()
    told["listener"] = bool(told["database"]) and await _listens()
    ready = told["database"] and told["listener"] and told["workers"] and not told["stuck"]
    return JsonResponse({"ready": bool(ready), **told}, status=200 if ready else 503)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures of the overview as Prometheus reads them, for staff; counts stop at 10,001."""
    asker = KeyAuth()(request) or request.user
    if not asker.is_authenticated:
        return HttpResponse("A key is needed.\n", "text/plain", 401, headers={"WWW-Authenticate": "Bearer"})
    if not asker.is_staff:
        return HttpResponse("This is for administrators.\n", "text/plain", 403)
    return HttpResponse("".join(_lines()), content_type="text/plain; version=0.0.4; charset=utf-8")


def _signs() -> dict[str, Any]:
    try:
        alive = [worker.id for worker in workers() if worker.lives]
        counted = figures.counts(alive)
    except DatabaseError:
        return {"database": False, "workers": 0, "stuck": 0, "watchers": 0, "folders": {}}
    return {
        "database": True,
        "workers": len(alive),
        "stuck": counted[State.STUCK].number,
        "watchers": watchers(),
        "folders": folders(),
    }


def watchers() -> int:
    """How many watchers live: each has one connection that listens."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s",
            [f"{WATCHER_NAME} listener"],
        )
        return int(cursor.fetchone()[0])


def folders() -> dict[str, int]:
    """How many folders there are; how many are offline (or a disk in them), or unwatched against the wish."""
    known = all_folders()
    holed = {mount.folder_id for mount in mounts_away(folder.id for folder in known)}
    return {
        "all": len(known),
        "offline": sum(folder.offline_since is not None or folder.id in holed for folder in known),
        "unwatched": sum(bool(folder.watch_code) for folder in known),
    }


async def _listens() -> bool:
    # The first waking comes once LISTEN is in effect: that the connection is there, and not only was.
    try:
        async with asyncio.timeout(_LISTENS_SECONDS):
            async with listener.shared().subscribe("filmroll_health") as waking:
                await waking.wait()
    except TimeoutError:
        return False
    return True


def _lines() -> Iterator[str]:
    staff = workers()
    queues, flow = figures.queues(staff)
    yield "# HELP filmroll_jobs Jobs by queue and state, finished ones left out.\n# TYPE filmroll_jobs gauge\n"
    for row in queues:
        states = {"ready": row.ready, "running": row.running, "retrying": row.retrying, "dead": row.dead}
        for state, count in states.items():
            yield f'filmroll_jobs{{queue="{_label(row.name)}",state="{state}"}} {count.number}\n'
    yield "# HELP filmroll_workers_alive Live workers, one a lane.\n# TYPE filmroll_workers_alive gauge\n"
    yield f"filmroll_workers_alive {sum(worker.lives for worker in staff)}\n"
    yield "# HELP filmroll_watchers_alive Live watchers.\n# TYPE filmroll_watchers_alive gauge\n"
    yield f"filmroll_watchers_alive {watchers()}\n"
    yield "# HELP filmroll_folders Folders of originals by state.\n# TYPE filmroll_folders gauge\n"
    yield from (f'filmroll_folders{{state="{state}"}} {count}\n' for state, count in folders().items())
    yield "# HELP filmroll_runs_recent Runs that ended in five minutes.\n# TYPE filmroll_runs_recent gauge\n"
    yield f'filmroll_runs_recent{{outcome="done"}} {flow.done}\n'
    yield f'filmroll_runs_recent{{outcome="failed"}} {flow.failed}\n'


def _label(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
