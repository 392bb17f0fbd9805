"""`/jobs/operations/` and `/jobs/bulk/`: acts on many jobs, asked for, under way, and what came of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.web.access import Request
from workers.console import listing, listpage
from workers.console.access import staff_only
from workers.console.collecting import written_down
from workers.console.figures import MOST
from workers.console.live import workers
from workers.console.pages import answer
from workers.console.search import Filter, UnknownFilter
from workers.console.states import acts_on
from workers.models import Operation, OperationItem
from workers.operations import RATE, ask_operation, cancel_operation

PAGE = 50
_HIGHEST_RATE, _MOST_CANARIES = 10_000, 1_000
_OUTCOMES = {"done": "done", "skipped": "skipped", "open": ""}


class BadOperation(ValueError):
    """An operation that cannot be; the message is for the operator."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How an operation is to be carried out."""

    act: str
    reason: str
    rate: int
    canary: int


@require_safe
@never_cache
@staff_only
def operations_page(request: Request) -> HttpResponse:
    """Acts on many jobs, newest first."""
    found = list(
        Operation.objects.filter(id__lt=number_in(request.GET, "before", 2**62)).order_by("-id")[: PAGE + 1]
    )
    following = f"?before={found[PAGE - 1].id}" if len(found) > PAGE else ""
    return answer(request, "operations", {"operations": found[:PAGE], "following": following})


@require_safe
@never_cache
@staff_only
def operation_page(request: Request, operation_id: int) -> HttpResponse:
    """One operation, and what came of each of its jobs."""
    one = Operation.objects.filter(id=operation_id).first()
    if one is None:
        raise Http404(f"There is no operation {operation_id}.")
    outcome = request.GET.get("outcome", "")
    found = items_of(operation_id, outcome, number_in(request.GET, "after", 0), PAGE + 1)
    kept = {"outcome": outcome} if outcome else {}
    following = f"?{urlencode({**kept, 'after': found[PAGE - 1].position})}" if len(found) > PAGE else ""
    told = {"one": one, "items": found[:PAGE], "outcome": outcome, "following": following, "outcomes": _OUTCOMES}
    return answer(request, "operation", told)


def items_of(operation_id: int, outcome: str, after: int, limit: int) -> list[OperationItem]:
    """Jobs of an operation behind a place, in its order; of one outcome, where it names one."""
    items = OperationItem.objects.filter(operation_id=operation_id, position__gt=after)
    if outcome in _OUTCOMES:
        items = items.filter(outcome=_OUTCOMES[outcome])
    return list(items.order_by("position")[:limit])


@require_safe
@never_cache
@staff_only
def bulk_page(request: Request) -> HttpResponse:
    """An act on all jobs of a search: how many there are, how it is to be done."""
    try:
        wanted = listpage.filter_of(request)
        return answer(request, "bulk", _asked(request, wanted))
    except UnknownFilter as error:
        return answer(request, "bulk", {"mistake": str(error)}, 400)


@require_POST
@staff_only
def start(request: Request) -> HttpResponse:
    """Begin an act on all jobs of a search, in the background."""
    try:
        text, word = request.POST.get("q", ""), request.POST.get("state", "")
        wanted = listpage.filter_from(text, word)
        one = start_bulk(wanted, text, read_terms(request.POST), request.user.get_username())
    except (UnknownFilter, BadOperation) as error:
        asked = {"state": word, "q": text, "said": f"Nothing was begun. {error}"}
        return HttpResponseRedirect(f"/jobs/bulk/?{urlencode(asked)}")
    return HttpResponseRedirect(f"/jobs/operations/{one}/")


def start_bulk(wanted: Filter, text: str, terms: Terms, actor: str) -> int:
    """Begin an act on all jobs of a search; the operation's id. Raises BadOperation."""
    if terms.act not in acts_on(wanted.state):
        raise BadOperation("Choose what to do with them.")
    scope = f"{wanted.state or 'all'} jobs{f' that match “{text}”' if wanted.terms else ''}"
    kept = written_down(wanted.state, text)
    return ask_operation(terms.act, kept, actor, scope, terms.reason, terms.rate, terms.canary)


def read_terms(form: Mapping[str, str]) -> Terms:
    """How it is to be done, from a form. Raises BadOperation."""
    return terms_of(
        form.get("act", ""),
        form.get("reason", ""),
        number_in(form, "rate", RATE),
        number_in(form, "canary", 0),
    )


def terms_of(act: str, reason: str, rate: int, canary: int) -> Terms:
    """Checked terms. Raises BadOperation."""
    if not 1 <= rate <= _HIGHEST_RATE:
        raise BadOperation(f"The rate is from 1 to {_HIGHEST_RATE:,} jobs a second.")
    if not 0 <= canary <= _MOST_CANARIES:
        raise BadOperation(f"At most {_MOST_CANARIES:,} go first.")
    return Terms(act, reason.strip().replace("\0", "")[:300], rate, canary)


@require_POST
@staff_only
def cancel(request: Request, operation_id: int) -> HttpResponse:
    """Stop an operation where it is."""
    done = cancel_operation(operation_id, request.user.get_username())
    return HttpResponseRedirect(f"/jobs/operations/?said={'Cancelled.' if done else 'It had ended before.'}")


def number_in(form: Mapping[str, str], name: str, missing: int) -> int:
    """A number of an address or a form; `missing` for what is none."""
    text = form.get(name, "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else missing


def _asked(request: Request, wanted: Filter) -> dict[str, object]:
    alive = [worker.id for worker in workers() if worker.lives]
    page = listing.page_of(wanted, "", alive, MOST)
    return {
        "wanted": wanted,
        "text": listpage.text_of(request),
        "count": len(page.ids),
        "more": bool(page.next) and not page.searched_only,
        "searched_only": page.searched_only,
        "acts": acts_on(wanted.state),
        "rate": RATE,
    }
