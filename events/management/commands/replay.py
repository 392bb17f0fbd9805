"""Rebuilds read models from the events: all, or those named."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from events import replay
from events.errors import ReplayError
from events.replay import Progress


class Command(BaseCommand):
    help = "Rebuild read models from the events: all of them, or those named. Pages keep their old rows meanwhile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="*", help="a read model; without a name, all of them")
        parser.add_argument("--list", action="store_true", help="only say which read models there are")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["list"]:
            for name, module in replay.read_models().items():
                tables = ", ".join(model._meta.db_table for model in module.TABLES)
                self.stdout.write(f"{name}: {tables}")
            return
        try:
            done = replay.replay(options["name"], self._show if self.stdout.isatty() else None)
        except ReplayError as error:
            raise CommandError(f"Nothing was changed. {error}") from error
        self.stdout.write(f"{done.told:,} events replayed in {done.seconds:.1f} s ({done.rate:,.0f}/s)")

    def _show(self, progress: Progress) -> None:
        left = (progress.total - progress.told) / progress.rate if progress.rate else 0
        line = f"{progress.told:,} of {progress.total:,} events, {progress.rate:,.0f}/s, {left:.0f} s left"
        self.stdout.write(f"\r{line:<70}", ending="" if progress.told < progress.total else "\n")
        self.stdout.flush()
