"""A person's own dates of note: days of the year with a name, added and taken away."""

from datetime import date
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from core.commands import occasions as commands
from core.domain.edits import BadValue
from core.domain.occasions import NoSuchDate
from core.readmodels.occasions import NamedDate, named_date, named_dates
from core.web.access import Request, actor_of, signed_in
from core.web.search import address_of

MONTHS = [date(2000, month, 1).strftime("%B") for month in range(1, 13)]


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def dates_page(request: Request) -> HttpResponse:
    """One's own dates; a POST adds one."""
    refused = ""
    if request.method == "POST":
        try:
            _add(request)
            return redirect("dates")
        except BadValue as error:
            refused = str(error)
    context = {
        "dates": [(one, _day(one), address_of([("date", str(one.id))])) for one in named_dates(request.user)],
        "months": list(enumerate(MONTHS, 1)),
        "refused": refused,
        "given": request.POST,
    }
    return render(request, "dates/dates.html", context, status=422 if refused else 200)


@require_POST
@signed_in
def forget(request: Request, date_id: UUID) -> HttpResponse:
    """Take a name away."""
    try:
        commands.forget_date(named_date(request.user, date_id).id, actor=actor_of(request))
    except NoSuchDate as error:
        raise Http404("There is no such date.") from error
    return redirect("dates")


def _add(request: Request) -> None:
    name, since = request.POST.get("name", ""), request.POST.get("since", "").strip()
    numbers = [request.POST.get(part, "") for part in ("month", "day")]
    if not all(one.isascii() and one.isdigit() and len(one) < 5 for one in (*numbers, since or "1")):
        raise BadValue("A date has a day, a month and, if you like, a year.")
    month, day = map(int, numbers)
    year = int(since) if since else None
    commands.name_date(request.user.pk, name, month, day, year, actor=actor_of(request))


def _day(one: NamedDate) -> str:
    since = f", since {one.since}" if one.since else ""
    return f"{one.day} {MONTHS[one.month - 1]}{since}"
