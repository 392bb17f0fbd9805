"""Counts of very many photos are remembered for a while: twenty times as long as the counting took.

So pages and live updates cost a twentieth of one core at most, however large the library is. Up to a hundred
thousand photos everything is counted anew, exactly.
"""

import time
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from django.core.cache import cache

from core.accounts import Account
from core.readmodels.libraries import libraries_of

MANY = 100_000
_TIMES, _MOST_SECONDS = 20, 60.0

T = TypeVar("T")


def remembered(name: str, account: Account, count: Callable[[], T], size: Callable[[T], int]) -> T:
    """What `count` says of an account's photos, now or a little while ago; `size` is how many they are."""
    key = f"counted:{name}:{account.pk}:{account.is_staff}"
    known: tuple[list[UUID], T] | None = cache.get(key)
    # A library that was given to somebody else counts no longer, at once.
    if known is not None and known[0] == _seen_by(account):
        return known[1]
    began = time.monotonic()
    made = count()
    if size(made) > MANY:
        cache.set(key, (_seen_by(account), made), min(_MOST_SECONDS, _TIMES * (time.monotonic() - began)))
    return made


def _seen_by(account: Account) -> list[UUID]:
    return list(libraries_of(account).order_by("id").values_list("id", flat=True))
