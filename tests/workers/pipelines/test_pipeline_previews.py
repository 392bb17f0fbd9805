"""Previews: upright and bare of metadata, for every format, in the sizes that pages ask for."""

import base64
from pathlib import Path
from typing import Any

import fast_thumbhash
import pytest
from PIL import Image

from tests.workers.pipelines.showing import ADOBE_RGB, assert_upright, corners, near, pixels, show
from workers.pipelines.previews import render_previews


@pytest.mark.parametrize(
    ("form", "kind", "options"),
    [
        ("JPEG", "jpeg", {"quality": 95}),
        ("JPEG", "jpeg", {"quality": 95, "progressive": True}),
        ("PNG", "png", {}),
        ("WEBP", "webp", {"quality": 95}),
        ("GIF", "gif", {}),
        ("TIFF", "tiff", {}),
        ("TIFF", "tiff", {"compression": "tiff_lzw"}),
        ("TIFF", "tiff", {"compression": "jpeg", "quality": 95}),
        ("BMP", "bmp", {}),
        ("JPEG2000", "jp2", {}),
        ("HEIF", "heic", {"quality": 90}),
        ("AVIF", "avif", {"quality": 90}),
        ("MPO", "mpo", {"quality": 95}),
    ],
)
def test_every_format_gives_a_tile_and_a_large_preview(
    tmp_path: Path, form: str, kind: str, options: dict[str, Any]
) -> None:
    made = show(tmp_path, corners(), form, kind, **options)
    assert (made.width, made.height, made.method) == (96, 64, "decoded")
    assert_upright(tmp_path)
    for rendition in (made.tile, made.large):
        assert (tmp_path / rendition.name).stat().st_size == rendition.bytes
        assert pixels(tmp_path, rendition.name).size == (rendition.width, rendition.height)


@pytest.mark.parametrize(("form", "kind"), [("PNG", "apng"), ("GIF", "gif"), ("WEBP", "webp"), ("TIFF", "tiff")])
def test_of_several_pictures_the_first_shows(tmp_path: Path, form: str, kind: str) -> None:
    others = [Image.new("RGB", (96, 64), "black")] * 2
    show(tmp_path, corners(), form, kind, save_all=True, append_images=others)
    assert_upright(tmp_path, by=30)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations_come_out_upright(tmp_path: Path, orientation: int, form: str) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = corners().transpose(undo[orientation]) if orientation > 1 else corners()
    exif = Image.Exif()
    exif[274] = orientation
    options: dict[str, Any] = {"quality": 95} if form in ("JPEG", "WEBP") else {}
    made = show(tmp_path, stored, form, form.lower(), exif=exif.tobytes(), **options)
    assert (made.width, made.height) == (96, 64)
    assert_upright(tmp_path)


@pytest.mark.parametrize(("form", "kind"), [("HEIF", "heic"), ("AVIF", "avif")])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_containers_own_turn_is_applied_once(tmp_path: Path, orientation: int, form: str, kind: str) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    made = show(tmp_path, corners(), form, kind, exif=exif.tobytes(), quality=90)
    shown = pixels(tmp_path)
    expected = corners()
    expected.getexif()[274] = orientation
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(expected)
    assert (made.width, made.height) == shown.size == upright.size
    for x, y in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75)):
        at = (int(upright.width * x), int(upright.height * y))
        assert near(shown.getpixel(at), upright.getpixel(at), 20)


def test_an_orientation_given_overrules_the_files_own(tmp_path: Path) -> None:
    corners().save(tmp_path / "a.jpg", quality=95)
    made = render_previews(tmp_path / "a.jpg", "jpeg", tmp_path, orientation=6)
    assert (made.width, made.height) == (64, 96)


@pytest.mark.parametrize(("form", "kind"), [("HEIF", "heic"), ("AVIF", "avif"), ("TIFF", "tiff")])
def test_an_orientation_given_does_not_turn_twice_what_its_decoder_turns(
    tmp_path: Path, form: str, kind: str
) -> None:
    exif = Image.Exif()
    exif[274] = 6
    corners().transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a", form, exif=exif.tobytes())
    made = render_previews(tmp_path / "a", kind, tmp_path, orientation=6)
    assert (made.width, made.height) == (96, 64)
    assert_upright(tmp_path, by=30)


@pytest.mark.parametrize(
    ("size", "tile", "large"),
    [
        ((4000, 3000), (587, 440), (2048, 1536)),
        ((3000, 4000), (330, 440), (1536, 2048)),
        ((300, 200), (300, 200), (300, 200)),
        ((8000, 400), (1760, 88), (2048, 102)),
        ((60000, 12), (1760, 1), (2048, 1)),
        ((1, 1), (1, 1), (1, 1)),
    ],
)
def test_previews_fit_their_boxes_and_are_never_enlarged_or_empty(
    tmp_path: Path, size: tuple[int, int], tile: tuple[int, int], large: tuple[int, int]
) -> None:
    made = show(tmp_path, Image.new("RGB", size, "teal"), "PNG", "png")
    assert (made.width, made.height) == size
    assert (made.tile.width, made.tile.height) == tile
    assert (made.large.width, made.large.height) == large


def test_nothing_of_the_files_metadata_is_in_the_previews(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.update({271: "Secretcam", 274: 1})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 0.0, 0.0), 3: "E", 4: (11.0, 0.0, 0.0)})
    show(
        tmp_path,
        corners(),
        "WEBP",
        "webp",
        exif=exif.tobytes(),
        icc_profile=ADOBE_RGB,
        xmp=b"<x:xmpmeta>Secretcam",
    )
    for name in ("tile.webp", "large.webp"):
        data = (tmp_path / name).read_bytes()
        chunks, at = [], 12
        while at + 8 <= len(data):
            chunks.append(data[at : at + 4])
            at += 8 + int.from_bytes(data[at + 4 : at + 8], "little") + (data[at + 4] & 1)
        assert chunks == [b"VP8 "]  # no VP8X, hence no EXIF, XMP, ICCP
        assert b"Secretcam" not in data


def test_the_placeholder_has_the_pictures_colour_and_shape(tmp_path: Path) -> None:
    made = show(tmp_path, Image.new("RGB", (300, 200), (200, 80, 40)), "PNG", "png")
    packed = base64.b64decode(made.thumbhash)
    red, green, blue, alpha = fast_thumbhash.thumb_hash_to_average_rgba(packed)
    assert near((red * 255, green * 255, blue * 255), (200, 80, 40), 14)
    assert alpha == 1
    assert fast_thumbhash.thumb_hash_to_approximate_aspect_ratio(packed) == pytest.approx(1.5, abs=0.3)
