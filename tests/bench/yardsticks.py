"""The least that any program must do for an import: libvips and nothing else, exiftool and nothing else."""

import multiprocessing
import os
import subprocess
import tempfile
from pathlib import Path

import psutil

from workers import child
from workers.pipelines import previews


def bare_libvips(photos: list[Path]) -> None:
    """Tile and large preview of each photo in as many processes as our children, by libvips alone."""
    from workers.children import LANES

    count = LANES["decode"].children
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        workers = [context.Process(target=_make_all, args=(photos[at::count], folder)) for at in range(count)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if any(worker.exitcode for worker in workers):
            raise RuntimeError("libvips failed")


def exiftool(photos: list[Path]) -> None:
    """All that exiftool knows of the photos, as JSON, in one process."""
    done = subprocess.run(["exiftool", "-json", "-n", "-q", *photos], capture_output=True, check=False)
    if not done.stdout:
        raise RuntimeError(done.stderr.decode())


def cpu_of(pid: int) -> float:
    """Processor seconds of a process, its ended children, and those that live."""
    root = psutil.Process(pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _make_all(photos: list[Path], folder: str) -> None:
    os.environ["VIPS_CONCURRENCY"] = "1"
    os.nice(child.NICENESS)  # as our children step back, or a busy machine would count against them alone
    import pyvips

    pyvips.cache_set_max(0)
    for number, photo in enumerate(photos):
        _make(photo, Path(folder) / f"{os.getpid()}-{number}")


def _make(photo: Path, into: Path) -> None:
    """By the fastest way that libvips has: half-size decoding as far as it goes, the large picture kept once."""
    import pyvips

    header = pyvips.Image.new_from_file(str(photo))
    edge, shrink = max(header.width, header.height), 1
    while edge / (shrink * 2) >= previews.LARGE_ENOUGH and shrink < 8:
        shrink *= 2
    image = pyvips.Image.jpegload(str(photo), shrink=shrink, access="sequential")
    scale = previews.LARGE_EDGE / max(image.width, image.height)
    image = (image.resize(scale) if scale < 1 else image).autorot()
    if image.get_typeof("icc-profile-data"):
        image = image.icc_transform("srgb", embedded=True)
    large = image.copy_memory()
    large.webpsave(f"{into}-large.webp", keep="none", **_named(previews.LARGE_OPTIONS))
    scale = min(previews.TILE_WIDTH / large.width, previews.TILE_HEIGHT / large.height)
    large.resize(scale).webpsave(f"{into}-tile.webp", keep="none", **_named(previews.TILE_OPTIONS))


def _named(options: dict[str, int]) -> dict[str, int]:
    """libvips calls WebP's method its effort."""
    return {"Q": options["quality"], "effort": options["method"]}
