"""Pictures that move: animations, motion photos with a film inside, and the still half of a live photo.

Only heads and the last bytes are read. A film inside a picture is told by its place, never copied out.
"""

import io
import os
import re
import struct
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from workers.errors import PoisonError
from workers.pipelines.boxes import boxes
from workers.pipelines.clean import as_text
from workers.pipelines.codecs import codec_string
from workers.pipelines.video import opened, pictures

_HEAD = 1 << 16
_MANY = 100_000
_MAKER_NOTE, _IDENTIFIER = 37500, 0x0011
_FILM_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"uuid", b"moof", b"mfra", b"sidx", b"styp"}
# Google's two ways to say where the film begins: bytes before the end, and the lengths of all that is appended.
_OFFSET = re.compile(rb"MicroVideoOffset\s*(?:=\s*[\"']|>)\s*(\d{1,12})")
_ITEM = re.compile(rb"<Container:Item\b(.*?)/?>|<rdf:li\b[^>]*?(Item:.*?)/?>", re.DOTALL)
_LENGTH = re.compile(rb"Item:Length\s*=\s*[\"'](\d{1,12})")
_MOTION = re.compile(rb"Item:Semantic\s*=\s*[\"']MotionPhoto")
_SAMSUNG = b"MotionPhoto_Data"


def moving_facts(file: BinaryIO, kind_name: str, packets: Sequence[bytes]) -> Iterator[tuple[str, Any]]:
    """Whether the picture is animated, and where a film lies inside it, in bytes from the file's start."""
    if kind_name in _ANIMATED and _ANIMATED[kind_name](file):
        yield "animated", True
    if kind_name not in ("jpeg", "heic", "heif"):
        return
    place = next((found for start in _starts(file, kind_name, packets) if (found := _film_at(file, start))), None)
    if place is None:
        return
    film = _Stretch(file, *place)
    try:
        with opened(film, "mp4") as container:
            coded = pictures(container).codec_context
            codecs = codec_string(coded.name, coded.extradata or b"")
            seconds = round((container.duration or 0) / 1e6, 3)
    except PoisonError:
        return  # what looks like a film and is none is not spoken of: the picture is whole without it
    yield from (("motion_start", place[0]), ("motion_length", place[1]), ("motion_codecs", codecs))
    yield "motion_duration", seconds


def live_identifier(exif: Any) -> str:
    """The text by which Apple's cameras tie a picture to its film, "" without one: a maker's note."""
    note = exif.get(_MAKER_NOTE)
    if not isinstance(note, bytes) or not note.startswith(b"Apple iOS\x00") or len(note) < 16:
        return ""
    order = ">" if note[12:14] == b"MM" else "<"
    for at in range(16, min(len(note) - 11, 16 + 12 * struct.unpack_from(order + "H", note, 14)[0]), 12):
        tag, kind, count, place = struct.unpack_from(order + "HHII", note, at)
        if tag == _IDENTIFIER and kind == 2 and count > 4:
            return as_text(note[place : place + min(count, 200)])
    return ""


# --- animations ---------------------------------------------------------------------------------------------


def _gif_moves(file: BinaryIO) -> bool:
    """Whether a second picture follows the first (GIF89a, sections 18 to 24)."""
    file.seek(0)
    head, seen = file.read(13), 0
    if len(head) < 13:
        return False
    file.seek(3 << (head[10] & 7) + 1 if head[10] & 0x80 else 0, os.SEEK_CUR)
    for _ in range(_MANY):
        match file.read(1):
            case b"\x2c":
                place = file.read(9)
                seen += 1
                if len(place) < 9 or seen > 1:
                    return seen > 1
                file.seek((3 << (place[8] & 7) + 1 if place[8] & 0x80 else 0) + 1, os.SEEK_CUR)
            case b"\x21":
                file.seek(1, os.SEEK_CUR)
            case _:
                return False
        while length := file.read(1)[:1]:
            if length == b"\x00":
                break
            file.seek(length[0], os.SEEK_CUR)
    return False


def _webp_moves(file: BinaryIO) -> bool:
    file.seek(12)
    head = file.read(9)
    return head[:4] == b"VP8X" and len(head) == 9 and bool(head[8] & 2)


def _png_moves(file: BinaryIO) -> bool:
    file.seek(0)
    head, mark, _ = file.read(_HEAD).partition(b"IDAT")
    at = head.find(b"acTL")
    return bool(mark) and at > 0 and int.from_bytes(head[at + 4 : at + 8], "big") > 1


def _avif_moves(file: BinaryIO) -> bool:
    first = next(boxes(file), None)
    file.seek(0)
    return first is not None and first.name == b"ftyp" and b"avis" in file.read(min(first.end, 256))


_ANIMATED = {"gif": _gif_moves, "webp": _webp_moves, "apng": _png_moves, "avif": _avif_moves}


# --- motion photos ------------------------------------------------------------------------------------------


def _starts(file: BinaryIO, kind_name: str, packets: Sequence[bytes]) -> Iterator[int]:
    """Where a film may begin, by everybody's way to say it."""
    size = os.fstat(file.fileno()).st_size
    if kind_name != "jpeg":
        yield from (box.body for box in boxes(file) if box.name == b"mpvd")
    for packet in packets:
        if offset := _OFFSET.search(packet):
            yield size - int(offset[1])
        items = [found[1] or found[2] for found in _ITEM.finditer(packet)]
        lengths = [int(length[1]) if (length := _LENGTH.search(item)) else 0 for item in items]
        for number, item in enumerate(items):
            if _MOTION.search(item):
                yield size - sum(lengths[number:])
    yield from _samsung_start(file, size)


def _samsung_start(file: BinaryIO, size: int) -> Iterator[int]:
    """Samsung's own list behind the picture: it ends "SEFT", and counts places backwards from its head "SEFH"."""
    file.seek(max(0, size - 8))
    tail = file.read(8)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != b"SEFT" or not 12 <= length <= min(size - 8, _HEAD):
        return
    head = size - 8 - length
    file.seek(head)
    listed = file.read(length)
    if listed[:4] != b"SEFH":
        return
    for at in range(12, min(len(listed) - 11, 12 + 12 * int.from_bytes(listed[8:12], "little")), 12):
        back = int.from_bytes(listed[at + 4 : at + 8], "little")
        file.seek(max(0, head - back))
        entry = file.read(8 + len(_SAMSUNG))
        if entry[8:] == _SAMSUNG:
            yield head - back + 8 + len(_SAMSUNG)


def _film_at(file: BinaryIO, start: int) -> tuple[int, int] | None:
    """Start and length of the film that begins there; other boxes and trailers behind it are none of it."""
    size, end, seen = os.fstat(file.fileno()).st_size, start, set[bytes]()
    if not 0 < start < size:
        return None
    for box in boxes(file, start, size):
        if box.name not in _FILM_BOXES or box.end > size or (not seen and box.name != b"ftyp"):
            break
        seen.add(box.name)
        end = box.end
    return (start, end - start) if b"ftyp" in seen and seen & {b"moov", b"moof"} else None


class _Stretch(io.RawIOBase, BinaryIO):
    """A part of a file as a file."""

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        self._file, self._start, self._length, self._at = file, start, length, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._length - self._at)
        self._file.seek(self._start + self._at)
        data = self._file.read(left if size < 0 else min(size, left))
        self._at += len(data)
        return data
