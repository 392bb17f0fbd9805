"""What an import costs beside the least that it must cost, and how soon a photo is seen."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from tests.bench import photoset
from tests.bench.bar import Bar
from tests.bench.installation import Installation, installed
from tests.bench.yardsticks import bare_libvips, cpu_of, exiftool

_PHOTOS, _ROUNDS = 200, 2
_SHOWN = "SELECT count(*) FROM photo WHERE preview_state = 'ready'"


def run() -> list[Bar]:
    """The bars of the import."""
    from workers import children

    with tempfile.TemporaryDirectory(prefix="filmroll-bench-") as name:
        photos = photoset.make(Path(name) / "photos", int(os.environ.get("BENCH_PHOTOS", _PHOTOS)))
        bars = _decoding(photos) + _metadata(photos)
        with installed() as filmroll, filmroll.started("web"), filmroll.started("watch"):
            bars += _whole(filmroll, photos)
        children.stop()
    return bars


def _decoding(photos: list[Path]) -> list[Bar]:
    """Our previews in the children's processes, and libvips alone making pictures of the same kinds and sizes."""
    _previews_alone(photos[:4]), bare_libvips(photos[:4])
    pairs = [(_measured(_previews_alone, photos), _measured(bare_libvips, photos)) for _ in range(_ROUNDS)]
    return _ratio_bars("import-previews-to-libvips", pairs, len(photos), 1.10)


def _metadata(photos: list[Path]) -> list[Bar]:
    from workers.pipelines.files import KINDS
    from workers.pipelines.metadata import read_metadata

    def ours(paths: list[Path]) -> None:
        for path in paths:
            read_metadata(path, KINDS["jpeg"])

    if subprocess.run(["which", "exiftool"], capture_output=True, check=False).returncode:
        print("  exiftool is not here: metadata is not compared")
        return []
    ours(photos[:4])
    pairs = [(_measured(ours, photos), _measured(exiftool, photos)) for _ in range(_ROUNDS)]
    return _ratio_bars("import-metadata-to-exiftool", pairs, len(photos), 0.5)


def _whole(filmroll: Installation, photos: list[Path]) -> list[Bar]:
    """From the first job's start to the last one's end, by the server's clock, against the previews step alone."""
    pairs = []
    bodies = [path.read_bytes() for path in photos]
    with filmroll.started("worker"):
        _imported(filmroll, photoset.write(filmroll.folder / "warm", bodies[:4], 4))
        for number in range(_ROUNDS):
            copies = photoset.write(filmroll.folder / f"round{number}", bodies, len(photos))
            wall, cpu, _ = _imported(filmroll, copies)
            pairs.append(((wall, cpu), _measured(_previews_alone, photos)))
        # By itself: a look at the memory of forty processes takes a fifth of a second of what would be measured.
        _, _, peak = _imported(
            filmroll, photoset.write(filmroll.folder / "watched", bodies, len(photos)), looks=True
        )
    print(f"  whole import: {len(photos) / median(wall for (wall, _), _ in pairs):.1f} photos/s")
    memory = Bar("import-memory", round(peak), "<=", 700, "MiB")
    return [*_ratio_bars("import-whole-to-previews", pairs, len(photos), 1.25), memory]


def _imported(filmroll: Installation, photos: list[Path], *, looks: bool = False) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and, where somebody `looks`, peak memory of the import of a new library."""
    before, position = (
        filmroll.value(_SHOWN),
        filmroll.value("SELECT coalesce(max(id), 0) FROM procrastinate_events"),
    )
    begun, parts, peak = filmroll.cpu_seconds(), filmroll.cpu_by_program(), 0.0
    filmroll.manage("import", str(photos[0].parent))
    while filmroll.value(_SHOWN) < before + len(photos):
        if looks:
            peak = max(peak, filmroll.memory_mib())
        time.sleep(0.5)
    taken = {name: (now - parts.get(name, 0)) / len(photos) for name, now in filmroll.cpu_by_program().items()}
    print("  ms of the processor a photo: " + ", ".join(f"{name} {1000 * one:.0f}" for name, one in taken.items()))
    seconds = filmroll.value(
        """SELECT extract(epoch FROM max(e.at) - min(e.at))::float
             FROM procrastinate_events AS e JOIN procrastinate_jobs AS j ON j.id = e.job_id
            WHERE e.id > %s AND type IN ('started', 'succeeded')
              AND j.task_name IN ('import_file', 'render_previews')""",
        position,
    )
    return seconds, filmroll.cpu_seconds() - begun, peak


def _previews_alone(photos: list[Path]) -> None:
    """Nothing but the step that makes the pictures, in as many children as there are cores."""
    from workers.children import LANES, run_in_child
    from workers.pipelines.previews import render_previews

    with tempfile.TemporaryDirectory() as into, ThreadPoolExecutor(LANES["decode"].children) as callers:

        def render(numbered: tuple[int, Path]) -> None:
            folder = Path(into) / str(numbered[0])
            folder.mkdir()
            run_in_child("decode", render_previews, numbered[1], "jpeg", folder, seconds=60, memory_mib=1024)

        list(callers.map(render, enumerate(photos)))


def _measured(work: Callable[[list[Path]], None], photos: list[Path]) -> tuple[float, float]:
    """Wall and processor seconds."""
    cpu, begun = cpu_of(os.getpid()), time.perf_counter()
    work(photos)
    return time.perf_counter() - begun, cpu_of(os.getpid()) - cpu


def _ratio_bars(
    name: str, pairs: list[tuple[tuple[float, float], tuple[float, float]]], count: int, limit: float
) -> list[Bar]:
    """One bar for the time that a clock shows, one for the processor's: the latter is less moved by neighbours."""
    ours, other = (
        [median(side[at] for side, _ in pairs) for at in (0, 1)],
        [median(side[at] for _, side in pairs) for at in (0, 1)],
    )
    print(
        f"  {name}: {1000 * ours[0] / count:.1f} against {1000 * other[0] / count:.1f} ms a photo,"
        f" {1000 * ours[1] / count:.1f} against {1000 * other[1] / count:.1f} of the processor",
        flush=True,
    )
    return [
        Bar(name, round(median(a[0] / b[0] for a, b in pairs), 3), "<=", limit),
        Bar(f"{name}-cpu", round(median(a[1] / b[1] for a, b in pairs), 3), "<=", limit),
    ]
