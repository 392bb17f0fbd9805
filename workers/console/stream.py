"""`/jobs/stream`: tells a page or a program that jobs changed; what changed is fetched."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_GET

from core.web.live import JOBS, stream


@require_GET
async def jobs_stream(request: HttpRequest) -> HttpResponseBase:
    """Server-sent events named `jobs`, for staff."""
    account = await request.auser()
    if not account.is_authenticated:
        return HttpResponse(status=401)
    if not account.is_staff:
        return HttpResponse(status=403)
    return await stream(JOBS)
