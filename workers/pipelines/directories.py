"""The directories of a TIFF stream, which is what Exif is: tag → value, with every size bounded.

Measured against Pillow and exifread on a set of real and broken files. All read the same good values. But both
libraries read as much as a tag claims to hold (Photoshop keeps half a gigabyte of layers in one), Pillow skips
every tag after one that lies, and exifread can be kept busy for minutes by one wrong byte.
"""

import io
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, TypeAlias

Value: TypeAlias = int | float | bytes | tuple[int | float, ...]
Directory: TypeAlias = Mapping[int, Value]

_ENTRIES = 1000
_VALUE_LIMIT = 65536
_BIG = {700: 16 << 20, 33723: 16 << 20, 37500: 1 << 20}  # XMP, IPTC, a maker's note
_MAKE, _SUB_IFDS, _EXIF_IFD, _GPS_IFD, _MAKER_NOTE = 271, 330, 34665, 34853, 37500
# Kind → (struct letters of one value, its size); rationals are pairs.
_KINDS = {
    1: ("B", 1), 2: ("s", 1), 3: ("H", 2), 4: ("I", 4), 5: ("II", 8), 6: ("b", 1), 7: ("s", 1), 8: ("h", 2),
    9: ("i", 4), 10: ("ii", 8), 11: ("f", 4), 12: ("d", 8), 13: ("I", 4), 16: ("Q", 8), 17: ("q", 8), 18: ("Q", 8),
    129: ("s", 1),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Directories:
    """The picture's own directory, its Exif and GPS parts, and those of further pictures in the same file."""

    image: Directory = field(default_factory=dict)
    exif: Directory = field(default_factory=dict)
    gps: Directory = field(default_factory=dict)
    others: tuple[Directory, ...] = ()
    maker: Directory = field(default_factory=dict)


def read_directories(stream: BinaryIO) -> Directories:
    """What a TIFF stream says; a damaged part counts as empty."""
    reader = _Reader.of(stream)
    if reader is None:
        return Directories()
    image = reader.directory(reader.first)
    subs = image.get(_SUB_IFDS, ())
    offsets = subs if isinstance(subs, tuple) else (subs,)
    return Directories(
        image,
        reader.directory(image.get(_EXIF_IFD)),
        reader.directory(image.get(_GPS_IFD)),
        tuple(reader.directory(offset) for offset in offsets[:8]),
        _maker_note(reader, image),
    )


def _maker_note(reader: "_Reader", image: Directory) -> Directory:
    """The maker's own directory, for two who hide lens and ISO there: Canon's is plain, Nikon's a TIFF."""
    make = image.get(_MAKE)
    place, note = reader.place(image.get(_EXIF_IFD), _MAKER_NOTE)
    if not isinstance(make, bytes) or place <= 0:
        return {}
    if make.startswith(b"Canon"):
        return reader.directory(place)
    if note.startswith(b"Nikon\x00\x02"):
        inner = _Reader.of(io.BytesIO(note[10:]))
        return inner.directory(inner.first) if inner else {}
    return {}


@dataclass(frozen=True, slots=True)
class _Reader:
    stream: BinaryIO
    order: str
    big: bool
    first: int

    @classmethod
    def of(cls, stream: BinaryIO) -> "_Reader | None":
        stream.seek(0)
        head = stream.read(16)
        order = {b"II": "<", b"MM": ">"}.get(head[:2])
        if order is None or len(head) < 8:
            return None
        version = struct.unpack_from(order + "H", head, 2)[0]
        if version == 43 and len(head) == 16:
            return cls(stream, order, True, struct.unpack_from(order + "Q", head, 8)[0])
        return cls(stream, order, False, struct.unpack_from(order + "I", head, 4)[0]) if version == 42 else None

    def directory(self, offset: object) -> dict[int, Value]:
        """Tag → value; of a tag that is there twice, the first."""
        found: dict[int, Value] = {}
        for tag, entry in self._entries(offset):
            value = self._value(tag, entry)
            if value is not None:
                found.setdefault(tag, value)
        return found

    def place(self, offset: object, wanted: int) -> tuple[int, bytes]:
        """Where a tag's data lie in the stream, and the data; (0, b"") without it."""
        for tag, entry in self._entries(offset):
            data = self._value(tag, entry)
            if tag == wanted and isinstance(data, bytes):
                return struct.unpack(
                    self.order + ("Q" if self.big else "I"), entry[12:] if self.big else entry[8:]
                )[0], data
        return 0, b""

    def _entries(self, offset: object) -> Iterator[tuple[int, bytes]]:
        if not isinstance(offset, int) or offset <= 0:
            return
        count_size, entry_size = (8, 20) if self.big else (2, 12)
        count = min(
            int.from_bytes(self._at(offset, count_size), "little" if self.order == "<" else "big"), _ENTRIES
        )
        data = self._at(offset + count_size, count * entry_size)
        for at in range(0, len(data) - entry_size + 1, entry_size):
            yield struct.unpack_from(self.order + "H", data, at)[0], data[at : at + entry_size]

    def _value(self, tag: int, entry: bytes) -> Value | None:
        kind, count = struct.unpack_from(self.order + ("HQ" if self.big else "HI"), entry, 2)
        if kind not in _KINDS or count == 0:
            return None
        letters, size = _KINDS[kind]
        inline = entry[12:] if self.big else entry[8:]
        length = count * size
        if length <= len(inline):
            return self._unpacked(letters, inline[:length])
        offset = struct.unpack(self.order + ("Q" if self.big else "I"), inline)[0]
        data = self._at(offset, min(length, _BIG.get(tag, _VALUE_LIMIT)))
        if tag in _BIG:
            return data or None  # blocks of bytes, whatever kind of number the program called them
        return self._unpacked(letters, data[: len(data) - len(data) % size])

    def _unpacked(self, letters: str, data: bytes) -> Value | None:
        if letters == "s" or not data or (letters == "B" and len(data) > 1):
            return data or None
        count = len(data) // struct.calcsize("=" + letters)
        numbers = struct.unpack(self.order + letters * count, data)
        if len(letters) == 2:
            numbers = tuple(a / b if b else float("nan") for a, b in zip(numbers[::2], numbers[1::2], strict=True))
        return numbers[0] if count == 1 else numbers

    def _at(self, offset: int, length: int) -> bytes:
        if offset >= 1 << 62:
            return b""
        self.stream.seek(offset)
        return self.stream.read(length)
