"""What an append costs beside a bare INSERT of the same payload, and whether a reader misses anything meanwhile.

Writers are processes, the server syncs to disk, and both kinds of writing take turns in one run (A-B-A-B), so
that only their ratio counts and not the machine's mood.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from tests.bench.bar import Bar

_WRITERS, _ROUNDS, _SECONDS = 8, 5, 2.0
_PAYLOAD = {
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
_BARE_TABLE = """
    CREATE TABLE IF NOT EXISTS bare (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream_id text NOT NULL, data jsonb NOT NULL
    )
"""


def run() -> list[Bar]:
    """The bars of the event store."""
    with _server() as url, _Writers(url) as writers:
        writers.each("append", 0.3), writers.each("insert", 0.3)
        pairs = [(writers.each("append", _SECONDS), writers.each("insert", _SECONDS)) for _ in range(_ROUNDS)]
        seen, written = _followed(writers, url)
    return _bars(pairs) + _reading_bars(seen, written)


def _bars(pairs: list[tuple[list[float], list[float]]]) -> list[Bar]:
    rate = {name: [len(pair[side]) / _SECONDS for pair in pairs] for side, name in enumerate(("append", "insert"))}
    p99 = median(quantiles(appends, n=100)[98] for appends, _ in pairs) * 1000
    print(f"{_WRITERS} writers, 1 event each, {_ROUNDS} rounds of {_SECONDS:.0f} s, medians")
    print(f"  append       {median(rate['append']):8,.0f} /s   p99 {p99:.1f} ms")
    print(f"  bare INSERT  {median(rate['insert']):8,.0f} /s")
    ratio = median(a / b for a, b in zip(rate["append"], rate["insert"], strict=True))
    return [
        # A guard, from what was measured: for two hashes, three indexes, versions and ids, three INSERTs.
        Bar("events-append-8x1-to-bare-insert", round(ratio, 3), ">=", 0.3),
        Bar("events-append-8x1-p99", round(p99, 2), "<=", 10, "ms"),
    ]


def _reading_bars(seen: list[int], written: int) -> list[Bar]:
    print(f"a reader by the fence beside {_WRITERS} writers: {len(seen):,} read of {written:,}")
    return [
        Bar("events-missed", written - len(set(seen)), "==", 0),
        Bar("events-doubled", len(seen) - len(set(seen)), "==", 0),
        Bar("events-out-of-order", sum(later <= earlier for earlier, later in pairwise(seen)), "==", 0),
    ]


def _followed(writers: "_Writers", url: str) -> tuple[list[int], int]:
    """The positions that a reader saw while writers wrote, and how many events these wrote."""
    reader = _Process(url, 0)
    start = reader.ask(("position",))
    reader.send(("follow", start))
    written = len(writers.each("append", _SECONDS))
    reader.send(("stop",))
    seen: list[int] = reader.receive()
    reader.send(None)
    return seen, written


@contextmanager
def _server() -> Iterator[str]:
    """A fresh server of this run's own, with the log in it; its address."""
    from core import database

    kept = os.environ.pop("DATABASE_URL", None)
    with tempfile.TemporaryDirectory(prefix="filmroll-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            with database.running(folder):
                url = database.conninfo(folder)
                command = [sys.executable, "manage.py", "migrate", "events", "--verbosity", "0"]
                subprocess.run(command, check=True, env=_environment(url))
                yield url
        finally:
            if kept is not None:
                os.environ["DATABASE_URL"] = kept


def _environment(url: str) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "core.settings"}


@dataclass
class _Process:
    """A process with Django and a connection of its own, that does what it is told through a pipe."""

    url: str
    number: int

    def __post_init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        context.Process(target=_serve, args=(self.url, self.number, other), daemon=True).start()

    def send(self, words: Any) -> None:
        self._pipe.send(words)

    def receive(self) -> Any:
        return self._pipe.recv()

    def ask(self, words: Any) -> Any:
        self.send(words)
        return self.receive()


class _Writers:
    """Several writing processes, told to write at the same time."""

    def __init__(self, url: str) -> None:
        self.processes = [_Process(url, number) for number in range(_WRITERS)]

    def __enter__(self) -> "_Writers":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.send(None)

    def each(self, what: str, seconds: float) -> list[float]:
        """Have each write one row after another for so long; how long each row took, in seconds."""
        # Ready first, so that a process which is still starting does not shorten the measurement.
        for process in self.processes:
            process.ask(("ready",))
        for process in self.processes:
            process.send((what, seconds))
        return [taken for process in self.processes for taken in process.receive()]


def _serve(url: str, number: int, pipe: Connection) -> None:
    """The life of a process: one order after another, until None."""
    os.environ.update(_environment(url))
    import django

    django.setup()
    from django.conf import settings

    from events.fence import safe_position

    # The store alone: what read models and jobs cost is theirs.
    settings.EVENT_CONSUMERS = []

    append, insert = _appender(number), _inserter(url)
    while order := pipe.recv():
        match order:
            case ("ready",):
                pipe.send(True)
            case ("append", seconds):
                pipe.send(_timed(append, seconds))
            case ("insert", seconds):
                pipe.send(_timed(insert, seconds))
            case ("position",):
                pipe.send(safe_position())
            case ("follow", position):
                pipe.send(_follow(position, pipe))


def _timed(write: Callable[[], object], seconds: float) -> list[float]:
    taken = []
    until = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < until:
        write()
        taken.append(time.perf_counter() - begun)
    return taken


def _appender(number: int) -> Callable[[], object]:
    from uuid import uuid4

    from events.event import Meta, NewEvent
    from events.store import NO_STREAM, append

    stream_id, meta = f"bench-{number}-{uuid4()}", Meta(actor="bench", source="bench")
    version = NO_STREAM

    def write() -> None:
        nonlocal version
        version = append(stream_id, version, [NewEvent("bench.rendered", _PAYLOAD)], meta).version

    return write


def _inserter(url: str) -> Callable[[], object]:
    import psycopg
    from psycopg.types.json import Jsonb

    connection = psycopg.connect(url, autocommit=True)
    with connection.transaction():
        # Two that make it at once would collide in the catalogue.
        connection.execute("SELECT pg_advisory_xact_lock(1)")
        connection.execute(_BARE_TABLE)
    sql = "INSERT INTO bare (stream_id, data) VALUES (%s, %s) RETURNING position"
    return lambda: connection.execute(sql, ["bench", Jsonb(_PAYLOAD)]).fetchone()


def _follow(position: int, pipe: Connection) -> list[int]:
    """Read on until told to stop, and then to the end."""
    from events.store import read_all

    seen: list[int] = []
    last = False
    while True:
        batch = read_all(position, limit=500, wait=0)
        seen += [event.position for event in batch]
        position = seen[-1] if seen else position
        if last and not batch:
            return seen
        if not last and pipe.poll(0 if batch else 0.002):
            pipe.recv()
            last = True
