"""`manage.py analyse`: photos are looked at again where nobody has looked yet, or an older model has."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.commands.libraries import ask_for_analysis
from core.readmodels.libraries import all_libraries


class Command(BaseCommand):
    """Queue what the models of now have not seen."""

    help = "Have photos looked at again where nobody has looked yet, or an older model has; a worker does it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "names", nargs="*", metavar="LIBRARY", help="only these libraries; all when none is named"
        )

    def handle(self, *_: Any, names: list[str], **__: Any) -> None:
        chosen = [library for library in all_libraries() if not names or library.name in names]
        if unknown := set(names) - {library.name for library in chosen}:
            raise CommandError(f"No library is called {', '.join(sorted(unknown))}.")
        for library in chosen:
            ask_for_analysis(library.id, actor="cli")
            self.stdout.write(f"{library.name}: asked for")
