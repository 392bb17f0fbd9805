"""Small pictures made on the spot, each with content of its own, and ten ways to break one."""

import io
from pathlib import Path

from PIL import Image


def make_picture(path: Path, number: int = 0, size: tuple[int, int] = (320, 240), **options: object) -> Path:
    """A picture whose colours and pattern follow from its number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.radial_gradient("L").resize(size)
    red, green, blue = (number * 37) % 256, (number * 91 + 60) % 256, (number * 151 + 120) % 256
    coloured = Image.merge("RGB", [image.point(lambda v, c=c: (v + c) % 256) for c in (red, green, blue)])
    coloured.putpixel((number % size[0], number // size[0] % size[1]), (255, 0, 0))
    coloured.save(path, **options)
    return path


def picture_bytes(number: int = 0, kind: str = "JPEG") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (200, 150), ((number * 37) % 256, 90, 160)).save(made, kind)
    return made.getvalue()


def broken_pictures() -> dict[str, bytes]:
    """Ten files that call themselves pictures and cannot be shown, each broken in its own way."""
    jpeg, png = picture_bytes(1), picture_bytes(2, "PNG")
    return {
        "empty.jpg": b"",
        "cut-in-half.jpg": _noisy_jpeg()[:4000],
        "header-only.jpg": jpeg[:20],
        "web-page.jpg": b"<!DOCTYPE html><html><body>Not found</body></html>",
        "text.png": b"These are words, not a picture.\n" * 20,
        "zeros.jpg": bytes(5000),
        "cut.png": _noisy_png()[:3000],
        "wrong-checksum.png": png[:50] + bytes([png[50] ^ 0xFF]) + png[51:],
        "cut.heic": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(40),
        "cut.webp": b"RIFF\xff\x00\x00\x00WEBPVP8 " + bytes(30),
    }


def _noise() -> Image.Image:
    return Image.effect_noise((400, 300), 90).convert("RGB")


def _noisy_jpeg() -> bytes:
    made = io.BytesIO()
    _noise().save(made, "JPEG", quality=90)
    return made.getvalue()


def _noisy_png() -> bytes:
    made = io.BytesIO()
    _noise().save(made, "PNG")
    return made.getvalue()
