"""manage.py library: which libraries there are, and whose they are."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from core.accounts import Account
from core.commands.accounts import UnknownAccount, account_named
from core.domain.libraries import UploadsStay
from core.handover import hand_over
from core.readmodels.libraries import Library, all_libraries
from core.storage import path_to_text


class Command(BaseCommand):
    """Lists libraries, and gives one to somebody."""

    help = "List the libraries, and give one to somebody else."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="list the libraries with their folders and owners")
        give = actions.add_parser("give", help="make a library somebody else's; given back, all is as it was")
        give.add_argument("library", help="its name or its first folder")
        give.add_argument("name", help="the account whose it is from now on")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["action"] == "give":
            self._give(options["library"], options["name"])
            return
        names = dict(Account.objects.values_list("pk", "username"))
        for library in all_libraries():
            owner = names.get(library.owner_id, "nobody") if library.owner_id else "nobody"
            self.stdout.write(f"{library.name}  {owner}  {library.root}")

    def _give(self, called: str, name: str) -> None:
        found = list(Library.objects.filter(Q(name=called) | Q(root=path_to_text(called)), removed=False)[:2])
        if len(found) != 1:
            raise CommandError(f"There is {'no' if not found else 'more than one'} library {called!r}.")
        try:
            given = hand_over(found[0].id, account_named(name).pk, actor="cli")
        except (UnknownAccount, UploadsStay) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{found[0].name} is {name}'s {'now' if given else 'already'}.")
