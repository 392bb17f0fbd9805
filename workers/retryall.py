"""The failures page's "Retry all": in the background, as an operation that can be cancelled."""

import contextlib
import time
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.accounts import Account
from core.commands.failures import retry_failure
from core.domain.photos import NothingToRetry, PhotoNotFound
from core.readmodels.failures import Failure, failures_for
from events.pulse import pulse
from workers.actions import PULSE_CHANNEL
from workers.models import JobAction, Operation
from workers.queue import defer

TASK, QUEUE, ACT = "retry_failures", "operations", "retry failures"
_SLICE_SECONDS = 5.0
_AT_A_TIME = 50
_RATE = 200


def retry_all(account: Account, actor: str) -> int:
    """Have a worker try again what has failed for this account up to now; how much that is."""
    now = timezone.now()
    total = _left(account, now).count()
    if not total:
        return 0
    scope = f"failed photos and files of {account.get_username()}"
    with transaction.atomic():
        one = Operation.objects.create(
            act=ACT, actor=actor, scope=scope, rate=_RATE, canary=0, total=total, created_at=now
        )
        told = {"action": ACT, "subject": f"operation {one.id}", "reason": f"{total:,} failures", "at": now}
        JobAction.objects.create(job_id=0, actor=account.get_username(), **told)
        _hand_on(one.id, str(account.pk))
    return total


def retry_slice(operation: int, account: str, after: str = "") -> None:
    """Go on for some seconds behind this failure, at the operation's rate, and hand the rest on."""
    asker = Account.objects.get(pk=UUID(account))
    began, taken, last = time.monotonic(), 0, UUID(after) if after else UUID(int=0)
    while True:
        one = Operation.objects.get(id=operation)
        if one.state != "running":
            return
        found = list(_left(asker, one.created_at).filter(id__gt=last).order_by("id")[:_AT_A_TIME])
        if not found:
            _end(operation)
            return
        for failure in found:
            _retry(operation, failure)
        last, taken = found[-1].id, taken + len(found)
        if time.monotonic() - began > _SLICE_SECONDS:
            _hand_on(operation, account, str(last))
            return
        time.sleep(max(0.0, began + taken / one.rate - time.monotonic()))


def _retry(operation: int, failure: Failure) -> None:
    with transaction.atomic():
        one = Operation.objects.select_for_update().get(id=operation)
        if one.state != "running":
            return
        done = False
        with contextlib.suppress(NothingToRetry, PhotoNotFound):
            retry_failure(failure, actor=one.actor)
            done = True
        one.done, one.skipped = one.done + done, one.skipped + (not done)
        one.save(update_fields=["done", "skipped"])
        pulse(PULSE_CHANNEL)


def _left(account: Account, until: datetime) -> QuerySet[Failure]:
    return failures_for(account).filter(retrying=False, failed_at__lte=until)


def _hand_on(operation: int, account: str, after: str = "") -> None:
    args = {"operation": operation, "account": account, "after": after}
    defer(TASK, args=args, queue=QUEUE, priority=90)


def _end(operation: int) -> None:
    Operation.objects.filter(id=operation, state="running").update(state="done", ended_at=timezone.now())
    pulse(PULSE_CHANNEL)
