"""Who a program speaks for: a key in the Authorization header, or the signed-in browser."""

from typing import Annotated, cast

from django.http import HttpRequest
from ninja.security import HttpBearer, SessionAuth
from pydantic import Field

from core.accounts import Account, account_of_key


class KeyAuth(HttpBearer):
    """`Authorization: Bearer filmroll_…`, made by `manage.py api_key create NAME`."""

    def authenticate(self, request: HttpRequest, token: str) -> Account | None:  # noqa: ARG002  # ninja's signature
        return account_of_key(token)


# How many rows an answer may have.
Limit = Annotated[int, Field(ge=1, le=500)]
# Why something is forgotten, in a few words.
Reason = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
ACCESS = [KeyAuth(), SessionAuth()]


def asker(request: HttpRequest) -> Account:
    """The account behind an authenticated request."""
    return cast(Account, request.auth)  # type: ignore[attr-defined]  # set by ninja


def actor_of(request: HttpRequest) -> str:
    """The name under which events remember who acted."""
    return asker(request).actor
