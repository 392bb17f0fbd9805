"""manage.py status: how far the machine is, for people and for scripts."""

import json
import time
from collections.abc import Sequence
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from events import connecting
from events.versions import older
from workers.progress import Progress, progress

# A lost notification delays the answer by no more than this.
_SAFETY_SECONDS = 5.0
_CHANNEL = "filmroll_jobs"


class Command(BaseCommand):
    """Photos shown, waiting and failed; jobs by state."""

    help = "Say how far the machine is: photos shown, waiting and failed, and jobs by state."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="answer in JSON, for scripts")
        parser.add_argument("--wait-idle", action="store_true", help="answer once nothing is left to do")
        parser.add_argument("--timeout", type=float, default=None, help="seconds to wait at most")

    def handle(self, *_args: Any, **options: Any) -> None:
        now = self._wait(options["timeout"]) if options["wait_idle"] else progress()
        behind = older()
        told = {**now.as_json(), "older_read_models": behind}
        self.stdout.write(json.dumps(told, indent=2) if options["json"] else _in_words(now, behind))

    def _wait(self, timeout: float | None) -> Progress:
        """Look again after each notification of a changed job, until nothing is left."""
        deadline = time.monotonic() + timeout if timeout is not None else float("inf")
        with psycopg.connect(**connecting.parameters("status"), autocommit=True) as listening:
            listening.execute(f"LISTEN {_CHANNEL}")
            while not (now := progress()).idle:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise CommandError(f"{now.left} jobs are still left.", returncode=2)
                connection.close()
                for _ in listening.notifies(timeout=min(_SAFETY_SECONDS, left), stop_after=1):
                    time.sleep(0.1)  # a burst of notifications is one look
        return now


def _in_words(now: Progress, behind: Sequence[str]) -> str:
    photos = now.photos
    lines = [
        f"photos   {photos.shown} shown, {photos.waiting} waiting, "
        f"{photos.failed} failed, {photos.skipped} skipped",
        "jobs     " + ", ".join(f"{count} {state}" for state, count in now.jobs.items()),
    ]
    lines += [f"{queue:8} {reason}" for queue, reason in now.held.items()]
    if behind:
        lines.append(f"older    {', '.join(behind)}: filled by an earlier version, rebuilt by a worker")
    return "\n".join([*lines, _in_short(now)])


def _in_short(now: Progress) -> str:
    if not now.idle:
        return f"{now.left} jobs left"
    held = now.jobs["held"]
    return f"idle, and {held} jobs wait for what is said above" if held else "idle"
