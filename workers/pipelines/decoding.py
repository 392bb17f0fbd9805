"""Opens any picture that Pillow reads, as small as will do, and says in plain words why one cannot be shown."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pillow_heif
from PIL import Image

from workers.errors import PoisonError
from workers.pipelines import isobmff, refusals
from workers.pipelines.directories import read_directories
from workers.pipelines.endings import ends_in_grey, gif_is_cut, without_end
from workers.pipelines.quiet import DECODER_ERRORS, is_disk_error, quiet_decoding

pillow_heif.register_heif_opener(depth_images=False, aux_images=False)

_FORMATS: dict[str, tuple[str, ...]] = {
    "jpeg": ("JPEG", "MPO"),
    "mpo": ("JPEG", "MPO"),
    "png": ("PNG",),
    "apng": ("PNG",),
    "webp": ("WEBP",),
    "gif": ("GIF",),
    "tiff": ("TIFF",),
    "heic": ("HEIF",),
    "heif": ("HEIF",),
    "avif": ("AVIF",),
    "jp2": ("JPEG2000",),
    "bmp": ("BMP", "DIB"),
}
# Pixels that a file may claim. Most formats are decoded whole: 300 megapixels take 1.2 GB for a moment.
# JPEG and JPEG 2000 can be decoded smaller; a progressive JPEG still keeps all its coefficients in memory.
_LIMIT = 300_000_000
_REDUCIBLE_LIMIT = 1_000_000_000
# JPEG's blocks are up to 16 rows high, and the decoder keeps one more row of them back until it has seen the end:
# a picture that lacks no more than that is whole to the eye.
_ROWS_KEPT_BACK = 32


@dataclass(slots=True)
class Decoded:
    """A picture, perhaps decoded smaller. `stored` is its full size as stored, before it is turned upright."""

    image: Image.Image
    stored: tuple[int, int]
    orientation: int = 1
    profile: bytes | None = None
    coded: tuple[int, int] = (0, 0)  # primaries and transfer function by number, where there is no profile
    method: str = "decoded"
    notes: list[str] = field(default_factory=list)


def decode(path: Path, kind_name: str, edge: int) -> Decoded:
    """The first picture of a file, at least `edge` pixels long where it has as many.

    Raises PoisonError for what is no whole picture, OSError for the disk's own errors, MemoryError as it comes.
    """
    if kind_name not in _FORMATS:
        raise refusals.unsupported(kind_name)
    try:
        return _decode(path, kind_name, edge)
    except Image.DecompressionBombError:
        raise refusals.damaged() from None
    except DECODER_ERRORS as error:
        if is_disk_error(error):
            raise
        if isinstance(error, ValueError) and kind_name in ("png", "apng"):
            return decode_bytes(_without_texts(path), kind_name, edge)
        raise _refusal(error) from error


def decode_bytes(data: bytes, kind_name: str, edge: int) -> Decoded:
    """The same for a picture in memory. Raises PoisonError."""
    try:
        return _decode(io.BytesIO(data), kind_name, edge)
    except DECODER_ERRORS as error:
        raise _refusal(error) from error


def _decode(source: Path | io.BytesIO, kind_name: str, edge: int) -> Decoded:
    with quiet_decoding(), Image.open(source, formats=_FORMATS[kind_name]) as image:
        stored = image.size
        _check_size(stored, kind_name, image)
        _reduce(image, edge)
        pixels, notes = _loaded(image, stored[1])
        notes += _note_early_end(image, pixels, source, edge)
        if image.format == "GIF" and gif_is_cut(_bytes(source)):
            raise refusals.truncated(None)
        if image.format in ("TIFF", "HEIF"):
            stored = pixels.size  # these turn or crop as they load
        decoded = Decoded(pixels, stored, _orientation(image), _profile(image), notes=notes)
    if decoded.profile is None and kind_name in ("heic", "heif", "avif") and isinstance(source, Path):
        with source.open("rb") as file:
            items = isobmff.read_items(file)
        decoded.coded = (items.primaries, items.transfer)
    return decoded


def _check_size(size: tuple[int, int], kind_name: str, image: Image.Image) -> None:
    width, height = size
    reducible = kind_name in ("jpeg", "mpo", "jp2") and not image.info.get("progressive")
    limit = _REDUCIBLE_LIMIT if reducible else _LIMIT
    if width < 1 or height < 1:
        raise refusals.damaged()
    if width * height > limit:
        raise refusals.too_large(width, height, limit)


def _reduce(image: Image.Image, edge: int) -> None:
    """Ask for a smaller picture from the decoders that can give one; never smaller than the previews need."""
    width, height = image.size
    if max(width, height) <= edge:
        return
    if image.format in ("JPEG", "MPO"):
        scale = edge / max(width, height)
        image.draft(image.mode, (max(1, int(width * scale)), max(1, int(height * scale))))
    elif image.format == "JPEG2000":
        levels = 0
        while max(width, height) >> (levels + 1) >= edge:
            levels += 1
        image.reduce = levels  # type: ignore[method-assign, assignment]


def _loaded(image: Image.Image, rows: int) -> tuple[Image.Image, list[str]]:
    """The picture with its pixels, and notes on what is amiss; `rows` as stored. Raises PoisonError."""
    try:
        image.load()
        return image, []
    except DECODER_ERRORS as error:
        if is_disk_error(error):
            raise
        there = _what_is_there(image)
        share = _share(there)
        if there and share and (1 - share) * rows < _ROWS_KEPT_BACK:
            return there, ["The last few rows of the picture are missing."]
        raise refusals.truncated(share) if _says_truncated(error) else refusals.damaged(share) from error


def _what_is_there(image: Image.Image) -> Image.Image | None:
    """The rows that were decoded before the error; decoders start with black and fill from the top."""
    try:
        there = Image.new(image.mode, image.size)
        there.im = image.im
    except DECODER_ERRORS:
        return None  # nothing was decoded yet
    return there


def _note_early_end(image: Image.Image, pixels: Image.Image, source: Path | io.BytesIO, edge: int) -> list[str]:
    """A note for a JPEG that lacks rows though it ends with an end marker.

    All that is in the file is shown, as every viewer does: nothing was lost in copying it.
    """
    is_plain_jpeg = image.format in ("JPEG", "MPO") and not image.info.get("progressive")
    if not is_plain_jpeg or not ends_in_grey(pixels):
        return []
    with Image.open(io.BytesIO(without_end(_bytes(source))), formats=_FORMATS["jpeg"]) as again:
        rows = again.height
        _reduce(again, edge)
        try:
            again.load()
            return []
        except DECODER_ERRORS:
            share = _share(_what_is_there(again))
    if (1 - share) * rows < _ROWS_KEPT_BACK:
        return []
    return [f"Only {share:.0%} of this picture is in the file; the rest shows grey.".replace("%", " %")]


def _bytes(source: Path | io.BytesIO) -> bytes:
    return source.read_bytes() if isinstance(source, Path) else source.getvalue()


def _share(there: Image.Image | None) -> float:
    """How much of the height was decoded."""
    box = there.getbbox() if there else None
    return box[3] / there.height if there and box else 0.0


def _says_truncated(error: BaseException) -> bool:
    return "truncated" in str(error).lower() or isinstance(error, EOFError)


def _refusal(error: BaseException) -> PoisonError:
    return refusals.truncated() if _says_truncated(error) else refusals.damaged()


def _orientation(image: Image.Image) -> int:
    """The Exif orientation that is still to be applied, 1 to 8.

    TIFF and HEIC come out upright, and say so in their Exif; AVIF says what its container demands.
    """
    block = image.info.get("exif")
    if not isinstance(block, bytes) or image.format == "TIFF":
        return 1
    value = read_directories(io.BytesIO(block.removeprefix(b"Exif\x00\x00"))).image.get(274)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _profile(image: Image.Image) -> bytes | None:
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and profile else None


# --- PNG with a bomb in a text ------------------------------------------------------------------------------

_PNG_TEXTS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")


def _without_texts(path: Path) -> bytes:
    """The PNG without its texts, for those whose texts unpack to more than Pillow allows."""
    data = path.read_bytes()
    return data[:8] + b"".join(chunk for chunk in _png_chunks(data) if chunk[4:8] not in _PNG_TEXTS)


def _png_chunks(data: bytes) -> Iterator[bytes]:
    at = 8
    while at + 12 <= len(data):
        length = 12 + struct.unpack_from(">I", data, at)[0]
        yield data[at : at + length]
        at += length
