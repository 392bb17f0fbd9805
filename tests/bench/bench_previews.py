"""How much longer previews take than the least that any program must do to make the same pictures."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from PIL import Image

from tests.bench.bar import Bar
from workers.pipelines.previews import LARGE_EDGE, TILE_HEIGHT, TILE_WIDTH, render_previews

_PHOTOS, _SIZE, _ROUNDS = 10, (4000, 3000), 5


def run() -> list[Bar]:
    """Ten 12-megapixel JPEGs: our previews against a bare Pillow draft, thumbnail and save, in turns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = [_photo(folder / f"{number}.jpg", number) for number in range(_PHOTOS)]
        _time(_ours, photos[:1], folder), _time(_bare, photos[:1], folder)
        ratios = [_time(_ours, photos, folder) / _time(_bare, photos, folder) for _ in range(_ROUNDS)]
    return [Bar("previews-12mp-vs-bare", round(median(ratios), 3), "<=", 1.25, "x")]


def _photo(path: Path, seed: int) -> Path:
    """Noise enlarged in three steps, so that it has shapes and fine texture as a photo has."""
    coarse = Image.effect_noise((40, 30), 180).convert("RGB").rotate(seed * 36)
    fine = Image.merge("RGB", [Image.effect_noise((800, 600), 40) for _ in range(3)])
    smooth = Image.Resampling.BICUBIC
    Image.blend(coarse.resize(_SIZE, smooth), fine.resize(_SIZE, smooth), 0.4).save(path, quality=90)
    return path


def _time(make: Callable[[Path, Path], object], photos: list[Path], folder: Path) -> float:
    """Processor time: what else the machine does must not count."""
    start = time.process_time()
    for photo in photos:
        make(photo, folder)
    return time.process_time() - start


def _ours(photo: Path, folder: Path) -> None:
    render_previews(photo, "jpeg", folder)


def _bare(photo: Path, folder: Path) -> None:
    with Image.open(photo) as image:
        image.draft("RGB", (LARGE_EDGE, LARGE_EDGE))
        image.thumbnail((LARGE_EDGE, LARGE_EDGE))
        image.save(folder / "bare-large.webp", quality=80, method=2)
        image.thumbnail((TILE_WIDTH, TILE_HEIGHT))
        image.save(folder / "bare-tile.webp", quality=76, method=4)
