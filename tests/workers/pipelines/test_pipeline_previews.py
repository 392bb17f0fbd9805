"""Previews: upright, in sRGB, bare of metadata, for every format and mode; what cannot be shown says why."""

import base64
import io
import pickle
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import fast_thumbhash
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from workers.errors import PoisonError
from workers.pipelines import colour
from workers.pipelines.previews import Previews, render_previews

pillow_heif.register_heif_opener()

# Corners of a picture that is upright: red, green / blue, yellow.
CORNERS = ((220, 30, 30), (30, 180, 30), (30, 30, 220), (220, 220, 30))


def corners(width: int = 96, height: int = 64) -> Image.Image:
    image = Image.new("RGB", (width, height))
    for number, rgb in enumerate(CORNERS):
        image.paste(rgb, (number % 2 * width // 2, number // 2 * height // 2, width, height))
    return image


def show(tmp_path: Path, image: Image.Image, form: str, kind: str, **options: Any) -> Previews:
    image.save(tmp_path / "original", form, **options)
    return render_previews(tmp_path / "original", kind, tmp_path)


def pixels(tmp_path: Path, name: str = "large.webp") -> Image.Image:
    with Image.open(tmp_path / name) as image:
        return image.convert("RGB")


def near(a: Any, b: Any, by: int = 12) -> bool:
    return all(abs(x - y) <= by for x, y in zip(a, b, strict=True))


def assert_upright(tmp_path: Path, by: int = 14) -> None:
    for name in ("tile.webp", "large.webp"):
        image = pixels(tmp_path, name)
        w, h = image.size
        found = [image.getpixel((x, y)) for y in (h // 4, h * 3 // 4) for x in (w // 4, w * 3 // 4)]
        assert all(near(a, b, by) for a, b in zip(found, CORNERS, strict=True)), (name, found)


def refused(path: Path, kind: str, into: Path) -> PoisonError:
    with pytest.raises(PoisonError) as error:
        render_previews(path, kind, into)
    assert error.value.reason.endswith(".")
    assert pickle.loads(pickle.dumps(error.value)).args == error.value.args
    return error.value


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


# --- colours ------------------------------------------------------------------------------------------------


def profile(matrix: list[tuple[float, float, float]], gamma: float) -> bytes:
    """A display profile of three colourants (columns, in D50) and one gamma, written by hand (ICC.1:2010)."""

    def fixed(number: float) -> bytes:
        return struct.pack(">i", round(number * 65536))

    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    blocks = [(b"rXYZ", matrix[0]), (b"gXYZ", matrix[1]), (b"bXYZ", matrix[2]), (b"wtpt", (0.9642, 1.0, 0.8249))]
    parts = [(name, b"XYZ " + bytes(4) + b"".join(fixed(n) for n in numbers)) for name, numbers in blocks]
    parts += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    parts.append((b"desc", b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\x00" + bytes(78)))
    parts.append((b"cprt", b"text" + bytes(4) + b"none\x00\x00\x00\x00"))
    at, table, data = 132 + 12 * len(parts), b"", b""
    for name, body in parts:
        body += bytes(-len(body) % 4)
        table += name + struct.pack(">II", at + len(data), len(body))
        data += body
    head = (
        struct.pack(">I", at + len(data)) + b"lcms\x02\x10\x00\x00mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28)
    )
    head += b"".join(fixed(n) for n in (0.9642, 1.0, 0.8249))
    return head.ljust(128, b"\x00") + struct.pack(">I", len(parts)) + table + data


ADOBE_RGB = profile([(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)], 2.2)
DISPLAY_P3 = profile([(0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)], 2.2)


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


# --- sizes, metadata, placeholder ---------------------------------------------------------------------------


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


# --- what cannot be shown -----------------------------------------------------------------------------------


def png_of(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    packed = zlib.compress(bytes(1 << 16))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            chunk(b"IDAT", packed),
            chunk(b"IEND", b""),
        )
    )


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("png", png_of(40_000, 40_000)),
        ("gif", b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\xf0\x00\x00" + bytes(6) + b",\x00\x00\x00\x00"
         + struct.pack("<HH", 65535, 65535) + b"\x00\x02\x02L\x01\x00;"),
        ("bmp", b"BM" + struct.pack("<IIIIiiHH", 1000, 0, 54, 40, 3_000_000, 2_000_000, 1, 24) + bytes(900)),
        ("webp", b"RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x10\x00\x00\x00" + b"\xff" * 6 + bytes(8)),
    ],
    ids=["png", "gif", "bmp", "webp"],
)  # fmt: skip
def test_bombs_are_refused_at_once(tmp_path: Path, kind: str, data: bytes) -> None:
    (tmp_path / "bomb").write_bytes(data)
    start = time.monotonic()
    error = refused(tmp_path / "bomb", kind, tmp_path)
    assert error.code in ("too-large", "damaged")
    assert error.code == "too-large" or kind == "webp"  # WebP's own decoder refuses it as no WebP
    assert time.monotonic() - start < 1


def test_a_png_with_a_bomb_in_its_text_shows_without_the_text(tmp_path: Path) -> None:
    corners().save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    body = b"Comment\x00\x00" + zlib.compress(bytes(80 << 20), 9)
    text = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    (tmp_path / "a.png").write_bytes(data[:33] + text + data[33:])
    assert render_previews(tmp_path / "a.png", "png", tmp_path).width == 96
    assert_upright(tmp_path)


def photo(width: int = 640, height: int = 480) -> Image.Image:
    noise = Image.effect_noise((width // 8, height // 8), 90).resize((width, height))
    return Image.merge("RGB", (noise, noise.rotate(180), noise)).point(lambda value: max(value, 8))


def jpeg(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90, **options)
    return buffer.getvalue()


def test_a_jpeg_that_ends_in_the_middle_says_how_much_is_there(tmp_path: Path) -> None:
    data = jpeg(photo())
    (tmp_path / "a.jpg").write_bytes(data[: len(data) * 4 // 10])
    error = refused(tmp_path / "a.jpg", "jpeg", tmp_path)
    assert error.code == "truncated"
    share = int(error.reason.split("only ")[1].split(" %")[0])
    assert 33 <= share <= 44
    assert "press Retry" in error.reason
    assert not (tmp_path / "large.webp").exists()


def test_a_jpeg_that_lacks_its_last_bytes_shows_with_a_note(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(photo())[:-60])
    made = render_previews(tmp_path / "a.jpg", "jpeg", tmp_path)
    assert made.notes == ("The last few rows of the picture are missing.",)


def test_a_jpeg_that_ends_early_with_an_end_marker_shows_and_says_how_much(tmp_path: Path) -> None:
    data = jpeg(photo())
    (tmp_path / "a.jpg").write_bytes(data[: len(data) // 2] + b"\xff\xd9")
    made = render_previews(tmp_path / "a.jpg", "jpeg", tmp_path)
    assert "of this picture is in the file" in made.notes[0]


def test_a_picture_that_is_grey_at_the_end_is_whole(tmp_path: Path) -> None:
    image = photo()
    image.paste((128, 128, 128), (0, 240, 640, 480))
    (tmp_path / "a.jpg").write_bytes(jpeg(image))
    assert render_previews(tmp_path / "a.jpg", "jpeg", tmp_path).notes == ()


def test_garbage_after_the_end_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(photo()) + b"garbage" * 1000)
    assert render_previews(tmp_path / "a.jpg", "jpeg", tmp_path).notes == ()


@pytest.mark.parametrize(
    ("form", "kind"),
    [("PNG", "png"), ("WEBP", "webp"), ("GIF", "gif"), ("TIFF", "tiff"), ("HEIF", "heic"), ("AVIF", "avif")],
)
def test_half_a_file_of_any_format_is_refused(tmp_path: Path, form: str, kind: str) -> None:
    photo().save(tmp_path / "a", form)
    data = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(data[: len(data) // 2])
    assert refused(tmp_path / "a", kind, tmp_path).code in ("truncated", "damaged")


@pytest.mark.parametrize(
    "kind", ["jpeg", "png", "webp", "gif", "tiff", "heic", "avif", "jp2", "bmp", "cr2", "dng"]
)
def test_nonsense_is_refused_under_any_name(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a").write_bytes(bytes(range(256)) * 40)
    assert refused(tmp_path / "a", kind, tmp_path).code in ("damaged", "raw-unreadable")


@pytest.mark.parametrize("kind", ["psd", "svg", "xmp", "unknown"])
def test_what_nothing_here_can_decode_is_unsupported(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a").write_bytes(b"\xff\x0a")
    assert refused(tmp_path / "a", kind, tmp_path).code == "unsupported"


def test_a_tiff_that_points_beyond_any_file_is_damaged_and_no_fault_of_the_disk(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"II+\x00\x08\x00\x00\x00" + b"\xff" * 8 + bytes(100))
    assert refused(tmp_path / "a.tif", "tiff", tmp_path).code == "damaged"


def test_a_missing_file_is_the_disks_error_and_not_the_pictures(tmp_path: Path) -> None:
    for kind in ("jpeg", "dng"):
        with pytest.raises(FileNotFoundError):
            render_previews(tmp_path / "gone", kind, tmp_path)


def test_j28_a_jpeg_without_jfif_or_exif_header_shows(tmp_path: Path) -> None:
    data = jpeg(corners())
    assert data[2:4] == b"\xff\xe0"
    bare = data[:2] + data[4 + int.from_bytes(data[4:6], "big") :]
    (tmp_path / "a.jpg").write_bytes(bare)
    assert b"JFIF" not in bare
    render_previews(tmp_path / "a.jpg", "jpeg", tmp_path)
    assert_upright(tmp_path)


def test_a_name_that_is_no_utf8_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9.jpg"
    path.write_bytes(jpeg(corners()))
    assert render_previews(path, "jpeg", tmp_path).width == 96


def test_decoders_write_nothing_to_standard_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a").write_bytes(b"II*\x00\x08\x00\x00\x00" + b"\xff" * 500)
    for kind in ("tiff", "dng", "jp2"):
        refused(tmp_path / "a", kind, tmp_path)
    assert capfd.readouterr().err == ""


# --- RAW: the shared photos have real ones; here is what decides between camera's JPEG and development --


def dng(path: Path, *, width: int = 640, height: int = 480, values: Any = None) -> Path:
    """An uncompressed Bayer DNG: little else than the tags that LibRaw needs."""
    if values is None:
        ramp = np.linspace(2000, 40000, width)[None, :] + np.random.default_rng(1).normal(0, 300, (height, width))
        values = ramp
    data = np.clip(values, 0, 65535).astype("<u2").tobytes()
    tags: list[tuple[int, int, int, bytes]] = [
        (254, 4, 1, struct.pack("<I", 0)),
        (256, 4, 1, struct.pack("<I", width)),
        (257, 4, 1, struct.pack("<I", height)),
        (258, 3, 1, struct.pack("<HH", 16, 0)),
        (259, 3, 1, struct.pack("<HH", 1, 0)),
        (262, 3, 1, struct.pack("<HH", 32803, 0)),
        (271, 2, 5, b"Test\x00"),
        (272, 2, 6, b"Bayer\x00"),
        (273, 4, 1, b"DATA"),
        (274, 3, 1, struct.pack("<HH", 6, 0)),
        (277, 3, 1, struct.pack("<HH", 1, 0)),
        (278, 4, 1, struct.pack("<I", height)),
        (279, 4, 1, struct.pack("<I", len(data))),
        (33421, 3, 2, struct.pack("<HH", 2, 2)),
        (33422, 1, 4, bytes((0, 1, 1, 2))),
        (50706, 1, 4, bytes((1, 4, 0, 0))),
        (50708, 2, 11, b"Test Bayer\x00"),
        (50721, 10, 9, b"".join(struct.pack("<ii", n, 1) for n in (1, 0, 0, 0, 1, 0, 0, 0, 1))),
        (50728, 5, 3, struct.pack("<6I", 1, 2, 1, 1, 1, 2)),
        (50778, 3, 1, struct.pack("<HH", 21, 0)),
    ]
    extra, entries, start = b"", b"", 8 + 2 + 12 * len(tags) + 4
    for tag, kind, count, body in tags:
        place = body
        if len(body) > 4:
            place = struct.pack("<I", start + len(extra))
            extra += body + bytes(len(body) & 1)
        entries += struct.pack("<HHI", tag, kind, count) + place.ljust(4, b"\x00")
    pixels_at = struct.pack("<I", start + len(extra))
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries.replace(b"DATA", pixels_at) + bytes(4)
    path.write_bytes(head + extra + data)
    return path


def test_a_raw_is_developed_and_turned(tmp_path: Path) -> None:
    made = render_previews(dng(tmp_path / "a.dng"), "dng", tmp_path)
    assert (made.width, made.height, made.method) == (480, 640, "raw")
    shown = pixels(tmp_path).convert("L")
    top, bottom = shown.getpixel((240, 60)), shown.getpixel((240, 580))
    assert bottom - top > 60  # the ramp ran to the right; a quarter turn clockwise makes it run down


def test_a_raw_of_noise_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(2).uniform(0, 65535, (480, 640))
    assert refused(dng(tmp_path / "a.dng", values=noise), "dng", tmp_path).code == "raw-unreadable"


def test_a_raw_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    data = dng(tmp_path / "a.dng").read_bytes()
    for keep in (2000, len(data) // 2):
        (tmp_path / "a.dng").write_bytes(data[:keep])
        assert refused(tmp_path / "a.dng", "dng", tmp_path).code in ("raw-unreadable", "truncated")


def test_a_raw_that_cannot_be_read_shows_the_cameras_large_jpeg(tmp_path: Path) -> None:
    inside = jpeg(corners(1920, 1280))
    (tmp_path / "a.raf").write_bytes(b"FUJIFILMCCD-RAW 0201" + bytes(500) + inside + bytes(5000))
    made = render_previews(tmp_path / "a.raf", "raf", tmp_path)
    assert (made.method, made.width, made.height) == ("embedded jpeg", 1920, 1280)
    assert_upright(tmp_path)


def test_a_raw_with_only_a_small_jpeg_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.raf").write_bytes(b"FUJIFILMCCD-RAW 0201" + bytes(500) + jpeg(corners()) + bytes(5000))
    assert refused(tmp_path / "a.raf", "raf", tmp_path).code == "raw-unreadable"


# --- J31: large pictures ------------------------------------------------------------------------------------

MEASURE = """
import sys
from pathlib import Path
from workers.pipelines.previews import render_previews
made = render_previews(Path(sys.argv[1]), "jpeg", Path(sys.argv[2]))
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(made.width, made.height, int(peak.split()[1]) // 1024)
"""


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.slow
def test_j31_250_megapixels_fit_into_one_gigabyte(tmp_path: Path, progressive: bool) -> None:
    size = (18_250, 13_700)
    tile = jpeg(Image.radial_gradient("L").resize((1825, 1370)).convert("RGB"))
    with Image.open(io.BytesIO(tile)) as small:
        big = small.resize(size, Image.Resampling.NEAREST)
    big.save(tmp_path / "a.jpg", quality=60, progressive=progressive)
    del big
    answer = subprocess.run(
        [sys.executable, "-c", MEASURE, tmp_path / "a.jpg", tmp_path],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    width, height, mebibytes = map(int, answer.stdout.split())
    assert (width, height) == size
    assert mebibytes < 1024
