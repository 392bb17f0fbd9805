"""Appending beside the `eventsourcing` library and bare ceilings, and what a reader misses of each meanwhile.

Writers are processes, the server syncs to disk, and all kinds take turns in one run (A-B-A-B), so that only their
ratios count and not the machine's mood. While they write, a reader of each one's own kind follows.
"""

import time
from collections.abc import Callable
from itertools import pairwise
from multiprocessing.connection import Connection
from statistics import median, quantiles
from typing import Any

from tests.bench import eventkinds
from tests.bench.bar import Bar
from tests.bench.eventkinds import COMMIT, INSERT, LOCKED, OURS, UNLOCKED
from tests.bench.eventserver import Process, server, set_up

_ROUNDS, _SECONDS = 5, 1.5
# A reader looks as often as pulses would wake it; one that asks again at once takes a whole core for itself.
_PAUSE = 0.01
_KINDS = (OURS, LOCKED, UNLOCKED, INSERT, COMMIT)
# Writers, and events for each transaction; what is asked of ours against the locked one.
_SETTINGS = {(8, 1): 3.0, (16, 1): 3.0, (8, 100): 1.3}

_Figures = dict[str, list[list[float]]]


def run() -> list[Bar]:
    """The bars of the append."""
    bars: list[Bar] = []
    with server() as url:
        eventkinds.prepare(url)
        for (writers, count), limit in _SETTINGS.items():
            figures, missed = _measured(url, writers, count)
            bars += _bars(f"{writers}x{count}", count, figures, missed, limit)
    return bars


def _measured(url: str, writers: int, count: int) -> tuple[_Figures, dict[str, int]]:
    """Per kind and round how long each transaction took; per kind how many events its reader did not see."""
    processes = [Process(_write, url, count) for _ in range(writers)]
    readers = {kind: Process(_follow, url, kind) for kind in (OURS, LOCKED, UNLOCKED)}
    figures: _Figures = {kind: [] for kind in _KINDS}
    missed = dict.fromkeys(readers, 0)
    for kind in _KINDS:
        _together(processes, kind, 0.3)
    for number in range(_ROUNDS):
        # Who follows whom matters too: every other round goes backwards.
        for kind in _KINDS[:: 1 if number % 2 == 0 else -1]:
            if kind in readers:
                readers[kind].ask("start")
            figures[kind].append(_together(processes, kind, _SECONDS))
            if kind in readers:
                missed[kind] += _wrong(readers[kind].ask("stop"))
    for process in (*processes, *readers.values()):
        process.end()
    return figures, missed


def _together(processes: list[Process], kind: str, seconds: float) -> list[float]:
    # Ready first, so that a process which is still starting does not shorten the measurement.
    for process in processes:
        process.ask(("ready", kind))
    for process in processes:
        process.send((kind, seconds))
    return [taken for process in processes for taken in process.receive()]


def _wrong(answer: tuple[list[int], set[int]]) -> int:
    """How many were missed; a reader that sees one twice or out of order ends the benchmark."""
    seen, written = answer
    if any(later <= earlier for earlier, later in pairwise(seen)):
        raise RuntimeError("a reader saw events out of order")
    return len(written.difference(seen))


def _bars(name: str, count: int, figures: _Figures, missed: dict[str, int], limit: float) -> list[Bar]:
    print(f"{name}: {_ROUNDS} rounds of {_SECONDS} s each, medians (lowest to highest)")
    for kind in _KINDS:
        rates = [len(taken) * (count if kind != COMMIT else 1) / _SECONDS for taken in figures[kind]]
        p99 = median(_p99(taken) for taken in figures[kind])
        spread = f"{median(rates):8,.0f} /s ({min(rates):,.0f} to {max(rates):,.0f})"
        lost = f"   MISSED {missed[kind]:,}" if kind in missed else ""
        print(f"  {kind:13}{spread:32} p99 {p99:6.1f} ms{lost}", flush=True)
    bars = [
        Bar(f"events-{name}-to-eventsourcing", _ratio(figures, OURS, LOCKED), ">=", limit, "x"),
        Bar(f"events-{name}-missed", missed[OURS], "==", 0),
    ]
    if name == "8x1":
        bars.append(
            Bar("events-8x1-p99", round(median(_p99(taken) for taken in figures[OURS]), 2), "<=", 10, "ms")
        )
    return bars


def _ratio(figures: _Figures, ours: str, theirs: str) -> float:
    pairs = zip(figures[ours], figures[theirs], strict=True)
    ratios = [len(a) / len(b) for a, b in pairs]
    print(f"  {ours} to {theirs}: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
    return round(median(ratios), 2)


def _p99(taken: list[float]) -> float:
    return quantiles(taken, n=100)[98] * 1000


def _write(url: str, pipe: Connection, count: int) -> None:
    """A writing process: one order after another, until None."""
    set_up(url)
    writers: dict[str, Callable[[], object]] = {}
    while order := pipe.recv():
        match order:
            case ("ready", kind):
                writers.setdefault(kind, eventkinds.writer(kind, url, count))
                pipe.send(True)
            case (kind, seconds):
                pipe.send(_timed(writers[kind], seconds))


def _timed(write: Callable[[], object], seconds: float) -> list[float]:
    taken = []
    until = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < until:
        write()
        taken.append(time.perf_counter() - begun)
    return taken


def _follow(url: str, pipe: Connection, kind: str) -> None:
    """A reading process: from `start` on it follows; on `stop` it reads to the end and says what there was."""
    set_up(url)
    import psycopg

    read = eventkinds.reader(kind, url)
    column, table = eventkinds.position(kind), eventkinds.table(kind)
    connection = psycopg.connect(url, autocommit=True)
    while pipe.recv():
        row: Any = connection.execute(f"SELECT coalesce(max({column}), 0) FROM {table}").fetchone()
        start = position = row[0]
        pipe.send(True)
        seen: list[int] = []
        last = False
        while True:
            batch = read(position)
            seen += batch
            position = batch[-1] if batch else position
            if last and not batch:
                break
            if not last and pipe.poll(0 if len(batch) >= eventkinds.BATCH else _PAUSE):
                pipe.recv()
                last = True
        rows = connection.execute(f"SELECT {column} FROM {table} WHERE {column} > %s", [start])
        pipe.send((seen, {row[0] for row in rows}))
