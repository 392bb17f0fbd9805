"""manage.py remake: have previews and facts that an earlier version made be made again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.readmodels.libraries import Library
from core.web.words import counted
from workers.remaking import queue_older


class Command(BaseCommand):
    """Never done by itself. What is queued here waits behind all other work, and can be cancelled under Jobs."""

    help = "Make previews again, and read files again, where an earlier version of Filmroll did it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--library", default="", help="only in the library of this name")

    def handle(self, *_args: Any, **options: Any) -> None:
        libraries = Library.objects.filter(removed=False)
        if options["library"]:
            libraries = libraries.filter(name=options["library"])
            if len(libraries) != 1:
                raise CommandError(f"There is no library {options['library']!r}, or more than one.")
        count = sum(queue_older(one.id) for one in libraries)
        self.stdout.write(f"{counted(count, 'photo')} will be made again, behind all other work.")
