"""`/jobs/operations/` and `/jobs/audit/`: acts on many jobs with their progress, and who did what."""

from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.web.access import Request
from workers.console.access import staff_only
from workers.console.pages import answer
from workers.models import JobAction, Operation
from workers.operations import cancel_operation

PAGE = 50


@require_safe
@never_cache
@staff_only
def operations_page(request: Request) -> HttpResponse:
    """Acts on many jobs, newest first."""
    found = list(Operation.objects.filter(id__lt=_before(request)).order_by("-id")[: PAGE + 1])
    following = f"?before={found[PAGE - 1].id}" if len(found) > PAGE else ""
    return answer(request, "operations", {"operations": found[:PAGE], "following": following})


@require_POST
@staff_only
def cancel(request: Request, operation_id: int) -> HttpResponse:
    """Stop an operation where it is."""
    done = cancel_operation(operation_id, request.user.get_username())
    return HttpResponseRedirect(f"/jobs/operations/?said={'Cancelled.' if done else 'It had ended before.'}")


@require_safe
@never_cache
@staff_only
def audit_page(request: Request) -> HttpResponse:
    """Who did what to jobs, queues and operations, newest first."""
    found = list(JobAction.objects.filter(id__lt=_before(request)).order_by("-id")[: PAGE + 1])
    following = f"?before={found[PAGE - 1].id}" if len(found) > PAGE else ""
    return answer(request, "audit", {"acts": found[:PAGE], "following": following})


def _before(request: Request) -> int:
    text = request.GET.get("before", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 2**62
