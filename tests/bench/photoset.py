"""JPEGs like those out of cameras, of 12 and 24 megapixels, made from the shared photos where these are there."""

import functools
import io
import os
import struct
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import pillow_heif
from PIL import Image, ImageOps

SIZES = ((4032, 3024), (6000, 4000))
# The largest ones of the shared set, each of another camera, light and texture.
_LARGE = (
    "good/craft-beer.jpg",
    "geo/empty_gps.jpg",
    "heic/IMG_1034.heic",
    "heic/IMG_2682.heic",
    "heic/samsung-one-ui-6.heic",
    "heic/exif-at-eof.heic",
    "orientation/broken_orientation_exif.jpg",
    "geo/Nokia Lumia 800.jpg",
)
# Real cameras' Exif blocks, with their makers' notes, for the metadata to be read from.
_EXIF = (
    "good/Canon EOS REBEL T3i.jpg",
    "geo/DSCN0012.jpg",
    "good/wild-1.jpg",
    "geo/empty_gps.jpg",
    "good/owl.jpg",
    "geo/Nokia Lumia 800.jpg",
)
_QUALITY = 92


def shared_photos() -> Path | None:
    """The folder of shared photos, where it is there."""
    here = Path(os.environ.get("FILMROLL_SHARED", Path(__file__).parents[3] / "shared")) / "photos"
    return here if (here / "MANIFEST.json").exists() else None


def pictures() -> Iterator[Image.Image]:
    """Upright pictures, as large as they are at hand."""
    pillow_heif.register_heif_opener()
    shared = shared_photos()
    if shared is None:
        yield from (_drawn(number) for number in range(len(_LARGE)))
        return
    for name in _LARGE:
        with Image.open(shared / name) as image:
            profile = image.info.get("icc_profile")
            upright = ImageOps.exif_transpose(image).convert("RGB")
            upright.info = {"icc_profile": profile}
            yield upright


def make(folder: Path, count: int) -> list[Path]:
    """So many JPEGs, half of 12 and half of 24 megapixels, no two alike, though some only by a comment."""
    return write(folder, _all_bodies(), count)


def make_small(folder: Path, count: int, edge: int = 400) -> list[Path]:
    """So many small JPEGs, no two alike."""
    small = []
    for picture in islice(pictures(), 4):
        file = io.BytesIO()
        picture.resize((edge, edge * 3 // 4)).save(file, "JPEG", quality=_QUALITY)
        small.append(file.getvalue())
    return write(folder, small, count)


def write(folder: Path, bodies: list[bytes], count: int) -> list[Path]:
    """So many files of these JPEGs, each with a comment of its own, so that no two are the same photo."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number, body in enumerate(islice(cycle(bodies), count)):
        path = folder / f"{number:06}.jpg"
        path.write_bytes(body[:2] + _segment(0xFE, f"{folder} {number}".encode()) + body[2:])
        made.append(path)
    return made


@functools.lru_cache(maxsize=1)
def _all_bodies() -> list[bytes]:
    return [body for picture in pictures() for body in _bodies(picture)]


def _bodies(picture: Image.Image) -> Iterator[bytes]:
    shared = shared_photos()
    blocks = [block for name in _EXIF if shared and (block := _exif_of(shared / name))] or [b""]
    for number, (width, height) in enumerate(SIZES):
        size = (height, width) if picture.height > picture.width else (width, height)
        fitted = ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
        file = io.BytesIO()
        profile = picture.info.get("icc_profile")
        exif = blocks[(picture.width + number) % len(blocks)]
        fitted.save(file, "JPEG", quality=_QUALITY, exif=exif, icc_profile=profile)
        yield file.getvalue()


def _exif_of(path: Path) -> bytes:
    if not path.exists():
        return b""
    with Image.open(path) as image:
        block = image.info.get("exif", b"")
        return block if isinstance(block, bytes) and len(block) < 60_000 else b""


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _drawn(seed: int) -> Image.Image:
    """Noise enlarged in three steps, so that it has shapes and fine texture as a photo has."""
    size = SIZES[-1]
    coarse = Image.effect_noise((40, 30), 180).convert("RGB").rotate(seed * 36)
    fine = Image.merge("RGB", [Image.effect_noise((800, 600), 40) for _ in range(3)])
    smooth = Image.Resampling.BICUBIC
    return Image.blend(coarse.resize(size, smooth), fine.resize(size, smooth), 0.4)
