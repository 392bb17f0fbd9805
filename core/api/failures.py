"""Failures for programs: what failed, why, and another try."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.errors import HttpError

from core.api.access import Limit, actor_of, asker
from core.commands.failures import retry_failure
from core.readmodels.failures import Failure, failure_for, failures_for

router = Router(tags=["failures"])


class FailureOut(Schema):
    """A step that ended without a result, of a photo or of a file that never became one."""

    id: UUID
    photo_id: UUID | None
    path: str
    step: str
    code: str
    reason: str
    error_class: str
    job: int | None
    failed_at: datetime
    retrying: bool


class FailuresPage(Schema):
    """Failures newest first; pass `next` as `after` for the following part."""

    failures: list[FailureOut]
    next: UUID | None


@router.get("", response=FailuresPage, summary="What failed, newest first")
def list_failures(request: HttpRequest, after: UUID | None = None, limit: Limit = 100) -> dict[str, Any]:
    """Failures among what the asker may see, those set aside left out."""
    found = failures_for(asker(request))
    if after is not None:
        found = found.filter(_behind(failure_for(asker(request), after)))
    rows = list(found[: limit + 1])
    return {"failures": rows[:limit], "next": rows[limit - 1].id if len(rows) > limit else None}


@router.post("/{failure_id}/retry", response={202: FailureOut}, summary="Try a failed step again")
def retry(request: HttpRequest, failure_id: UUID) -> Status[Failure]:
    """Queues the step again, before the machine's own work."""
    failure = failure_for(asker(request), failure_id)
    if failure.retrying:
        raise HttpError(409, "It is being tried again already.")
    retry_failure(failure, actor=actor_of(request))
    return Status(202, failure_for(asker(request), failure_id))


def _behind(failure: Failure) -> Q:
    return Q(failed_at__lte=failure.failed_at) & (Q(failed_at__lt=failure.failed_at) | Q(id__lt=failure.id))
