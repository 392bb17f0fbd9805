"""manage.py api_key: keys with which programs use the API."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.accounts import ApiKey
from core.commands.accounts import UnknownAccount, create_api_key


class Command(BaseCommand):
    """Makes, lists and revokes API keys."""

    help = "Make, list and revoke the keys with which programs use the API."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a key and print it, once")
        create.add_argument("name", help="what the key is for")
        create.add_argument("--account", default="", help="whose key it is; the first administrator's by default")
        actions.add_parser("list", help="list the keys' names")
        actions.add_parser("revoke", help="make a key useless").add_argument("name")

    def handle(self, *_args: Any, **options: Any) -> None:
        match options["action"]:
            case "create":
                self._create(options["name"], options["account"])
            case "list":
                for key in ApiKey.objects.select_related("account").order_by("name"):
                    self.stdout.write(f"{key.name}  {key.account.get_username()}  {key.created_at:%Y-%m-%d}")
            case _:
                if not ApiKey.objects.filter(name=options["name"]).delete()[0]:
                    raise CommandError(f"There is no key named {options['name']!r}.")
                self.stdout.write(f"The key {options['name']} opens nothing any more.")

    def _create(self, name: str, username: str) -> None:
        try:
            self.stdout.write(create_api_key(name, username))
        except UnknownAccount as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
