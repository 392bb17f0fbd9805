"""Pictures with corners that one knows again, and what their previews show."""

import io
import pickle
import struct
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from PIL import Image

from workers.errors import PoisonError
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


def photo(width: int = 640, height: int = 480) -> Image.Image:
    noise = Image.effect_noise((width // 8, height // 8), 90).resize((width, height))
    return Image.merge("RGB", (noise, noise.rotate(180), noise)).point(lambda value: max(value, 8))


def jpeg(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90, **options)
    return buffer.getvalue()


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
