"""manage.py up: everything that one machine needs, in one foreground command."""

import asyncio
import errno
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from core import database
from core.commands.libraries import add_library
from core.domain.libraries import NotAFolder
from core.storage import clear_working_folders
from workers import supervisor
from workers.rebuilding import take_up
from workers.terminal import LastLine, log_above
from workers.ticker import show_progress


class Command(BaseCommand):
    """Starts the database, migrates, and keeps web server, workers and watcher running."""

    help = "Start everything: database, migrations, web server, workers, watcher. Ctrl-C stops all of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--photos", type=Path, action="append", default=[], help="a folder to index in place")
        parser.add_argument("--no-watch", action="store_true", help="do not watch the folders for changes")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            with supervisor.only_one(settings.DATA_DIR):
                self._run(options["photos"], watch=not options["no_watch"])
        except (supervisor.AlreadyRunning, NotAFolder, RuntimeError) as error:
            raise CommandError(str(error)) from error

    def _run(self, photos: list[Path], *, watch: bool) -> None:
        _check_port()
        if database.is_embedded() and not (settings.DATA_DIR / "postgres").exists():
            self.stdout.write("Making the database (once) …")
        server = supervisor.start_database()
        try:
            clear_working_folders()
            call_command("migrate", verbosity=0, interactive=False)
            take_up()
            for folder in photos:
                add_library(folder, actor="cli")
            connection.close()
            asyncio.run(self._supervise(supervisor.Supervisor(_children(watch=watch), server)))
        finally:
            if server is not None:
                server.leave()
        self.stdout.write("\nStopped." if sys.stdout.isatty() else "Stopped.")

    async def _supervise(self, crew: supervisor.Supervisor) -> None:
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(sign, crew.stop)
        self.stdout.write(f"Filmroll runs at http://{_shown_host()}:{settings.PORT}/  (Ctrl-C stops it)")
        if sys.stderr.isatty():
            self.stdout.write(f"Log lines go to {supervisor.log_path()}")
        line = LastLine(sys.stdout)
        telling = asyncio.create_task(show_progress(line))
        with log_above(line):
            await crew.run()
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


def _children(*, watch: bool) -> list[supervisor.Child]:
    children = [supervisor.Child("web", ["web"]), supervisor.Child("worker", ["worker"])]
    return [*children, supervisor.Child("watch", ["watch"])] if watch else children


def _check_port() -> None:
    """Raises RuntimeError when the web server could not listen: it would die again and again."""
    family = socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET
    try:
        socket.create_server((settings.HOST, settings.PORT), family=family).close()
    except OSError as error:
        reason = "another program uses it" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        raise RuntimeError(
            f"{settings.HOST}:{settings.PORT} cannot be listened on: {reason}. "
            "Set FILMROLL_PORT or FILMROLL_HOST to another."
        ) from None


def _shown_host() -> str:
    return "localhost" if settings.HOST in ("0.0.0.0", "127.0.0.1", "::") else settings.HOST
