"""manage.py looks: have photos looked at again whose colours and styles are of an older version."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.codes import fill_codes
from core.readmodels.libraries import Library
from core.web.words import counted
from workers.looking import queue_again


class Command(BaseCommand):
    """Never done by itself: a new version of a rule is no reason to read a hundred thousand previews."""

    help = (
        "Look again, on the previews, at photos whose colours and styles were never found, or by an older "
        "version; and make the bits by which similar pictures are found where they are missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--library", default="", help="only in the library of this name")

    def handle(self, *_args: Any, **options: Any) -> None:
        libraries = Library.objects.filter(removed=False)
        if options["library"]:
            libraries = libraries.filter(name=options["library"])
            if len(libraries) != 1:
                raise CommandError(f"There is no library {options['library']!r}, or more than one.")
        count = sum(queue_again(one.id, older=True) for one in libraries)
        self.stdout.write(f"{counted(count, 'photo')} will be looked at again.")
        if made := fill_codes():
            self.stdout.write(f"{counted(made, 'photo')} can be found by likeness now.")
