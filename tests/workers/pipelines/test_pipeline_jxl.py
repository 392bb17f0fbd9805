"""JPEG XL: shown in every depth, the claimed size known before a pixel is decoded, halves and bombs refused."""

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from workers.errors import PoisonError
from workers.pipelines.jxl import claimed_size
from workers.pipelines.previews import Previews, render_previews


def ramp(width: int = 96, height: int = 64) -> Any:
    """Darker to the left, redder to the bottom."""
    across = np.linspace(0, 255, width)[None, :, None] * np.ones((height, 1, 3))
    across[..., 0] = np.linspace(0, 255, height)[:, None]
    return across.astype(np.uint8)


def show(folder: Path, pixels: Any, **options: Any) -> Previews:
    (folder / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(pixels, **options))
    return render_previews(folder / "a.jxl", "jxl", folder)


@pytest.mark.parametrize("size", [(96, 64), (100, 80), (97, 61), (1000, 16), (256, 256), (300, 150), (700, 9)])
@pytest.mark.parametrize("container", [False, True])
def test_the_claimed_size_is_read_from_the_header(size: tuple[int, int], container: bool) -> None:
    data = imagecodecs.jpegxl_encode(ramp(*size), usecontainer=container)
    assert data.startswith(b"\xff\x0a") is not container
    assert claimed_size(data) == size


@pytest.mark.parametrize("depth", ["8", "16", "float", "grey", "alpha"])
def test_every_depth_shows(tmp_path: Path, depth: str) -> None:
    pixels = ramp()
    made = {
        "8": pixels,
        "16": pixels.astype(np.uint16) * 257,
        "float": pixels.astype(np.float32) / 255,
        "grey": pixels[..., 1],
        "alpha": np.dstack([pixels, np.full((64, 96), 255, np.uint8)]),
    }[depth]
    shown = show(tmp_path, made, lossless=True)
    assert (shown.width, shown.height) == (96, 64)
    with Image.open(tmp_path / "large.webp") as image:
        seen = np.asarray(image.convert("RGB"), dtype=float)
    wanted = pixels.astype(float) if depth != "grey" else np.repeat(pixels[..., 1:2], 3, axis=2).astype(float)
    assert np.abs(seen - wanted).mean() < 12


def test_of_an_animation_the_first_picture_shows(tmp_path: Path) -> None:
    show(tmp_path, np.stack([np.full((64, 96, 3), 200, np.uint8), np.zeros((64, 96, 3), np.uint8)]))
    with Image.open(tmp_path / "large.webp") as image:
        assert min(image.convert("RGB").getpixel((48, 32))) > 180


@pytest.mark.parametrize("container", [False, True])
def test_half_a_file_and_nonsense_are_refused(tmp_path: Path, container: bool) -> None:
    rng = np.random.default_rng(3)
    whole = imagecodecs.jpegxl_encode(rng.integers(0, 255, (200, 200, 3), dtype=np.uint8), usecontainer=container)
    for data in (whole[: len(whole) // 2], whole[:30] + bytes(500), whole[:9], b""):
        (tmp_path / "a").write_bytes(data)
        with pytest.raises(PoisonError) as error:
            render_previews(tmp_path / "a", "jxl", tmp_path)
        assert error.value.code in ("truncated", "damaged")


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    data = bytearray(imagecodecs.jpegxl_encode(ramp(), usecontainer=False))
    # The size header written anew: 30 bits of height, ratio 1 to 1.
    header = 0 | (3 << 1) | ((1 << 29) << 3) | (1 << 33)
    data[2:7] = header.to_bytes(5, "little")
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(PoisonError) as error:
        render_previews(tmp_path / "a", "jxl", tmp_path)
    assert error.value.code == "too-large"
