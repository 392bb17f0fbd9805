"""What a test wrote is gone before the next, and what migrations made is there."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.test import TransactionTestCase

from core.accounts import Account


@pytest.mark.django_db(transaction=True)
def test_rows_go_and_what_all_tests_share_stays() -> None:
    account = Account.objects.create_user("ada", password="x")
    account.user_permissions.add(Permission.objects.all()[0])
    shared = ContentType.objects.count(), Permission.objects.count()
    TransactionTestCase()._fixture_teardown()
    assert not Account.objects.exists()
    assert not Account.user_permissions.through.objects.exists()
    assert (ContentType.objects.count(), Permission.objects.count()) == shared
