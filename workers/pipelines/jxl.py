"""JPEG XL: the size that a file claims, told before any pixel is decoded, and its first picture."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.pipelines import refusals
from workers.pipelines.decoding import Decoded

_LIMIT = 300_000_000
_CONTAINER = b"\x00\x00\x00\x0cJXL \r\n\x87\n"
# Width to height, by number (ISO/IEC 18181-1, SizeHeader); 0 says that the width follows.
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
# The bits of a length that is no multiple of eight.
_LENGTH_BITS = (9, 13, 18, 30)


def decode_jxl(path: Path) -> Decoded:
    """The first picture of a JPEG XL file, upright. Raises PoisonError, OSError."""
    import imagecodecs  # 80 megabytes of codecs, for the one file in thousands that needs it

    data = path.read_bytes()
    width, height = claimed_size(data)
    if width * height > _LIMIT:
        raise refusals.too_large(width, height, _LIMIT)
    try:
        pixels = imagecodecs.jpegxl_decode(data, index=0, numthreads=1)
    except RuntimeError as error:
        needs_more = "MORE_INPUT" in str(error)
        raise (refusals.truncated(None) if needs_more else refusals.damaged()) from error
    image = _image(pixels)
    return Decoded(image, image.size)


def claimed_size(data: bytes) -> tuple[int, int]:
    """Width and height as the header says, before it is turned upright. Raises PoisonError."""
    codestream = _codestream(data)
    if codestream[:2] != b"\xff\x0a" or len(codestream) < 12:
        raise refusals.damaged()
    bits = _Bits(int.from_bytes(codestream[2:18], "little"))
    in_eights = bool(bits.take(1))
    height = _length(bits, in_eights)
    ratio = bits.take(3)
    if ratio == 0:
        return _length(bits, in_eights), height
    over, under = _RATIOS[ratio]
    return height * over // under, height


class _Bits:
    """Bits from the lowest up, as JPEG XL packs them."""

    def __init__(self, value: int) -> None:
        self._value = value

    def take(self, count: int) -> int:
        taken = self._value & ((1 << count) - 1)
        self._value >>= count
        return taken


def _length(bits: _Bits, in_eights: bool) -> int:
    if in_eights:
        return (bits.take(5) + 1) * 8
    return bits.take(_LENGTH_BITS[bits.take(2)]) + 1


def _codestream(data: bytes) -> bytes:
    """The beginning of the picture's own data, which may lie in a container's box."""
    if not data.startswith(_CONTAINER):
        return data
    for kind, at, end in _boxes(data):
        if kind == b"jxlc":
            return data[at : min(end, at + 64)]
        if kind == b"jxlp":
            return data[at + 4 : min(end, at + 68)]  # after the part's number
    raise refusals.truncated(None)


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each box of the container (ISO/IEC 14496-12)."""
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if length == 1 and at + 16 <= len(data):
            length, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        end = at + length if length else len(data)
        if end < at + head:
            return
        yield kind, at + head, end
        at = end


def _image(pixels: NDArray[Any]) -> Image.Image:
    """Samples of 8 or 16 bits or floats, one to four channels, as a picture of 8 bits."""
    if pixels.dtype.kind == "f":
        pixels = (np.clip(np.nan_to_num(pixels), 0, 1) * 255 + 0.5).astype(np.uint8)
    elif pixels.dtype.itemsize == 2:
        pixels = (pixels >> 8).astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[2] not in (2, 3, 4):
        pixels = pixels[..., :3] if pixels.shape[2] > 4 else pixels[..., 0]
    return Image.fromarray(np.ascontiguousarray(pixels))
