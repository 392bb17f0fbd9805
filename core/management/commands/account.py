"""manage.py account: the people who may sign in."""

import sys
from getpass import getpass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.accounts import Account
from core.commands.accounts import (
    LastAdministrator,
    UnknownAccount,
    any_account_named,
    change_password,
    create_account,
    switch_account,
)


class Command(BaseCommand):
    """Makes, lists and switches off accounts."""

    help = "Make, list and switch off the accounts of those who may sign in."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        asked = "the password is asked for, or read from the input's first line"
        create = actions.add_parser("create", help=f"make an account; {asked}")
        create.add_argument("name", help="the name to sign in with")
        create.add_argument("--admin", action="store_true", help="an administrator's: sees every library and job")
        actions.add_parser("list", help="list the accounts")
        actions.add_parser("password", help=f"set another password; {asked}").add_argument("name")
        actions.add_parser("disable", help="let nobody in by this account").add_argument("name")
        actions.add_parser("enable", help="let it in again").add_argument("name")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            self._act(options["action"], options.get("name", ""), options.get("admin", False))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except (LastAdministrator, UnknownAccount) as error:
            raise CommandError(str(error)) from error

    def _act(self, action: str, name: str, admin: bool) -> None:
        match action:
            case "create":
                create_account(name, _password(), admin=admin)
                self.stdout.write(f"{name} may sign in.")
            case "password":
                account = any_account_named(name)
                change_password(account, _password())
                self.stdout.write(f"{name} has another password, and is signed out everywhere.")
            case "disable" | "enable":
                switch_account(any_account_named(name), on=action == "enable")
                self.stdout.write(f"{name} may {'sign in again' if action == 'enable' else 'sign in no longer'}.")
            case _:
                for account in Account.objects.order_by("username"):
                    self.stdout.write(_line(account))


def _line(account: Account) -> str:
    kind = "administrator" if account.is_staff else "account"
    seen = f"{account.last_login:%Y-%m-%d}" if account.last_login else "never signed in"
    return f"{account.username}  {kind}  {seen}{'' if account.is_active else '  disabled'}"


def _password() -> str:
    """Typed twice at a terminal, unseen; in a script the first line of the input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass("Password: ")
    if getpass("Again: ") != password:
        raise CommandError("These are two different passwords.")
    return password
