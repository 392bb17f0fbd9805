"""`manage.py worker`: runs jobs until it is told to stop."""

import asyncio
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.parent import end_with_supervisor
from workers.lanes import LANES
from workers.worker import run_worker


class Command(BaseCommand):
    """Run jobs."""

    help = "Run jobs until SIGTERM or Ctrl-C; running jobs then end within seconds or go back to the queue."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--lanes",
            default=",".join(LANES),
            help=f"which lanes to serve, with commas between (default: all, {', '.join(LANES)})",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  # Django's signature
        end_with_supervisor()
        lanes = [name.strip() for name in options["lanes"].split(",") if name.strip()]
        if unknown := [name for name in lanes if name not in LANES] or (not lanes and ["(none)"]):
            raise CommandError(f"There is no lane {', '.join(unknown)}; there are: {', '.join(LANES)}.")
        # Threads whose jobs are back in the queue may be at it still: manage.py does not wait for them.
        asyncio.run(run_worker(lanes))
