"""Slows down those who guess passwords.

Failed tries are counted in Django's cache, which is this process's memory: per account name and address,
and per address over all names. An owner who is attacked from elsewhere is not locked out. A restart
forgets the counts, and several web processes count for themselves; both only multiply a small number.
"""

import contextlib
import hashlib

from django.core.cache import cache
from django.http import HttpRequest

TRIES_PER_NAME = 8
TRIES_PER_ADDRESS = 40
SECONDS = 15 * 60


def may_try(request: HttpRequest, name: str) -> bool:
    """Whether this visitor has not failed too often. The try counts as failed until `forget_failures` is called.

    It is counted before the password is looked at: a thousand at once would all come before the first failure.
    """
    counted = [(key, _count(key) <= limit) for key, limit in _limits(request, name)]
    if all(within for _, within in counted):
        return True
    for key, _ in counted:
        _give_back(key)
    return False


def forget_failures(request: HttpRequest, name: str) -> None:
    """The right password was given: the name's count starts anew, the address keeps its failures."""
    (by_name, _), (by_address, _) = _limits(request, name)
    cache.delete(by_name)
    _give_back(by_address)


def _count(key: str) -> int:
    """Count one more. The time runs from the first one."""
    cache.add(key, 0, SECONDS)
    try:
        return cache.incr(key)
    except ValueError:  # its time was over just now
        cache.set(key, 1, SECONDS)
        return 1


def _give_back(key: str) -> None:
    with contextlib.suppress(ValueError):
        cache.decr(key)


def _limits(request: HttpRequest, name: str) -> list[tuple[str, int]]:
    address = request.META.get("REMOTE_ADDR", "")
    pair = hashlib.sha256(f"{name.casefold()}\0{address}".encode()).hexdigest()
    return [(f"signin:{pair}", TRIES_PER_NAME), (f"signin:{address}", TRIES_PER_ADDRESS)]
