"""Rebuilds read models from the events: all, or those named."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from events import replay
from events.errors import ReplayError
from events.management.progress import Bar, cancellable


class Command(BaseCommand):
    help = (
        "Rebuild read models from the events: all of them, or those named. Pages and writers go on meanwhile; "
        "Ctrl-C leaves everything as it was."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="*", help="a read model; without a name, all of them")
        parser.add_argument("--list", action="store_true", help="only say which read models there are")
        parser.add_argument(
            "--in-place",
            action="store_true",
            help="without a second set of tables, in one transaction: pages go on, but nothing can be recorded",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        if options["list"]:
            for name, module in replay.read_models().items():
                tables = ", ".join(model._meta.db_table for model in module.TABLES)
                self.stdout.write(f"{name}: {tables}")
            return
        rebuild = replay.replay_in_place if options["in_place"] else replay.replay
        try:
            with cancellable(), Bar(self.stdout, "events") as bar:
                done = rebuild(options["name"], lambda so_far: bar.show(so_far.told, so_far.total))
        except ReplayError as error:
            raise CommandError(f"Nothing was changed. {error}") from error
        except KeyboardInterrupt:
            raise CommandError("Cancelled. Nothing was changed.", returncode=130) from None
        held = f"; writers waited for {done.held_back * 1000:.0f} ms" if done.held_back else ""
        self.stdout.write(
            f"{done.told:,} events replayed in {done.seconds:.1f} s ({done.rate:,.0f}/s){held}: "
            f"{', '.join(replay.together(options['name']))}"
        )
