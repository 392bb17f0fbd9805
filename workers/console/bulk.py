"""`/jobs/operations/` and `/jobs/bulk/`: acts on many jobs, asked for, under way, and what came of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.web.access import Request, actor_of, staff_only
from core.web.typed import number_in
from workers.console import listpage
from workers.console.actors import names_of
from workers.console.collecting import Group, group_written_down, page_of, written_down
from workers.console.figures import MOST
from workers.console.live import workers
from workers.console.pages import answer, live_answer
from workers.console.reading import TASK_WORDS, jobs_by_id
from workers.console.search import Filter, UnknownFilter
from workers.console.sql import rows
from workers.console.states import State, acts_on
from workers.models import Attempt, Operation, OperationItem, Outcome
from workers.operations import RATE, Terms, ask_operation, cancel_operation

PAGE = 50
_HIGHEST_RATE, _MOST_CANARIES = 10_000, 1_000
_OUTCOMES = {"done": "done", "skipped": "skipped", "open": ""}


# Of more it is not counted: that would be as many looks into the table of jobs at each change.
_COUNTED = 10_000
_SINCE = """
SELECT count(*) FILTER (WHERE j.status = 'succeeded') AS succeeded,
       count(*) FILTER (WHERE j.status = 'failed') AS dead,
       count(*) FILTER (WHERE j.status IN ('todo', 'doing')) AS open
  FROM job_operation_item AS i JOIN procrastinate_jobs AS j ON j.id = i.job_id
 WHERE i.operation_id = %(operation)s AND i.outcome = 'done'
"""


@dataclass(frozen=True, slots=True)
class Since:
    """Of jobs that were put back, how many have succeeded, are dead again, are still to go."""

    succeeded: int
    dead: int
    open: int


class BadOperation(ValueError):
    """An operation that cannot be; the message is for the operator."""


@require_safe
@never_cache
@staff_only
def operations_page(request: Request) -> HttpResponse:
    """Acts on many jobs, newest first."""
    return live_answer(request, "operations", lambda: _operations(number_named(request.GET, "before", 2**62)))


def _operations(before: int) -> dict[str, object]:
    found = list(Operation.objects.filter(id__lt=before).order_by("-id")[: PAGE + 1])
    following = f"?before={found[PAGE - 1].id}" if len(found) > PAGE else ""
    shown = found[:PAGE]
    by = names_of(one.actor for one in shown)
    return {"operations": list(zip(shown, by, strict=True)), "following": following}


@require_safe
@never_cache
@staff_only
def operation_page(request: Request, operation_id: int) -> HttpResponse:
    """One operation, and what came of each of its jobs."""
    return live_answer(request, "operation", lambda: _operation(request, operation_id))


def _operation(request: Request, operation_id: int) -> dict[str, object]:
    one = Operation.objects.filter(id=operation_id).first()
    if one is None:
        raise Http404(f"There is no operation {operation_id}.")
    outcome = request.GET.get("outcome", "")
    found = items_of(operation_id, outcome, number_named(request.GET, "after", 0), PAGE + 1)
    kept = {"outcome": outcome} if outcome else {}
    following = f"?{urlencode({**kept, 'after': found[PAGE - 1].position})}" if len(found) > PAGE else ""
    known = jobs_by_id([item.job_id for item in found[:PAGE]], workers())
    jobs = {job.id: job for job in known}
    items = [(item, jobs.get(item.job_id)) for item in found[:PAGE]]
    since = _since(one) if one.act == "retry" and 0 < one.done <= _COUNTED else None
    [by] = names_of([one.actor])
    return {"one": one, "by": by, "items": items, "outcome": outcome, "following": following, "since": since}


def _since(one: Operation) -> Since:
    """What has become of the jobs that an operation put back."""
    [row] = rows(_SINCE, {"operation": one.id})
    return Since(**row)


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
    """An act on all jobs of a search, or of a group of dead letters: how many there are, how it is to be done."""
    try:
        group = group_in(request.GET)
        return answer(request, "bulk", _asked(group or listpage.filter_of(request), request))
    except UnknownFilter as error:
        return answer(request, "bulk", {"mistake": str(error)}, 400)


@require_POST
@staff_only
def start(request: Request) -> HttpResponse:
    """Begin an act on all of them, in the background."""
    text, word, group = request.POST.get("q", ""), request.POST.get("state", ""), group_in(request.POST)
    try:
        terms, actor = read_terms(request.POST), actor_of(request)
        if group:
            one = start_on_group(group, terms, actor)
        else:
            one = start_bulk(listpage.filter_from(text, word), text, terms, actor)
    except (UnknownFilter, BadOperation) as error:
        asked = {"task": group.task, "kind": group.fingerprint} if group else {"state": word, "q": text}
        return HttpResponseRedirect(f"/jobs/bulk/?{urlencode({**asked, 'said': f'Nothing was begun. {error}'})}")
    return HttpResponseRedirect(f"/jobs/operations/{one}/")


def start_bulk(wanted: Filter, text: str, terms: Terms, actor: str) -> int:
    """Begin an act on all jobs of a search; the operation's id. Raises BadOperation."""
    _check_act(terms, wanted.state)
    scope = f"{wanted.state or 'all'} jobs{f' that match “{text}”' if wanted.terms else ''}"
    return ask_operation(terms, written_down(wanted.state, text), actor, scope)


