"""Slows down those who guess passwords.

Failed tries are counted in Django's cache, which is this process's memory: per account name and address,
and per address over all names. An owner who is attacked from elsewhere is not locked out. A restart
forgets the counts, and several web processes count for themselves; both only multiply a small number.
"""

import hashlib

from django.core.cache import cache
from django.http import HttpRequest

TRIES_PER_NAME = 8
TRIES_PER_ADDRESS = 40
SECONDS = 15 * 60


def is_held_off(request: HttpRequest, name: str) -> bool:
    """Whether this visitor has failed too often; asked before the password is looked at."""
    return any(cache.get(key, 0) >= limit for key, limit in _limits(request, name))


def count_failure(request: HttpRequest, name: str) -> None:
    """Remember a failed try. The time runs from the first one."""
    for key, _ in _limits(request, name):
        if not cache.add(key, 1, SECONDS):
            cache.incr(key)


def forget_failures(request: HttpRequest, name: str) -> None:
    """The right password was given: the name's count starts anew, the address keeps its own."""
    cache.delete(_limits(request, name)[0][0])


def _limits(request: HttpRequest, name: str) -> list[tuple[str, int]]:
    address = request.META.get("REMOTE_ADDR", "")
    pair = hashlib.sha256(f"{name.casefold()}\0{address}".encode()).hexdigest()
    return [(f"signin:{pair}", TRIES_PER_NAME), (f"signin:{address}", TRIES_PER_ADDRESS)]
