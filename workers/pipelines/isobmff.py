"""The boxes of ISO base media files (HEIC, AVIF, CR3), as far as metadata goes (ISO/IEC 14496-12, 23008-12)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_LIMIT = 16 << 20
_MANY = 4096
# Canon's own box in CR3: four TIFF streams named CMT1 (image), CMT2 (exif), CMT3 (maker note), CMT4 (gps).
_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
# Where Adobe keeps XMP in ISO base media files (XMP specification, part 3).
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_CANON_PARTS = {b"CMT1": "image", b"CMT2": "exif", b"CMT4": "gps"}


@dataclass(slots=True)
class Items:
    """What the metadata box says: Exif and XMP blocks, size and colour coding of the main picture."""

    exif: bytes = b""
    xmp: bytes = b""
    size: tuple[int, int] | None = None
    primaries: int = 0  # colour primaries and transfer function as numbered by ITU-T H.273, 0 when not said
    transfer: int = 0


def read_items(file: BinaryIO) -> Items:
    """The items of a HEIF or AVIF file; damaged boxes count as absent."""
    try:
        meta = next((_body(file, at, length) for name, at, length in _top_boxes(file) if name == b"meta"), b"")
        return _items(file, meta[4:])
    except (struct.error, IndexError, ValueError, OverflowError):
        return Items()


def canon_blocks(file: BinaryIO) -> dict[str, bytes]:
    """The TIFF streams of a CR3 file: "image", "exif" and "gps"."""
    blocks: dict[str, bytes] = {}
    try:
        for name, at, length in _top_boxes(file):
            if name == b"moov":
                for inner, body in _boxes(_body(file, at, length)):
                    if inner == b"uuid" and body[:16] == _CANON:
                        blocks |= {_CANON_PARTS[n]: b for n, b in _boxes(body[16:]) if n in _CANON_PARTS}
    except (struct.error, IndexError, ValueError, OverflowError):
        return blocks
    return blocks


def xmp_block(file: BinaryIO) -> bytes:
    """The XMP packet in a box of its own, for files without items (CR3)."""
    try:
        for name, at, length in _top_boxes(file):
            if name == b"uuid" and _body(file, at, 16) == _XMP_BOX:
                return _body(file, at + 16, length - 16)
    except (struct.error, OverflowError):
        return b""
    return b""


def _top_boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Name, start of the body and its length of each box of the file; bodies stay on disk."""
    at = 0
    for _ in range(_MANY):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return
        length, name = struct.unpack_from(">I4s", head)
        start = 8
        if length == 1 and len(head) == 16:
            length, start = struct.unpack_from(">Q", head, 8)[0], 16
        if length == 0:
            length = _LIMIT
        if length < start:
            return
        yield name, at + start, length - start
        at += length


def _body(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(min(length, _LIMIT))


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        start = 8
        if length == 1:
            length, start = struct.unpack_from(">Q", data, at + 8)[0], 16
        if length == 0:
            length = len(data) - at
        if length < start:
            return
        yield name, data[at + start : at + length]
        at += length


def _items(file: BinaryIO, meta: bytes) -> Items:
    boxes = dict(_boxes(meta))
    found = Items()
    places = _locations(boxes.get(b"iloc", b""))
    for number, kind, content in _infos(boxes.get(b"iinf", b"")):
        if kind == b"Exif" and not found.exif:
            found.exif = _content(file, places.get(number), boxes.get(b"idat", b""))
        elif kind == b"mime" and content.startswith(b"application/rdf+xml") and not found.xmp:
            found.xmp = _content(file, places.get(number), boxes.get(b"idat", b""))
    for name, body in _main_properties(boxes):
        if name == b"ispe" and len(body) >= 12:
            width, height = struct.unpack_from(">II", body, 4)
            found.size = (width, height)
        elif name == b"colr" and body[:4] == b"nclx":
            found.primaries, found.transfer = struct.unpack_from(">HH", body, 4)
    return found


def _infos(iinf: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Number, kind and content type of each item."""
    if len(iinf) < 6:
        return
    for name, body in _boxes(iinf[6 if iinf[0] == 0 else 8 :]):
        if name == b"infe" and len(body) > 12 and body[0] >= 2:
            wide = 4 if body[0] > 2 else 2
            number = int.from_bytes(body[4 : 4 + wide], "big")
            kind = body[6 + wide : 10 + wide]
            texts = body[10 + wide :].split(b"\x00")
            yield number, kind, texts[1] if len(texts) > 1 else b""


@dataclass(frozen=True, slots=True)
class _Place:
    method: int  # 0: in the file, 1: in the `idat` box
    extents: tuple[tuple[int, int], ...]


def _locations(iloc: bytes) -> dict[int, _Place]:
    if len(iloc) < 8:
        return {}
    version = iloc[0]
    offset_size, length_size = iloc[4] >> 4, iloc[4] & 15
    base_size, index_size = iloc[5] >> 4, (iloc[5] & 15 if version else 0)
    reader = _Numbers(iloc, 6)
    wide = 4 if version == 2 else 2
    places: dict[int, _Place] = {}
    for _ in range(min(reader.take(wide), _MANY)):
        number = reader.take(wide)
        method = reader.take(2) & 15 if version else 0
        reader.take(2)
        base = reader.take(base_size)
        extents: list[tuple[int, int]] = []
        for _ in range(min(reader.take(2), _MANY)):
            reader.take(index_size)
            extents.append((base + reader.take(offset_size), reader.take(length_size)))
        places[number] = _Place(method, tuple(extents))
    return places


@dataclass(slots=True)
class _Numbers:
    data: bytes
    at: int

    def take(self, size: int) -> int:
        if self.at + size > len(self.data):
            raise ValueError("the box ends early")
        self.at += size
        return int.from_bytes(self.data[self.at - size : self.at], "big")


def _content(file: BinaryIO, place: _Place | None, idat: bytes) -> bytes:
    if place is None:
        return b""
    if place.method == 1:
        return b"".join(idat[at : at + length] for at, length in place.extents)
    return b"".join(_body(file, at, length) for at, length in place.extents)


def _main_properties(boxes: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """The properties of the main picture, in the order of the file."""
    pitm, iprp = boxes.get(b"pitm", b""), dict(_boxes(boxes.get(b"iprp", b"")))
    main = int.from_bytes(pitm[4 : 6 if pitm[:1] == b"\x00" else 8], "big")
    properties = list(_boxes(iprp.get(b"ipco", b"")))
    ipma = iprp.get(b"ipma", b"")
    if len(ipma) < 8:
        return []
    reader, large = _Numbers(ipma, 8), ipma[3] & 1
    for _ in range(min(int.from_bytes(ipma[4:8], "big"), _MANY)):
        number = reader.take(2 if ipma[0] == 0 else 4)
        # The top bit says "essential"; the rest counts properties from one.
        indices = [reader.take(2) & 0x7FFF if large else reader.take(1) & 0x7F for _ in range(reader.take(1))]
        if number == main:
            return [properties[i - 1] for i in indices if 0 < i <= len(properties)]
    return []
