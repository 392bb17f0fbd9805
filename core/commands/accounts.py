"""Who may come in: accounts, the first one among them, and keys for programs."""

from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.accounts import Account, ApiKey, digest_of, new_key
from core.turns import take_turns

# Any number will do, as long as nothing else in the database uses it.


class AccountsExist(ValueError):
    """The first account has been made already."""


class UnknownAccount(LookupError):
    """There is no account of this name."""


class LastAdministrator(ValueError):
    """Nobody would be left who may let others in."""


def create_first_admin(username: str, password: str) -> Account:
    """Make the administrator's account, if there is no account yet: of two visitors at once, one gets it.

    Raises AccountsExist, and Django's ValidationError for a weak password or an odd name.
    """
    account = _new_account(username, password, admin=True)
    with transaction.atomic():
        take_turns("first account")
        if Account.objects.exists():
            raise AccountsExist("There is an administrator already: sign in.")
        _insert(account)
    return account


def create_account(username: str, password: str, *, admin: bool = False) -> Account:
    """Let one more person in.

    Raises Django's ValidationError for a weak password, an odd name or one that is taken.
    """
    account = _new_account(username, password, admin=admin)
    account.validate_unique()
    _insert(account)
    return account


def change_password(account: Account, password: str) -> None:
    """Give an account another password, which signs it out everywhere. Raises Django's ValidationError."""
    validate_password(password, account)
    account.set_password(password)
    account.save(update_fields=["password"])


def switch_account(account: Account, *, on: bool) -> None:
    """Let a person in again, or no longer, nor their programs; all that is theirs stays.

    Raises LastAdministrator.
    """
    with transaction.atomic():
        # One after the other: else the last two administrators could switch one another off.
        others = Account.objects.select_for_update().order_by("id").filter(is_staff=True, is_active=True)
        if not on and not any(one.pk != account.pk for one in others):
            raise LastAdministrator("This is the only administrator: there has to be another one first.")
        Account.objects.filter(pk=account.pk).update(is_active=on)


def create_api_key(name: str, username: str = "") -> str:
    """Make a key for a program and return it, the only time that it is seen.

    Without a user name it belongs to the first administrator. Raises UnknownAccount, and Django's
    ValidationError when the name is taken.
    """
    account = account_named(username)
    key = new_key()
    made = ApiKey(name=name, account=account, digest=digest_of(key))
    made.full_clean()
    _insert(made)
    return key


def forget_old_sessions() -> int:
    """Clear away the sign-ins that have run out, which open nothing any more; how many."""
    gone, _ = Session.objects.filter(expire_date__lt=timezone.now()).delete()
    return gone


def account_named(username: str) -> Account:
    """The account of that name; without one that of the first administrator. Raises UnknownAccount."""
    accounts = Account.objects.filter(is_active=True)
    named = accounts.filter(username=Account.normalize_username(username))
    chosen = named if username else accounts.filter(is_superuser=True)
    account = chosen.order_by("date_joined").first()
    if account is None:
        raise UnknownAccount(f"There is no account {username!r}." if username else "Make the first account first.")
    return account


def any_account_named(username: str) -> Account:
    """The account of that name, also one that is switched off. Raises UnknownAccount."""
    account = Account.objects.filter(username=Account.normalize_username(username)).first()
    if account is None:
        raise UnknownAccount(f"There is no account {username!r}.")
    return account


def _new_account(username: str, password: str, *, admin: bool) -> Account:
    # As the form of the sign-in page writes it: "é" in two characters is "é" in one.
    account = Account(username=Account.normalize_username(username), is_staff=admin, is_superuser=admin)
    validate_password(password, account)
    account.set_password(password)
    account.clean_fields(exclude=["id"])
    return account


def _insert(made: Account | ApiKey) -> None:
    """Raises Django's ValidationError also where another one takes the name at this very moment."""
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        made.validate_unique()
        raise
