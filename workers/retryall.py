"""The failures page's "Retry all": an operation over what has failed for an account."""

import json
from collections.abc import Iterator
from uuid import UUID

from django.db.models import QuerySet

from core.accounts import Account
from core.readmodels.failures import Failure, failures_for
from workers.models import Operation
from workers.operationacts import RETRY_FAILURES
from workers.operations import Terms, Thing, ask_operation

_AT_A_TIME = 1_000
_OF = "failures of"


def retry_all(account: Account, actor: str) -> int:
    """Have a worker try again what has failed for this account up to now; how much that is."""
    total = _left(account).count()
    if total:
        scope = f"failed photos and files of {account.get_username()}"
        wanted = json.dumps({_OF: str(account.pk)})
        ask_operation(Terms(RETRY_FAILURES), wanted, actor, scope)
    return total


def is_over_failures(one: Operation) -> bool:
    """Whether an operation's scope is made of failures, not of jobs."""
    return one.act == RETRY_FAILURES


def failed_things(one: Operation) -> Iterator[list[Thing]]:
    """What had failed for the account when it asked, part by part."""
    account = Account.objects.get(pk=UUID(json.loads(one.wanted)[_OF]))
    left, last = _left(account).filter(failed_at__lte=one.created_at).order_by("id"), UUID(int=0)
    while found := list(left.filter(id__gt=last)[:_AT_A_TIME]):
        yield [Thing(failure.job or 0, str(failure.id), f"{failure.name}: {failure.step}") for failure in found]
        last = found[-1].id


def _left(account: Account) -> QuerySet[Failure]:
    return failures_for(account).filter(retrying=False)
