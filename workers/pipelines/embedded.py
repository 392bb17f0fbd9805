"""Where picture files keep what they know about themselves: Exif, XMP and IPTC blocks, and the stored size.

Only headers are read, never pixels; each block is bounded, so no lying length costs memory or time.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from workers.pipelines import isobmff

_BLOCK_LIMIT = 16 << 20
_TIFF_HEAD = 4 << 20
_MANY = 4096


@dataclass(slots=True)
class Embedded:
    """Blocks as found. `exif` maps a part ("all", or "image", "exif", "gps") to a TIFF stream."""

    exif: dict[str, bytes] = field(default_factory=dict)
    xmp: list[bytes] = field(default_factory=list)
    iptc: bytes = b""
    size: tuple[int, int] | None = None


def find_embedded(file: BinaryIO, kind_name: str) -> Embedded:
    """The blocks of an open file; what is damaged is left out. Raises OSError only for the disk's own errors."""
    match kind_name:
        case "jpeg" | "mpo":
            return _from_jpeg(file)
        case "png" | "apng":
            return _from_png(file)
        case "webp":
            return _from_webp(file)
        case "heic" | "heif" | "avif":
            return _from_heif(file)
        case "cr3":
            packet = isobmff.xmp_block(file)
            return Embedded(exif=isobmff.canon_blocks(file), xmp=[packet] if packet else [])
        case "raf":
            return _from_raf(file)
        case "rw2" | "orf":
            return _from_tiff_like(file)
        case "gif" | "bmp" | "jp2":
            return Embedded(size=_plain_size(_at(file, 0, 512), kind_name))
        case _:
            return Embedded()


def _at(file: BinaryIO, offset: int, length: int) -> bytes:
    if offset < 0 or length <= 0:
        return b""
    file.seek(offset)
    return file.read(min(length, _BLOCK_LIMIT))


# --- JPEG ---------------------------------------------------------------------------------------------------

_EXIF_MARK, _XMP_MARK, _IPTC_MARK = b"Exif\x00", b"http://ns.adobe.com/xap/1.0/\x00", b"Photoshop 3.0\x00"
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


def _from_jpeg(file: BinaryIO, start: int = 0) -> Embedded:
    found, resources = Embedded(), b""
    for marker, body in _segments(file, start):
        if marker in _FRAMES and len(body) >= 5 and found.size is None:
            height, width = struct.unpack_from(">HH", body, 1)
            found.size = (width, height)
        elif marker == 0xE1 and body.startswith(_EXIF_MARK):
            found.exif.setdefault("all", body[6:])
        elif marker == 0xE1 and body.startswith(_XMP_MARK):
            found.xmp.append(body[len(_XMP_MARK) :])
        elif marker == 0xED and body.startswith(_IPTC_MARK):
            resources += body[len(_IPTC_MARK) :]
    found.iptc = _iptc_of(resources)
    return found


def _segments(file: BinaryIO, start: int) -> Iterator[tuple[int, bytes]]:
    """Marker and body of each header segment, up to the first scan."""
    at = start + 2
    for _ in range(_MANY):
        head = _at(file, at, 4)
        if len(head) < 4 or head[0] != 0xFF:
            return
        marker = head[1]
        if marker in (0xD8, 0xFF, 0x01):  # a second start, a fill byte, a marker without a body
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(head[2:], "big")
        if marker in (0xDA, 0xD9) or length < 2:
            return
        yield marker, _at(file, at + 4, length - 2)
        at += 2 + length


def _iptc_of(resources: bytes) -> bytes:
    """The IPTC block (0x0404) among Photoshop's image resources."""
    at = 0
    while at + 12 <= len(resources) and resources[at : at + 4] == b"8BIM":
        number = int.from_bytes(resources[at + 4 : at + 6], "big")
        name = (resources[at + 6] + 2) & ~1  # a Pascal string, padded to an even length
        length = int.from_bytes(resources[at + 6 + name : at + 10 + name], "big")
        body = at + 10 + name
        if number == 0x0404:
            return resources[body : body + length]
        at = body + length + (length & 1)
    return b""


# --- PNG, WebP ----------------------------------------------------------------------------------------------


def _from_png(file: BinaryIO) -> Embedded:
    found = Embedded()
    for name, offset, length in _png_chunks(file):
        match name:
            case b"IHDR":
                found.size = _pair(">II", _at(file, offset, 8))
            case b"eXIf":
                found.exif.setdefault("all", _without_mark(_at(file, offset, length)))
            case b"iTXt" | b"zTXt" | b"tEXt":
                _png_text(name, _at(file, offset, length), found)
    return found


