"""Finds pictures that end too early without a word from their decoders."""

import re

from PIL import Image

_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_SCAN, _END = 0xDA, 0xD9
_ROWS = 8
_GREY = range(126, 131)


def ends_in_grey(image: Image.Image) -> bool:
    """Whether a JPEG's last rows are one flat middle grey, which decoders paint where data are missing."""
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


def gif_is_cut(data: bytes) -> bool:
    """Whether a GIF's data end inside its first picture (GIF89a, sections 18 to 24)."""
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    while at < len(data):
        if data[at] == 0x3B:
            return False
        is_picture = data[at] == 0x2C
        if is_picture and at + 10 < len(data):
            table = 3 << (data[at + 9] & 7) + 1 if data[at + 9] & 0x80 else 0
            at += 11 + table
        else:
            at += 2
        while at < len(data) and data[at]:
            at += 1 + data[at]
        if is_picture:
            return at >= len(data)
        at += 1
    return True
