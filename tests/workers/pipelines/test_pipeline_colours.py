"""Previews are in sRGB, whatever mode, profile and range the original has."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.workers.pipelines.showing import ADOBE_RGB, DISPLAY_P3, assert_upright, corners, near, pixels, show
from workers.pipelines import colour


@pytest.mark.parametrize(
    ("icc", "stored", "shown"),
    [
        # Made with the matrices of both spaces: what sRGB (100, 150, 200) is in Adobe RGB and in Display P3.
        (ADOBE_RGB, (115, 149, 197), (100, 150, 200)),
        (DISPLAY_P3, (114, 149, 195), (100, 150, 200)),
        (ADOBE_RGB, (128, 128, 128), (128, 128, 128)),
    ],
)
def test_a_profile_is_converted_to_srgb(
    tmp_path: Path, icc: bytes, stored: tuple[int, int, int], shown: tuple[int, int, int]
) -> None:
    made = show(tmp_path, Image.new("RGB", (64, 64), stored), "PNG", "png", icc_profile=icc)
    assert near(pixels(tmp_path).getpixel((32, 32)), shown, 4)
    assert made.notes == ()


def test_srgb_under_another_name_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    colour._is_srgb.cache_clear()
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    apply, applied = colour._applied, []

    def count(image: Image.Image, transform: Any) -> Image.Image:
        applied.append(image.size)
        return apply(image, transform)

    monkeypatch.setattr(colour, "_applied", count)
    show(tmp_path, corners(), "PNG", "png", icc_profile=icc)
    assert applied == [(18**3, 1)], "only to find out"
    with_it = (tmp_path / "large.webp").read_bytes()
    show(tmp_path, corners(), "PNG", "png")
    assert (tmp_path / "large.webp").read_bytes() == with_it


def test_without_its_profile_the_same_picture_looks_different(tmp_path: Path) -> None:
    show(tmp_path, Image.new("RGB", (64, 64), (100, 150, 200)), "PNG", "png", icc_profile=ADOBE_RGB)
    converted = pixels(tmp_path).getpixel((32, 32))
    show(tmp_path, Image.new("RGB", (64, 64), (100, 150, 200)), "PNG", "png")
    assert not near(converted, pixels(tmp_path).getpixel((32, 32)), 4)


@pytest.mark.parametrize("icc", [b"no profile at all", ADOBE_RGB[:200], ADOBE_RGB[:16] + b"CMYK" + ADOBE_RGB[20:]])
def test_a_broken_profile_is_ignored_with_a_note(tmp_path: Path, icc: bytes) -> None:
    made = show(tmp_path, corners(), "JPEG", "jpeg", icc_profile=icc, quality=95)
    assert "ignored" in made.notes[0]
    assert_upright(tmp_path)


def test_a_grey_picture_with_a_colour_profile_stays_grey(tmp_path: Path) -> None:
    show(tmp_path, Image.new("L", (64, 64), 128), "JPEG", "jpeg", icc_profile=ADOBE_RGB)
    assert near(pixels(tmp_path).getpixel((32, 32)), (128, 128, 128), 4)


def test_adobes_inverted_cmyk_is_not_a_negative(tmp_path: Path) -> None:
    show(tmp_path, corners().convert("CMYK"), "JPEG", "jpeg", quality=95)
    assert_upright(tmp_path, by=25)


def grey_ramp(dtype: Any, top: float) -> Image.Image:
    ramp = np.tile(np.linspace(0, top, 256), (32, 1)).astype(dtype)
    return Image.fromarray(ramp)


@pytest.mark.parametrize(
    ("image", "form", "kind"),
    [
        (grey_ramp(np.uint16, 65535), "PNG", "png"),
        (grey_ramp(np.uint16, 65535), "TIFF", "tiff"),
        (grey_ramp(np.uint16, 4095), "TIFF", "tiff"),
        (grey_ramp(np.int32, 65535), "TIFF", "tiff"),
        (grey_ramp(np.float32, 1.0), "TIFF", "tiff"),
        (grey_ramp(np.float32, 255.0), "TIFF", "tiff"),
        (grey_ramp(np.float32, 3.7e5), "TIFF", "tiff"),
        (grey_ramp(np.uint8, 255), "PNG", "png"),
    ],
    ids=["png 16", "tiff 16", "tiff 12 in 16", "tiff 32", "float to 1", "float to 255", "float to much", "8"],
)
def test_j29_deep_greys_keep_their_range(tmp_path: Path, image: Image.Image, form: str, kind: str) -> None:
    show(tmp_path, image, form, kind)
    shown = pixels(tmp_path)
    assert near(shown.getpixel((2, 16)), (2, 2, 2), 10)
    assert near(shown.getpixel((128, 16)), (128, 128, 128), 10)
    assert near(shown.getpixel((253, 16)), (253, 253, 253), 10)


def test_j29_floats_that_are_no_numbers_show_as_black(tmp_path: Path) -> None:
    values = np.full((32, 32), 0.5, dtype=np.float32)
    values[:16] = np.nan
    values[16:, :4] = np.inf
    show(tmp_path, Image.fromarray(values), "TIFF", "tiff")
    assert near(pixels(tmp_path).getpixel((16, 4)), (0, 0, 0), 10)
    assert near(pixels(tmp_path).getpixel((20, 28)), (128, 128, 128), 10)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I", "F", "I;16"])
def test_j29_every_mode_goes_through(tmp_path: Path, mode: str) -> None:
    form = "TIFF" if mode not in ("P", "LA", "RGBA") else "PNG"
    if mode == "I;16":
        image = grey_ramp(np.uint16, 65535)
    elif mode == "LAB":
        to_lab = ImageCms.buildTransform(
            ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
        )
        image = ImageCms.applyTransform(corners(), to_lab)
        assert image is not None
    elif mode in ("I", "F"):
        image = corners().convert("L").convert(mode)
    else:
        image = corners().quantize(8) if mode == "P" else corners().convert(mode)
    made = show(tmp_path, image, form, form.lower())
    assert made.tile.width == made.width
    if mode in ("RGB", "RGBA", "CMYK", "YCbCr", "LAB", "P"):
        assert_upright(tmp_path, by=30)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB", "L"])
def test_j29_transparent_parts_show_white(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image.paste((40, 40, 40, 255), (32, 0, 64, 64))
    options: dict[str, Any] = {}
    if mode in ("RGB", "L"):  # one colour declared transparent
        image, options = image.convert(mode), {"transparency": (0, 0, 0) if mode == "RGB" else 0}
    show(tmp_path, image.convert(mode), "PNG", "png", **options)
    assert near(pixels(tmp_path).getpixel((10, 32)), (255, 255, 255), 4)
    assert near(pixels(tmp_path).getpixel((54, 32)), (40, 40, 40), 8)


def test_half_transparent_edges_do_not_turn_dark_when_scaled(tmp_path: Path) -> None:
    image = Image.new("RGBA", (4096, 64), (0, 0, 0, 0))
    for x in range(0, 4096, 2):
        image.paste((255, 0, 0, 255), (x, 0, x + 1, 64))
    show(tmp_path, image, "PNG", "png")
    assert near(pixels(tmp_path).getpixel((1000, 16)), (255, 128, 128), 12)


def test_hdr_pictures_are_brought_to_the_screen() -> None:
    def coded(nits: float) -> int:  # SMPTE ST 2084, the other way
        power = (nits / 10_000) ** 0.1593017578125
        return round(255 * ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)

    ramp = Image.new("RGB", (4, 1))
    for x, nits in enumerate((0, 50, 203, 1000)):
        ramp.putpixel((x, 0), (coded(nits),) * 3)
    shown = [pixel[0] for pixel in np.asarray(colour.from_coded(ramp, 12, 16))[0].tolist()]
    assert shown[0] == 0
    assert 125 < shown[1] < 140  # a quarter of white's light
    assert 225 < shown[2] < shown[3] <= 255  # white is nearly white, and highlights are still brighter