def _png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    at = 8
    for _ in range(_MANY):
        head = _at(file, at, 8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        length = int.from_bytes(head[:4], "big")
        yield head[4:], at + 8, length
        at += 12 + length


def _png_text(chunk: bytes, body: bytes, found: Embedded) -> None:
    key, _, rest = body.partition(b"\x00")
    if chunk == b"iTXt" and key == b"XML:com.adobe.xmp":
        packed, texts = rest[:1] == b"\x01", rest[2:].split(b"\x00", 2)
        if len(texts) == 3:
            found.xmp.append(_inflated(texts[2]) if packed else texts[2])
    elif key in (b"Raw profile type exif", b"Raw profile type APP1"):
        text = _inflated(rest[1:]) if chunk == b"zTXt" else rest
        data = _unhexed(text)
        if data.startswith(_EXIF_MARK):
            found.exif.setdefault("all", data[6:])


def _inflated(data: bytes) -> bytes:
    """Never more than the limit: a few kilobytes of zeros can unpack to gigabytes."""
    try:
        return zlib.decompressobj().decompress(data, _BLOCK_LIMIT)
    except zlib.error:
        return b""


def _unhexed(text: bytes) -> bytes:
    """ImageMagick's form: a newline, the name, the length, then hexadecimal digits in lines."""
    digits = b"".join(text.split()[2:])
    return bytes.fromhex(digits.decode("ascii")) if re.fullmatch(rb"(?:[0-9a-fA-F]{2})*", digits) else b""


def _from_webp(file: BinaryIO) -> Embedded:
    found, at = Embedded(), 12
    for _ in range(_MANY):
        head = _at(file, at, 8)
        if len(head) < 8:
            break
        name, length = head[:4], int.from_bytes(head[4:], "little")
        if name in (b"VP8X", b"VP8L", b"VP8 ") and found.size is None:
            found.size = _webp_size(name, _at(file, at + 8, 16))
        elif name == b"EXIF":
            found.exif.setdefault("all", _without_mark(_at(file, at + 8, length)))
        elif name == b"XMP ":
            found.xmp.append(_at(file, at + 8, length))
        at += 8 + length + (length & 1)
    return found


def _webp_size(name: bytes, body: bytes) -> tuple[int, int] | None:
    if len(body) < 10:
        return None
    if name == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if name == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", body, 6)
    return width & 0x3FFF, height & 0x3FFF


# --- the others ---------------------------------------------------------------------------------------------


def _from_heif(file: BinaryIO) -> Embedded:
    items = isobmff.read_items(file)
    found = Embedded(size=items.size)
    if len(items.exif) > 4:
        # Four bytes first: how far behind them the TIFF stream starts (ISO/IEC 23008-12, A.2.1).
        skip = 4 + int.from_bytes(items.exif[:4], "big")
        found.exif["all"] = _without_mark(items.exif[skip if skip < len(items.exif) else 4 :])
    if items.xmp:
        found.xmp.append(items.xmp)
    return found


def _from_raf(file: BinaryIO) -> Embedded:
    """Fujifilm keeps a whole JPEG with the Exif block; its size is not the sensor's."""
    where = _at(file, 84, 4)
    found = _from_jpeg(file, int.from_bytes(where, "big")) if len(where) == 4 else Embedded()
    found.size = None
    return found


def _from_tiff_like(file: BinaryIO) -> Embedded:
    """Panasonic and Olympus change TIFF's magic number and little else."""
    head = _at(file, 0, _TIFF_HEAD)
    order = b"*\x00" if head[:2] == b"II" else b"\x00*"
    found = Embedded(exif={"all": head[:2] + order + head[4:]})
    # Panasonic's Exif block is that of the full JPEG inside.
    inner = re.search(rb"\xff\xd8\xff[\xe0\xe1\xdb]", head)
    if inner and (exif := _from_jpeg(file, inner.start()).exif.get("all")):
        found.exif["inner"] = exif
    return found


def _plain_size(head: bytes, kind_name: str) -> tuple[int, int] | None:
    if kind_name == "gif":
        return _pair("<HH", head[6:10])
    if kind_name == "bmp":
        size = _pair("<HH", head[18:22]) if head[14:15] == b"\x0c" else _pair("<ii", head[18:26])
        return size and (abs(size[0]), abs(size[1]))
    at = head.find(b"ihdr")
    size = _pair(">II", head[at + 4 : at + 12]) if at > 0 else _pair(">II", head[8:16])
    return size and (size[1], size[0]) if at > 0 else size


def _pair(form: str, data: bytes) -> tuple[int, int] | None:
    if len(data) < struct.calcsize(form):
        return None
    first, second = struct.unpack(form, data)
    return first, second


def _without_mark(data: bytes) -> bytes:
    return data[6:] if data.startswith(_EXIF_MARK) else data
