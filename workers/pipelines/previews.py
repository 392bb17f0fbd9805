"""One decode of an original makes its tile, its large preview and its placeholder: upright, sRGB, no metadata."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import fast_thumbhash
from PIL import Image

from workers.pipelines import refusals
from workers.pipelines.colour import from_coded, is_coded, to_plain_mode, to_srgb
from workers.pipelines.decoding import Decoded, decode
from workers.pipelines.jxl import decode_jxl
from workers.pipelines.kinds import KINDS
from workers.pipelines.likeness import likeness_of
from workers.pipelines.looks import Looks, looks_of
from workers.pipelines.poster import decode_poster
from workers.pipelines.raw import decode_raw
from workers.pipelines.scaling import fitted

LARGE_EDGE = 2048
# Half of 12 megapixels' 4,032 or 4,000 is near enough: decoded at half size, they need no scaling at all.
LARGE_ENOUGH = 1920
# Rows of the timeline are 220 high, sharp on screens with twice the pixels; wide panoramas end somewhere.
TILE_HEIGHT, TILE_WIDTH = 440, 1760
_PLACEHOLDER_EDGE = 100
# Measured (docs/previews.md): method 2 takes 40 % of the time of method 4 for 3 % more bytes.
LARGE_OPTIONS = {"quality": 80, "method": 2}
TILE_OPTIONS = {"quality": 78, "method": 2}
_TURNED_BY_EXIF = ("jpeg", "mpo", "png", "apng", "webp")
# Exif orientation → what to do with the stored pixels.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# By kind, else by medium.
_DECODERS: dict[str, Callable[[Path, str], Decoded]] = {
    "jxl": lambda path, _: decode_jxl(path),
    "image": lambda path, kind_name: decode(path, kind_name, LARGE_ENOUGH),
    "raw": lambda path, _: decode_raw(path, LARGE_ENOUGH),
    "video": lambda path, kind_name: decode_poster(path, kind_name, LARGE_EDGE),
}


@dataclass(frozen=True, slots=True)
class Rendition:
    """One picture file made: its name in the folder, its pixels and its bytes on disk."""

    name: str
    mime: str
    width: int
    height: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Previews:
    """What one decode gave. Width and height are those of the whole upright original."""

    width: int
    height: int
    tile: Rendition
    large: Rendition
    thumbhash: str
    method: str
    notes: tuple[str, ...]
    likeness: str = ""
    looks: Looks | None = None


def render_previews(path: Path, kind_name: str, into: Path, orientation: int | None = None) -> Previews:
    """Write tile.webp and large.webp into the folder `into`.

    The file's own orientation counts, or the one given (1 to 8) for the formats that keep it in Exif. TIFF, HEIC,
    AVIF and RAW come out of their decoders upright whatever their Exif says, so there nothing given is applied.
    Raises PoisonError for what cannot be shown, OSError for the disk's own errors.
    """
    decoder = _DECODERS.get(kind_name) or _DECODERS.get(KINDS[kind_name].media)
    if decoder is None:
        raise refusals.unsupported(kind_name)
    decoded = decoder(path, kind_name)
    turn = orientation if orientation and kind_name in _TURNED_BY_EXIF else decoded.orientation
    large = _finished(decoded, turn)
    tile = fitted(large, TILE_WIDTH, TILE_HEIGHT)
    width, height = decoded.stored[::-1] if turn >= 5 else decoded.stored
    return Previews(
        width,
        height,
        _save(tile, into / "tile.webp", TILE_OPTIONS),
        _save(large, into / "large.webp", LARGE_OPTIONS),
        thumbhash_of(tile),
        decoded.method,
        tuple(dict.fromkeys(decoded.notes)),
        likeness_of(tile),
        looks_of(tile),
    )


def thumbhash_of(image: Image.Image) -> str:
    """The placeholder: about 25 bytes of colours and shape, in base64."""
    small = fitted(image, _PLACEHOLDER_EDGE, _PLACEHOLDER_EDGE).convert("RGBA")
    return base64.b64encode(bytes(fast_thumbhash.rgba_to_thumb_hash(*small.size, small.tobytes()))).decode("ascii")


def _finished(decoded: Decoded, turn: int) -> Image.Image:
    """Scaled first, then turned and coloured: the later steps cost by the pixel."""
    image = fitted(to_plain_mode(decoded.image, decoded.notes), LARGE_EDGE, LARGE_EDGE)
    if turn in _TURNS:
        image = image.transpose(_TURNS[turn])
    image = to_srgb(image, decoded.profile, decoded.notes)
    if is_coded(*decoded.coded):
        image = from_coded(image, *decoded.coded)
    image.info = {}  # the writer would take profile, Exif and XMP from here
    return image


def _save(image: Image.Image, path: Path, options: dict[str, int]) -> Rendition:
    image.save(path, "WEBP", **options)
    return Rendition(path.name, "image/webp", image.width, image.height, path.stat().st_size)
