"""What failed and what is not shown: in words for the photos' owner, with what can be done about it."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from core.commands import failures as commands
from core.domain.photos import NothingToRetry
from core.readmodels.failures import Failure, FailureNotFound, failure_for, failures_for
from core.readmodels.files import skipped_files, skipped_groups
from core.readmodels.photos import Photo, missing_photos, visible_photos
from core.web.access import Request, actor_of, signed_in

PAGE = 50
_STEPS = {"import": "Reading the file", "previews": "Preview", "labels": "Things in it"}


@dataclass(frozen=True, slots=True)
class Row:
    """A failure as the page shows it, with its photo where the picture can be shown all the same."""

    failure: Failure
    photo: Photo | None

    @property
    def place(self) -> str:
        """Where the file lies; for an upload, which lies under a hash, that it is one."""
        own = self.failure.path.rpartition("/")[2] == self.failure.name
        return self.failure.path if own else "Uploaded"

    @property
    def step_words(self) -> str:
        return _STEPS.get(self.failure.step, self.failure.step)


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def failures_page(request: Request) -> HttpResponse:
    """Failures, newest first; those set aside on a page of their own."""
    aside = "aside" in request.GET
    found = failures_for(request.user, set_aside=aside)
    page = list(_behind(found, request.GET.get("before", ""))[: PAGE + 1])
    context = {
        "rows": _rows(request, page[:PAGE]),
        "next": f"{page[PAGE - 1].failed_at.isoformat()}~{page[PAGE - 1].id}" if len(page) > PAGE else "",
        "aside": aside,
        "retrying": _number(request.GET.get("retrying", "")),
    }
    if request.htmx:
        return render(request, "failures/_rows.html", context)
    return render(request, "failures/failures.html", context | tab_counts(request))


@require_POST
@signed_in
def retry(request: Request, failure_id: UUID) -> HttpResponse:
    """Have one failed step tried again."""
    failure = _failure(request, failure_id)
    # Somebody else may have been quicker: then the row says how it stands.
    with contextlib.suppress(NothingToRetry):
        commands.retry_failure(failure, actor=actor_of(request))
    return _changed(request, failure)


@require_POST
@signed_in
def set_aside(request: Request, failure_id: UUID) -> HttpResponse:
    """Stop reminding of one failure."""
    failure = _failure(request, failure_id)
    with contextlib.suppress(NothingToRetry):  # it may be mended already
        commands.set_aside_failure(failure, actor=actor_of(request))
    return _changed(request, failure)


@require_POST
@signed_in
def retry_all(request: Request) -> HttpResponse:
    """Have everything tried again, in the background, that failed and is not being tried already."""
    begun: int = import_string(settings.RETRY_ALL)(request.user, actor_of(request))
    return redirect(f"{reverse('failures')}?retrying={begun}" if begun else "failures")


@require_safe
@signed_in
def skipped_page(request: Request) -> HttpResponse:
    """The files that are not shown and why, counted; with `code`, the files of one reason by path."""
    code = request.GET.get("code", "")
    files = skipped_files(request.user, code, request.GET.get("after", ""), PAGE + 1) if code else []
    groups = skipped_groups(request.user)
    context = {
        "groups": groups,
        "chosen": next((group for group in groups if group.code == code), None),
        "files": files[:PAGE],
        "next": files[PAGE - 1].path if len(files) > PAGE else "",
    }
    return render(request, "failures/skipped.html", context | tab_counts(request))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _failure(request: Request, failure_id: UUID) -> Failure:
    try:
        return failure_for(request.user, failure_id)
    except FailureNotFound as error:
        raise Http404("There is no such failure.") from error


def _changed(request: Request, before: Failure) -> HttpResponse:
    """The row as it is now; one that was mended meanwhile says so."""
    if not request.htmx:
        return redirect("failures")
    now = Failure.objects.filter(id=before.id).first()
    [row] = _rows(request, [now or before])
    return render(request, "failures/_row.html", {"row": row, "mended": now is None, "changed": True})


def _rows(request: Request, failures: Iterable[Failure]) -> list[Row]:
    known = list(failures)
    ids = [failure.photo_id for failure in known if failure.photo_id]
    photos = visible_photos(request.user).in_bulk(ids)
    return [Row(failure, photos.get(failure.photo_id) if failure.photo_id else None) for failure in known]


def _behind(failures: QuerySet[Failure], cursor: str) -> QuerySet[Failure]:
    if not cursor:
        return failures
    try:
        at_text, _, id_text = cursor.partition("~")
        at, last = datetime.fromisoformat(at_text), UUID(id_text)
    except ValueError as error:
        raise Http404("There is no such place in the list.") from error
    return failures.filter(Q(failed_at__lt=at) | Q(failed_at=at, id__lt=last))


def tab_counts(request: Request) -> dict[str, object]:
    return {
        "failed_count": failures_for(request.user).count(),
        "aside_count": failures_for(request.user, set_aside=True).count(),
        "skipped_count": sum(group.count for group in skipped_groups(request.user)),
        "missing_count": missing_photos(request.user).count(),
    }
