"""Finds JPEGs that end too early but politely: with an end marker, so that decoders fill the rest with grey."""

import re

from PIL import Image

_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_SCAN, _END = 0xDA, 0xD9
_ROWS = 8
_GREY = range(126, 131)


def ends_in_grey(image: Image.Image) -> bool:
    """Whether the last rows are one flat middle grey, as decoders paint what is missing."""
    if image.mode not in ("L", "RGB"):
        return False
    strip = image.crop((0, max(0, image.height - _ROWS), image.width, image.height))
    return all(low in _GREY and high in _GREY for low, high in (band.getextrema() for band in strip.split()))


def without_end(data: bytes) -> bytes:
    """The JPEG up to its end marker: of this, decoders give the rows that are there and make up none."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _SCAN:
        at += 1 if data[at + 1] == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    for marker in _MARKER.finditer(data, min(at + 2, len(data))):
        if marker[1][0] == _END:
            return data[: marker.start()]
    return data
