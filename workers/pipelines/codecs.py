"""What a video is coded with, as browsers want to hear it before they say whether they play it (RFC 6381)."""

import re

_PLAIN = {
    "vp8": "vp8",
    "vp9": "vp09.00.10.08",
    "mpeg4": "mp4v.20.9",
    "theora": "theora",
    "mpeg2video": "mp4v.61",
    "mpeg1video": "mp4v.6A",
    "h263": "s263",
}
_BASELINE = "avc1.42001e"


def codec_string(name: str, setup: bytes) -> str:
    """The string for a video codec by FFmpeg's name; `setup` is what the container says of its parameters.

    A codec that no browser knows keeps FFmpeg's name, and no browser will know that either.
    """
    match name:
        case "h264":
            return _avc(setup)
        case "hevc":
            return _hevc(setup)
        case "av1":
            return _av1(setup)
        case _:
            return _PLAIN.get(name, name)


def _avc(setup: bytes) -> str:
    """Profile, constraints and level: from MP4's record, or from the parameter set of a stream."""
    if len(setup) >= 4 and setup[0] == 1:
        return f"avc1.{setup[1:4].hex()}"
    found = re.search(rb"\x00\x00\x01[\x07\x27\x47\x67](...)", setup, re.DOTALL)
    return f"avc1.{found[1].hex()}" if found else _BASELINE


def _hevc(setup: bytes) -> str:
    """ISO/IEC 14496-15, annex E: profile, compatibility in reverse order of bits, tier and level, constraints."""
    if len(setup) < 13 or setup[0] != 1:
        return "hvc1.1.6.L93.B0"
    space, tier, profile = ("", "A", "B", "C")[setup[1] >> 6], "LH"[setup[1] >> 5 & 1], setup[1] & 31
    compatible = int(f"{int.from_bytes(setup[2:6], 'big'):032b}"[::-1], 2)
    constraints = [f"{part:X}" for part in setup[6:12].rstrip(b"\x00")]
    return ".".join(["hvc1", f"{space}{profile}", f"{compatible:X}", f"{tier}{setup[12]}", *constraints])


def _av1(setup: bytes) -> str:
    if len(setup) < 3 or setup[0] != 0x81:
        return "av01.0.08M.08"
    profile, level, tier = setup[1] >> 5, setup[1] & 31, "MH"[setup[2] >> 7]
    depth = (12 if setup[2] & 0x20 else 10) if setup[2] & 0x40 else 8
    return f"av01.{profile}.{level:02d}{tier}.{depth:02d}"
