"""Whether a photo costs more in a large library than in a small one, and whether memory grows with the photos."""

import os
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.bench import photoset
from tests.bench.bar import Bar
from tests.bench.filling import multiply
from tests.bench.installation import Installation, installed

_SMALL, _TIMES, _ROUNDS, _BATCH = 1_000, 200, 4, 150
_MANY, _FEW, _LOOK = 20_000, 2_000, 300
# Asked all the time, at the cost of the server that is measured: so only of the library that is being imported.
_SHOWN = """SELECT count(*) FROM photo WHERE hidden = '' AND preview_state = 'ready'
             AND library_id = (SELECT id FROM library WHERE root = '{}')"""
# The log's seals follow what is appended; two hundred thousand photos at once are none of a photo's cost.
_FOLLOWED = """SELECT (SELECT coalesce(max(position), 0) FROM event)
                   < 10000 + (SELECT coalesce(min(position), 0) FROM event_checkpoint)"""


def run() -> list[Bar]:
    """The bars of growth; the one of memory imports 20,000 photos and takes long, so it runs only when asked."""
    bars = _costs()
    if os.environ.get("BENCH_LONG"):
        bars += _memory()
    else:
        print("  BENCH_LONG=1 measures memory over 20,000 photos too")
    return bars


def _costs() -> list[Bar]:
    """Small photos, so that the pictures' own cost does not hide the rest; two installations in turns."""
    small = int(os.environ.get("BENCH_SMALL", _SMALL))
    with ExitStack() as held:
        libraries = [held.enter_context(installed()) for _ in range(2)]
        for filmroll in libraries:
            with filmroll.started("worker"):
                _imported(filmroll, "first", small)
        multiply(libraries[1], _TIMES)
        with libraries[1].started("worker"):
            libraries[1].until(_FOLLOWED, True, every=0.5)
        sizes = [filmroll.value("SELECT count(*) FROM photo") for filmroll in libraries]
        pairs = [[_cost(filmroll, f"batch{number}") for filmroll in libraries] for number in range(_ROUNDS)]
    few, many = ([pair[side] for pair in pairs] for side in (0, 1))
    print(f"  a small photo costs {1000 * median(few):.1f} ms in a library of {sizes[0]:,},")
    print(f"  and {1000 * median(many):.1f} ms in one of {sizes[1]:,} (processor time of workers and server)")
    ratio = median(more / less for less, more in pairs)
    return [Bar("import-cost-200000-to-1000", round(ratio, 3), "<=", 1.15)]


def _cost(filmroll: Installation, name: str) -> float:
    """Processor seconds a photo, after a few that start the children."""
    with filmroll.started("worker"):
        _imported(filmroll, f"{name}-warm", 10)
        begun = filmroll.cpu_seconds()
        _imported(filmroll, name, _BATCH)
        return (filmroll.cpu_seconds() - begun) / _BATCH


def _memory() -> list[Bar]:
    """Resident memory of all programs and the server, at work, after few photos and after many."""
    with installed() as filmroll, filmroll.started("web"), filmroll.started("watch"), filmroll.started("worker"):
        seen, without = {}, {}
        done = 0
        for number in range(_MANY // _FEW):
            _imported(filmroll, f"part{number}", _FEW)
            done += _FEW
            seen[done], without[done] = _looked_at(filmroll, f"look{number}")
            print(f"  {done:,} photos: {seen[done]:.0f} MiB, page cache apart {without[done]:.0f}", flush=True)
    return [
        Bar("import-memory-20000-to-2000", round(seen[_MANY] / seen[_FEW], 3), "<=", 1.10),
        Bar("import-memory-20000-to-2000-page-cache-apart", round(without[_MANY] / without[_FEW], 3), "<=", 1.10),
    ]


def _looked_at(filmroll: Installation, name: str) -> tuple[float, float]:
    """The most memory, and the most besides the page cache, while some more photos come in.

    At rest one of the children may have ended with its five hundredth task, and be missing.
    """
    seen, without = 0.0, 0.0
    folder = _begun(filmroll, name, _LOOK)
    while filmroll.value(_SHOWN.format(folder)) < _LOOK:
        memory = filmroll.memory_mib()
        seen, without = max(seen, memory), max(without, memory - filmroll.page_cache_mib())
    return seen, without


def _imported(filmroll: Installation, name: str, count: int) -> None:
    folder = _begun(filmroll, name, count)
    filmroll.until(_SHOWN.format(folder), count, every=0.2)


def _begun(filmroll: Installation, name: str, count: int) -> Path:
    folder = filmroll.folder.resolve() / name
    photoset.make_small(folder, count)
    filmroll.manage("import", str(folder))
    return folder
