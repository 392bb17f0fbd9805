"""What camcorders write into the pictures of their AVCHD streams: when, with what, how exposed (tag "MDPM")."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

_MARK = bytes.fromhex("17ee8c60f84d11d98cd60800200c9a66") + b"MDPM"
_ENTRIES = 64
_MAKERS = {0x0103: "Panasonic", 0x0108: "Sony", 0x1011: "Canon", 0x1104: "JVC"}
_TIME, _TIME_REST, _SHUTTER, _APERTURE, _MAKE, _MODEL = 0x18, 0x19, 0x7F, 0xA1, 0xE0, (0xE4, 0xE5, 0xE6)


@dataclass(frozen=True, slots=True)
class Shot:
    """`taken` is wall time as text, `offset` as "+02:00" or ""; other facts under their usual names."""

    taken: str = ""
    offset: str = ""
    facts: dict[str, object] = field(default_factory=dict)


def read_shot(packet: bytes) -> Shot:
    """What the first picture's packet says; an empty Shot where it says nothing."""
    at = packet.find(_MARK)
    if at < 0:
        return Shot()
    # Zeros in a stream are broken up by threes, so that none of it looks like a start (H.264, 7.4.1).
    block = packet[at + len(_MARK) : at + len(_MARK) + 1000].replace(b"\x00\x00\x03", b"\x00\x00")
    if not block:
        return Shot()
    tags = {
        block[i]: block[i + 1 : i + 5] for i in range(1, 1 + 5 * min(block[0], _ENTRIES), 5) if i + 5 <= len(block)
    }
    taken, offset = _time(tags.get(_TIME, b"") + tags.get(_TIME_REST, b""))
    return Shot(taken, offset, dict(_facts(tags)))


def _time(digits: bytes) -> tuple[str, str]:
    """A byte for the zone, then century to second in decimal digits."""
    if len(digits) != 8 or not re.fullmatch("[0-9]{14}", digits[1:].hex()):
        return "", ""
    try:
        taken = datetime.strptime(digits[1:].hex(), "%Y%m%d%H%M%S")
    except ValueError:
        return "", ""
    zone, sign = digits[0], "-" if digits[0] & 0x20 else "+"
    known = not zone & 0x80
    return taken.isoformat(), f"{sign}{zone >> 1 & 0x0F:02d}:{'30' if zone & 1 else '00'}" if known else ""


def _facts(tags: dict[int, bytes]) -> Iterator[tuple[str, object]]:
    # In a unit of their own, little end first, the top bit something else.
    if shutter := int.from_bytes(tags.get(_SHUTTER, bytes(4))[2:], "little") & 0x7FFF:
        yield "shutter", round(shutter / 28125, 7)
    above, below = (int.from_bytes(tags.get(_APERTURE, bytes(4))[i : i + 2], "big") for i in (0, 2))
    if above and below:
        yield "aperture", round(above / below, 3)
    if maker := _MAKERS.get(int.from_bytes(tags.get(_MAKE, b"")[:2], "big")):
        yield "camera_make", maker
    model = b"".join(tags.get(tag, b"") for tag in _MODEL).rstrip(b"\x00").decode("ascii", "replace")
    if model.isprintable() and model:
        yield "camera_model", model
