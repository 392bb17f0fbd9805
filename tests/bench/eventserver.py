"""A server of a benchmark's own that syncs to disk, with the log in it, and processes that work on it."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PAYLOAD = {
    "step_version": 1,
    "revision": "3f9a1c2e",
    "width": 4032,
    "height": 3024,
    "tile": {"w": 587, "h": 440, "bytes": 41230},
    "large": {"w": 2048, "h": 1536, "bytes": 402113},
    "thumbhash": "1QcSHQRnh493V4dIh4eXh1h4kJUI",
    "method": "decoded",
    "notes": [],
}


@contextmanager
def server() -> Iterator[str]:
    """A fresh server; its address."""
    from core import database

    kept = os.environ.pop("DATABASE_URL", None)
    with tempfile.TemporaryDirectory(prefix="filmroll-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            with database.running(folder, max_connections="200"):
                url = database.conninfo(folder)
                command = [sys.executable, "manage.py", "migrate", "events", "--verbosity", "0"]
                subprocess.run(command, check=True, env=environment(url))
                yield url
        finally:
            # `set_up` in this process has named the server that is gone now.
            os.environ.pop("DATABASE_URL", None)
            if kept is not None:
                os.environ["DATABASE_URL"] = kept


def environment(url: str) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "core.settings"}


def set_up(url: str) -> None:
    """Django in this process, on that server, with the store alone: what read models and jobs cost is theirs."""
    os.environ.update(environment(url))
    import django

    django.setup()
    from django.conf import settings

    settings.EVENT_CONSUMERS = []


class Process:
    """A process in which `work(url, pipe, *values)` runs; it is talked to by the pipe, and None ends it."""

    def __init__(self, work: Callable[..., None], url: str, *values: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=work, args=(url, other, *values), daemon=True)
        self._process.start()
        other.close()

    def send(self, words: Any) -> None:
        self._pipe.send(words)

    def receive(self) -> Any:
        return self._pipe.recv()

    def ask(self, words: Any) -> Any:
        self.send(words)
        return self.receive()

    def end(self) -> None:
        self.send(None)
        self._process.join(30)
