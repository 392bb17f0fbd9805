"""Who may come in: the first account, and keys for programs."""

from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.utils import timezone

from core.accounts import Account, ApiKey, digest_of, new_key

# Any number will do, as long as nothing else in the database uses it.
_FIRST_ACCOUNT_LOCK = 7_016_001


class AccountsExist(ValueError):
    """The first account has been made already."""


class UnknownAccount(LookupError):
    """There is no account to give the key to."""


def create_first_admin(username: str, password: str) -> Account:
    """Make the administrator's account, if there is no account yet: of two visitors at once, one gets it.

    Raises AccountsExist, and Django's ValidationError for a weak password or an odd name.
    """
    account = Account(username=username, is_staff=True, is_superuser=True)
    validate_password(password, account)
    account.set_password(password)
    account.clean_fields(exclude=["id"])
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_FIRST_ACCOUNT_LOCK])
        if Account.objects.exists():
            raise AccountsExist("There is an administrator already: sign in.")
        account.save(force_insert=True)
    return account


def create_api_key(name: str, username: str = "") -> str:
    """Make a key for a program and return it, the only time that it is seen.

    Without a user name it belongs to the first administrator. Raises UnknownAccount, and Django's
    ValidationError when the name is taken.
    """
    account = account_named(username)
    key = new_key()
    made = ApiKey(name=name, account=account, digest=digest_of(key))
    made.full_clean()
    made.save(force_insert=True)
    return key


def forget_old_sessions() -> int:
    """Clear away the sign-ins that have run out, which open nothing any more; how many."""
    gone, _ = Session.objects.filter(expire_date__lt=timezone.now()).delete()
    return gone


def account_named(username: str) -> Account:
    """The account of that name; without one that of the first administrator. Raises UnknownAccount."""
    accounts = Account.objects.filter(is_active=True)
    chosen = accounts.filter(username=username) if username else accounts.filter(is_superuser=True)
    account = chosen.order_by("date_joined").first()
    if account is None:
        raise UnknownAccount(f"There is no account {username!r}." if username else "Make the first account first.")
    return account
