"""`/jobs/audit/`: who did what to jobs, queues, schedules, settings and operations; narrowed by the address."""

from datetime import datetime
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.web.access import Request, staff_only
from workers.console.actors import actors_called, names_of
from workers.console.bulk import number_named
from workers.console.pages import answer
from workers.console.search import UnknownFilter, moment_of
from workers.models import JobAction

PAGE = 50
# So many acts are looked at for one page: an operation over a million dead letters leaves a million.
LOOKED = 50_000
KEYS = ("who", "what", "to", "since", "until")


@require_safe
@never_cache
@staff_only
def audit_page(request: Request) -> HttpResponse:
    """Acts, newest first."""
    asked = {key: request.GET.get(key, "").strip().replace("\0", "")[:200] for key in KEYS}
    try:
        found, looked_to = acts(asked, number_named(request.GET, "before", 2**62))
    except UnknownFilter as error:
        return answer(request, "audit", {"mistake": str(error), "asked": asked}, 400)
    kept = {key: value for key, value in asked.items() if value}
    following = found[PAGE - 1].id if len(found) > PAGE else looked_to
    told = {
        "acts": list(zip(found[:PAGE], names_of(act.actor for act in found[:PAGE]), strict=True)),
        "asked": asked,
        "narrowed": bool(kept),
        "known": sorted(set(JobAction.objects.order_by("-id").values_list("action", flat=True)[:2_000])),
        "following": f"?{urlencode({**kept, 'before': following})}" if following else "",
        "searched_only": LOOKED if looked_to and len(found) <= PAGE else 0,
    }
    return answer(request, "audit", told)


def acts(asked: dict[str, str], before: int) -> tuple[list[JobAction], int | None]:
    """A page of acts (one more, if there is one), and the act down to which was looked, if not to the end.

    Raises UnknownFilter.
    """
    newest = JobAction.objects.filter(id__lt=before).order_by("-id")
    if not any(asked.values()):
        return list(newest[: PAGE + 1]), None
    last = newest.values_list("id", flat=True)[LOOKED - 1 : LOOKED].first()
    part = newest if last is None else newest.filter(id__gte=last)
    return list(_narrowed(part, asked)[: PAGE + 1]), last


def _narrowed(found: QuerySet[JobAction], asked: dict[str, str]) -> QuerySet[JobAction]:
    if asked.get("who"):
        found = found.filter(actor__in=actors_called(asked["who"]))
    if asked.get("what"):
        found = found.filter(action=asked["what"])
    if to := asked.get("to", "").removeprefix("job ").removeprefix("#"):
        is_job = to.isascii() and to.isdecimal() and len(to) < 19
        found = found.filter(job_id=int(to)) if is_job else found.filter(subject__icontains=to)
    if asked.get("since"):
        found = found.filter(at__gte=_moment("since", asked["since"]))
    if asked.get("until"):
        found = found.filter(at__lt=_moment("until", asked["until"]))
    return found


def _moment(key: str, text: str) -> datetime:
    return moment_of(key, text, timezone.now())