def start_on_group(group: Group, terms: Terms, actor: str) -> int:
    """Begin an act on all dead letters of a kind; the operation's id. Raises BadOperation."""
    _check_act(terms, State.DEAD)
    return ask_operation(terms, group_written_down(group), actor, words_of(group))


def words_of(group: Group) -> str:
    """A group as operations name it: by its error's code, of which there may be several kinds."""
    dead = Attempt.objects.filter(
        task=group.task, fingerprint=group.fingerprint, outcome=Outcome.DEAD, resolved=False
    )
    code = dead.values_list("error_code", flat=True).first() or "error"
    return f"dead letters of {TASK_WORDS.get(group.task, group.task)}, {code} {group.fingerprint[:6]}"


def group_in(form: Mapping[str, str]) -> Group | None:
    """The group of dead letters that an address or a form names: by its `task` and the `kind` of its error."""
    task, kind = (form.get(name, "").replace("\0", "")[:200] for name in ("task", "kind"))
    return Group(task, kind) if kind else None


def _check_act(terms: Terms, state: State | None) -> None:
    if terms.act not in acts_on(state):
        raise BadOperation("Choose what to do with them.")


def read_terms(form: Mapping[str, str]) -> Terms:
    """How it is to be done, from a form. Raises BadOperation."""
    return terms_of(
        form.get("act", ""),
        form.get("reason", ""),
        number_named(form, "rate", RATE),
        number_named(form, "canary", 0),
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
    done = cancel_operation(operation_id, actor_of(request), request.user.get_username())
    return HttpResponseRedirect(f"/jobs/operations/?said={'Cancelled.' if done else 'It had ended before.'}")


def number_named(form: Mapping[str, str], name: str, missing: int) -> int:
    """A number of an address or a form; `missing` for what is none."""
    said = number_in(form.get(name, "").strip(), digits=18)
    return missing if said is None else said


def _asked(wanted: Filter | Group, request: Request) -> dict[str, object]:
    alive = [worker.id for worker in workers() if worker.lives]
    page = page_of(wanted, "", alive, MOST)
    group = wanted if isinstance(wanted, Group) else None
    state = State.DEAD if isinstance(wanted, Group) else wanted.state
    text = "" if group else listpage.text_of(request)
    kept = {"task": group.task, "error": group.fingerprint} if group else {"state": state or "", "q": text}
    return {
        "state": state,
        "group": group,
        "title": f"All {words_of(group)}" if group else "",
        "back": f"/jobs/{'dead' if group else 'list'}/?{urlencode(kept)}",
        "text": text,
        "count": len(page.ids),
        "more": bool(page.next) and not page.searched_only,
        "searched_only": page.searched_only,
        "acts": acts_on(state),
        "rate": RATE,
    }
