"""The boxes of MP4 and QuickTime files, walked by their heads alone: a film's content stays on disk."""

import math
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_MANY = 4096
_DEEP = 1 << 20
# The box in which Adobe's programs keep XMP (ISO 16684-3).
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


@dataclass(frozen=True, slots=True)
class Box:
    """A box by its name: where its body starts and where it says that it ends, which may be behind the file."""

    name: bytes
    body: int
    end: int


def boxes(file: BinaryIO, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes between two places, by default of the whole file; a damaged one ends the walk."""
    size = os.fstat(file.fileno()).st_size
    stop = size if end is None else min(end, size)
    at = start
    for _ in range(_MANY):
        file.seek(at)
        head = file.read(16) if at + 8 <= stop else b""
        if len(head) < 8:
            return
        length, name = struct.unpack_from(">I4s", head)
        wide = length == 1 and len(head) == 16
        length = struct.unpack_from(">Q", head, 8)[0] if wide else length or stop - at
        if length < (16 if wide else 8):
            return
        yield Box(name, at + (16 if wide else 8), at + length)
        at += length


def share_there(file: BinaryIO) -> float:
    """How much of an MP4 or QuickTime file is there, 0 to 1: less than 1 when a box ends behind the file."""
    size, end, index = os.fstat(file.fileno()).st_size, 0, False
    for box in boxes(file):
        end = max(end, box.end)
        index = index or box.name in (b"moov", b"moof")
    if size >= end:
        return 1.0 if index else 0.0
    return size / end


def rotation_of(file: BinaryIO) -> int:
    """By how many degrees clockwise the picture has to be turned to stand upright: 0, 90, 180 or 270."""
    for moov in _named(boxes(file), b"moov"):
        for track in _named(boxes(file, moov.body, moov.end), b"trak"):
            inside = list(boxes(file, track.body, track.end))
            if _handler(file, inside) == b"vide":
                return next((_angle(_body(file, head)) for head in _named(inside, b"tkhd")), 0)
    return 0


def seconds_of(file: BinaryIO) -> float:
    """How long the film says that it is; 0 where it does not say."""
    for moov in _named(boxes(file), b"moov"):
        for head in _named(boxes(file, moov.body, moov.end), b"mvhd"):
            body = _body(file, head)
            form, at = (">IQ", 20) if body[:1] == b"\x01" else (">II", 12)
            if len(body) >= at + struct.calcsize(form):
                scale, length = struct.unpack_from(form, body, at)
                unknown = length in (2**32 - 1, 2**64 - 1)
                return length / scale if scale and not unknown else 0.0
    return 0.0


def xmp_of(file: BinaryIO) -> bytes:
    """The XMP packet, b"" without one."""
    for box in boxes(file):
        if box.name == b"uuid" and (body := _body(file, box)).startswith(_XMP):
            return body[16:]
        if box.name == b"moov":
            for data in _named(boxes(file, box.body, box.end), b"udta"):
                for packet in _named(boxes(file, data.body, data.end), b"XMP_"):
                    return _body(file, packet)
    return b""


def _named(among: Iterator[Box] | list[Box], name: bytes) -> Iterator[Box]:
    return (box for box in among if box.name == name)


def _body(file: BinaryIO, box: Box) -> bytes:
    file.seek(box.body)
    return file.read(min(box.end - box.body, _DEEP))


def _handler(file: BinaryIO, track: list[Box]) -> bytes:
    for media in _named(track, b"mdia"):
        for handler in _named(boxes(file, media.body, media.end), b"hdlr"):
            return _body(file, handler)[8:12]
    return b""


def _angle(head: bytes) -> int:
    """Of a track's header: its matrix stands before the last eight bytes (ISO/IEC 14496-12, 8.3.2)."""
    if len(head) < 44:
        return 0
    across, down = struct.unpack_from(">ii", head, len(head) - 44)
    return round(math.degrees(math.atan2(down, across)) / 90) * 90 % 360
