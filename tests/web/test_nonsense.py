"""Whatever a program sends to the API, it is answered, refused or not found: no nonsense breaks anything.

Each field of each operation, as the API describes them, gets in turn what nobody would send.
"""

import logging
from collections.abc import Iterator

import pytest
from django.db import transaction
from django.test import Client

from core.accounts import Account
from tests.web.addresses import Known, operations
from tests.web.test_every_address import known

__all__ = ["known"]  # a fixture
pytestmark = [pytest.mark.django_db, pytest.mark.slow]

TEXTS = ["a\0b", "\ud800", "x" * 5000, "9" * 5000, "-1", "\N{SUPERSCRIPT TWO}", "0~x", "1e400", "NaN"]
NUMBERS = [-1, 2**31, 2**63, 10**30, 1e308, float("nan"), float("inf")]
OTHERS = [True, None, [], {}, [None], ["a\0b"], {"a\0": "\0"}, {"x": ["\0"]}]
BODIES = [b"", b"\0", b"[]", b"null", b"1", b'"x"', b"{", b"\xff", b"[" * 100_000]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """To write down thousands of refusals takes longer than they do."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_nonsense_in_any_field_of_the_api_breaks_nothing(owner: Account, known: Known) -> None:
    owner.is_staff = True
    owner.save()
    client = Client(raise_request_exception=False)
    client.force_login(owner)
    broken = []
    for one in operations():
        for what, request in one.nonsense(known, [*TEXTS, *NUMBERS, *OTHERS], BODIES):
            with transaction.atomic():
                if client.generic(**request).status_code >= 500:
                    broken.append(f"{one.name} with {what[:80]}")
                transaction.set_rollback(True)
    assert broken == []
