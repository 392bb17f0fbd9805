"""Scaling: exact sizes whatever the shape, and as near to the picture as Pillow's best filter comes."""

import numpy as np
import pytest
from PIL import Image

from workers.pipelines.scaling import fitted


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "CMYK"])
@pytest.mark.parametrize(
    "size", [(4032, 3024), (3001, 1999), (9001, 601), (60_000, 12), (1, 5000), (5000, 1), (2049, 2049), (101, 99)]
)
def test_every_shape_fits_the_box_and_keeps_its_colour(mode: str, size: tuple[int, int]) -> None:
    colour = (200, 100, 50, 255)[: len(Image.new(mode, (1, 1)).getbands())]
    image = Image.new(mode, size, colour if len(colour) > 1 else colour[0])
    for width, height in ((2048, 2048), (1760, 440), (100, 100)):
        made = fitted(image, width, height)
        assert made.mode == mode
        scale = min(1, width / size[0], height / size[1])
        assert made.size == tuple(max(1, round(length * scale)) for length in size)
        assert made.getpixel((made.width // 2, made.height // 2)) == image.getpixel((0, 0))


def test_a_picture_that_fits_is_left_alone() -> None:
    image = Image.new("RGB", (300, 200))
    assert fitted(image, 300, 200) is image


def test_fine_texture_comes_out_as_by_pillows_best_filter() -> None:
    rng = np.random.default_rng(7)
    coarse = Image.fromarray(rng.integers(0, 255, (60, 80, 3), dtype=np.uint8)).resize((1600, 1200))
    fine = Image.fromarray(rng.integers(0, 255, (1200, 1600, 3), dtype=np.uint8))
    image = Image.blend(coarse, fine, 0.3)
    for edge in (1100, 587, 100):
        size = (edge, edge * 3 // 4)
        best = np.asarray(image.resize(size, Image.Resampling.LANCZOS), dtype=float)
        assert np.abs(np.asarray(fitted(image, *size), dtype=float) - best).mean() < 3
        plain = np.asarray(image.resize(size, Image.Resampling.NEAREST), dtype=float)
        assert np.abs(plain - best).mean() > 8  # what a filter that aliases would give
