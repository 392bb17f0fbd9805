"""Who follows the log of events and lags behind: for machines as JSON, and the buttons that let them go on."""

from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.api.access import KeyAuth
from core.web.access import Request, staff_only
from events.errors import SubscriptionError
from events.lag import Holder, Lag, fence_holder, lag
from events.subscriptions import resume, resume_stream
from workers.console.doing import back_with

_log = structlog.get_logger(__name__)


@require_safe
@never_cache
def followers(request: HttpRequest) -> HttpResponse:
    """Each subscription with what ails it, and the transaction that holds readers back; for staff.

    Errors may quote what an event says, and streams name photos: nothing for strangers.
    """
    asker = KeyAuth()(request) or request.user
    if not asker.is_authenticated:
        return HttpResponse("A key is needed.\n", "text/plain", 401, headers={"WWW-Authenticate": "Bearer"})
    if not asker.is_staff:
        return HttpResponse("This is for administrators.\n", "text/plain", 403)
    holder = fence_holder()
    told = {"subscriptions": [_told(one) for one in lag()], "held_back_by": holder and _who(holder)}
    return JsonResponse(told)


@require_POST
@staff_only
def resume_one(request: Request) -> HttpResponse:
    """Let a halted subscription try again from where it stands."""
    name = request.POST.get("name", "")
    count = resume(name)
    _log.info("a subscription was resumed", subscription=name, halted=count, actor=request.user.get_username())
    return back_with(request, f"{name} goes on." if count else f"{name} had not halted: nothing was done.")


@require_POST
@staff_only
def resume_parked(request: Request) -> HttpResponse:
    """Let a subscription take up a stream again that it has set aside."""
    name, stream = request.POST.get("name", ""), request.POST.get("stream", "")
    try:
        resume_stream(name, stream)
    except SubscriptionError as error:
        return back_with(request, f"Nothing was done: {error}.")
    _log.info("a stream was resumed", subscription=name, stream=stream, actor=request.user.get_username())
    return back_with(request, f"{name} takes up {stream} again.")


def _told(one: Lag) -> dict[str, Any]:
    return {
        "name": one.name,
        "partition": one.partition,
        "state": one.state,
        "error": one.error,
        "events_behind": one.behind,
        "seconds_behind": round(one.seconds, 1),
        "parked_streams": list(one.parked),
        "runner_pid": one.runner,
    }


def _who(holder: Holder) -> dict[str, Any]:
    return {
        "pid": holder.pid,
        "application": holder.application,
        "since": holder.began,
        "prepared": holder.prepared,
    }
