"""`/jobs/queues/`: each queue with what waits in it, what holds it, and what an operator can set on it."""

from dataclasses import dataclass
from datetime import time, timedelta

from django.http import HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.web.access import Request, actor_of, staff_only
from workers.console import figures
from workers.console.actors import named_holds
from workers.console.live import workers
from workers.console.pages import live_answer
from workers.models import QueueSetting
from workers.queuesettings import (
    BadSetting,
    Hold,
    nothing_set,
    pause_queue,
    queue_settings,
    resume_queue,
    tune_queue,
)

_NAME_LETTERS = 128
_PAUSES = {"": None, "1h": timedelta(hours=1), "8h": timedelta(hours=8), "1d": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Line:
    """A queue as the page shows it."""

    row: figures.QueueRow
    setting: QueueSetting
    hold: Hold | None


@require_safe
@never_cache
@staff_only
def queues_page(request: Request) -> HttpResponse:
    """What waits where, and why."""
    return live_answer(request, "queues", _lines)


def _lines() -> dict[str, list[Line]]:
    found, _ = figures.queues(workers(), figures.ON_PAGES)
    known, held = queue_settings(), named_holds()
    lines = [Line(row, known.get(row.name) or nothing_set(row.name), held.get(row.name)) for row in found]
    return {"lines": lines}


@require_POST
@staff_only
def set_queue(request: Request) -> HttpResponse:
    """Pause, resume or tune the queue named in the form."""
    queue, actor = request.POST.get("queue", "").strip(), actor_of(request)
    try:
        if not queue or len(queue) > _NAME_LETTERS or "\0" in queue:
            raise BadSetting("Choose a queue.")
        said = _apply(request, queue, actor)
    except BadSetting as error:
        said = f"Nothing was changed. {error}"
    return HttpResponseRedirect(f"/jobs/queues/?{urlencode({'said': said})}")


def _apply(request: Request, queue: str, actor: str) -> str:
    match request.POST.get("act"):
        case "pause":
            length = _PAUSES.get(request.POST.get("length", ""))
            reason = request.POST.get("reason", "").strip().replace("\0", "")
            pause_queue(queue, actor, reason, timezone.now() + length if length else None)
            return f"{queue} is paused: what runs goes on, nothing new is started."
        case "resume":
            resume_queue(queue, actor)
            return f"{queue} goes on."
        case "tune":
            limit, quiet = _limit(request), _quiet(request)
            zone = request.POST.get("zone", "").strip() or "UTC"
            tune_queue(queue, actor, limit, quiet, zone, "newest" in request.POST)
            return f"The settings of {queue} hold now."
        case _:
            raise BadSetting("There is no such act.")


def _limit(request: Request) -> int | None:
    text = request.POST.get("concurrency", "").strip()
    if text and not (text.isdecimal() and len(text) < 6):
        raise BadSetting("The limit is a whole number, or empty for none.")
    return int(text) if text else None


def _quiet(request: Request) -> tuple[time, time] | None:
    start, end = request.POST.get("quiet_from", ""), request.POST.get("quiet_until", "")
    if not start and not end:
        return None
    try:
        return time.fromisoformat(start), time.fromisoformat(end)
    except ValueError:
        raise BadSetting("Quiet hours need a beginning and an end, like 22:00 and 06:30.") from None
