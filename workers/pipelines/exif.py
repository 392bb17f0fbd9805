"""What Exif says, in the facts' own names and units."""

import math
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from workers.pipelines.clean import as_number, as_text
from workers.pipelines.directories import Directories, Directory

_METERING = {
    1: "average", 2: "centre-weighted", 3: "spot", 4: "multi-spot", 5: "pattern", 6: "partial",
}  # fmt: skip
_PROGRAM = {
    1: "manual", 2: "normal", 3: "aperture priority", 4: "shutter priority", 5: "creative", 6: "action",
    7: "portrait", 8: "landscape",
}  # fmt: skip
_EXPOSURE_MODE = {0: "auto", 1: "manual", 2: "auto bracket"}
# What cameras write into each picture's description, which no person ever wrote.
_CAMERA_TALK = re.compile(
    r"(olympus|minolta|konica|kodak|ricoh|sanyo|vivitar|samsung|digital) ?(digital)? ?(camera)?|sony dsc|dcim.*|"
    r"my first video|image|dsc\w*|\W*",
    re.IGNORECASE,
)
_NO_LENS = re.compile(r"[-\s]*|n/a|unknown.*|0(\.0)?( ?mm)?( f/0(\.0)?)?|\W*", re.IGNORECASE)


def exposure_facts(tags: Directories) -> Iterator[tuple[str, object]]:
    """Name and value of each fact about camera and exposure; values out of any sensible range are left out."""
    exif, image = {**tags.image, **tags.exif}, tags.image
    yield "camera_make", as_text(image.get(271, b""))
    yield "camera_model", as_text(image.get(272, b""))
    yield "lens", lens_name(exif.get(42036, b""))
    yield "aperture", _within(exif.get(33437), 0.1, 256) if 33437 in exif else _apex(exif.get(37378), 0.5)
    yield "shutter", _within(exif.get(33434), 1e-7, 1e6) if 33434 in exif else _apex(exif.get(37377), -1)
    yield "iso", _iso(exif)
    yield "focal_length", _within(exif.get(37386), 0.1, 20_000)
    yield "focal_length_35", _within(exif.get(41989), 1, 20_000)
    # 0 and infinity, which cameras write for what they do not know, are outside.
    yield "subject_distance", _within(exif.get(37382), 0.001, 10_000)
    yield "flash", _flash(exif.get(37385))
    yield "metering", _METERING.get(_code(exif.get(37383)))
    yield "program", _PROGRAM.get(_code(exif.get(34850)))
    yield "exposure_mode", _EXPOSURE_MODE.get(_code(exif.get(41986)))
    yield "exposure_bias", _within(exif.get(37380), -20, 20)
    yield "orientation", int(_within(image.get(274), 1, 8) or 0) or None


def text_facts(tags: Directories) -> Iterator[tuple[str, object]]:
    """Name and value of each fact that a person or a program wrote."""
    image = tags.image
    caption = as_text(image.get(270, b""))
    yield "caption", "" if _CAMERA_TALK.fullmatch(caption) else caption
    yield "software", as_text(image.get(305, b""))
    yield "artist", as_text(image.get(315, b""))
    yield "copyright", as_text(image.get(33432, b""))
    # Windows' own tags are UTF-16.
    yield "title", _windows(image.get(40091))
    yield "caption", _windows(image.get(40092))
    yield "keywords", [word for word in _windows(image.get(40094)).split(";") if word.strip()]
    rating = _within(image.get(18246), 0, 5)
    yield "rating", None if rating is None else int(rating)


def position_facts(gps: Directory) -> Iterator[tuple[str, object]]:
    """Latitude and longitude in degrees, altitude in metres."""
    latitude = _degrees(gps.get(2), as_text(gps.get(1, b"")), 90)
    longitude = _degrees(gps.get(4), as_text(gps.get(3, b"")), 180)
    # 0°, 0° is a receiver without a fix, not the Gulf of Guinea.
    if latitude is not None and longitude is not None and (latitude or longitude):
        yield "latitude", latitude
        yield "longitude", longitude
    altitude = _within(gps.get(6), 0, 100_000)
    below = as_number(gps.get(5)) == 1
    yield "altitude", -altitude if below and altitude is not None else altitude


def gps_time(gps: Directory) -> datetime | None:
    """The satellites' clock, in UTC."""
    day = re.match(r"(\d{4})\D(\d\d)\D(\d\d)", as_text(gps.get(29, b"")))
    clock = gps.get(7)
    if day is None or not isinstance(clock, tuple) or len(clock) != 3:
        return None
    try:
        hours, minutes, seconds = clock
        return datetime(int(day[1]), int(day[2]), int(day[3])) + timedelta(
            hours=int(hours), minutes=int(minutes), seconds=float(seconds)
        )
    except (ValueError, OverflowError):
        return None


def maker_facts(tags: Directories) -> Iterator[tuple[str, object]]:
    """Lens, ISO and drive out of the maker's note, for cameras that write them nowhere else."""
    make = as_text(tags.image.get(271, b""))
    if make.startswith("Canon"):
        yield from _canon_facts(tags.maker)
    elif make.upper().startswith("NIKON"):
        iso = tags.maker.get(2)
        yield "iso", int(_within(iso[-1] if isinstance(iso, tuple) else iso, 1, 10_000_000) or 0) or None
        yield "lens", _nikon_lens(tags.maker.get(132))


# Positions in Canon's camera settings, and what the numbers there mean (documented with ExifTool).
_CANON_SETTINGS, _CANON_LENS = 1, 149
_CANON_DRIVE, _CANON_ISO = 5, 16
_CANON_DRIVES = {0: "single", 1: "continuous", 2: "film", 3: "continuous, speed priority", 5: "continuous, high"}
_CANON_ISOS = {16: 50, 17: 100, 18: 200, 19: 400, 20: 800}


def _canon_facts(maker: Directory) -> Iterator[tuple[str, object]]:
    yield "lens", lens_name(maker.get(_CANON_LENS, b""))
    settings = maker.get(_CANON_SETTINGS)
    if isinstance(settings, tuple) and len(settings) > _CANON_ISO:
        iso = int(settings[_CANON_ISO])
        yield "iso", (iso & 0x3FFF if iso & 0x4000 else _CANON_ISOS.get(iso)) or _canon_auto_iso(maker.get(4))
        yield "drive", _CANON_DRIVES.get(int(settings[_CANON_DRIVE]))


def _canon_auto_iso(shot: object) -> int | None:
    """The speed that the camera chose: a base and a factor, both counted in 32nds of a doubling."""
    if not isinstance(shot, tuple) or len(shot) < 3 or not 0 < shot[2] < 1000 or not 0 <= shot[1] < 1000:
        return None
    return round(math.exp2((shot[1] + shot[2]) / 32) * 100 / 32)


def _nikon_lens(numbers: object) -> str:
    """The usual name made of four numbers: shortest, longest, aperture at either."""
    parts = [_within(number, 0.5, 5000) for number in numbers] if isinstance(numbers, tuple) else []
    if len(parts) != 4 or None in parts:
        return ""
    short, long, wide, tele = (f"{part:g}" for part in parts)
    return f"{short if short == long else f'{short}-{long}'} mm f/{wide if wide == tele else f'{wide}-{tele}'}"


def lens_name(value: object) -> str:
    """A lens's name; "" for the ways in which cameras say that they do not know it."""
    name = as_text(value)
    return "" if _NO_LENS.fullmatch(name) else name


def _within(value: object, low: float, high: float) -> float | None:
    number = as_number(value)
    return number if number is not None and low <= number <= high else None


def _apex(value: object, power: float) -> float | None:
    """Aperture and shutter on the logarithmic scale of old cameras: powers of two."""
    number = _within(value, -20, 40)
    return round(2 ** (number * power), 6) if number is not None else None


def _iso(exif: Directory) -> int | None:
    values = exif.get(34855)
    for value in values if isinstance(values, tuple) else (values,):
        if (number := _within(value, 1, 10_000_000)) and number != 65535:
            return int(number)
    # 65535 means: more than two bytes can say, look into the longer tags.
    longer = _within(exif.get(34866), 1, 10_000_000) or _within(exif.get(34865), 1, 10_000_000)
    return int(longer) if longer else None


def _flash(value: object) -> bool | None:
    number = _within(value, 0, 255)
    return None if number is None else bool(int(number) & 1)


def _code(value: object) -> int:
    number = as_number(value)
    return -1 if number is None else int(number)


def _degrees(value: object, side: str, limit: int) -> float | None:
    parts = [as_number(part) for part in value] if isinstance(value, tuple) else [as_number(value)]
    if (
        not parts
        or any(part is None or part < 0 for part in parts)
        or side[:1].upper() not in ("N", "S", "E", "W")
    ):
        return None
    degrees = sum((part or 0) / 60**place for place, part in enumerate(parts[:3]))
    return round(-degrees if side[:1].upper() in ("S", "W") else degrees, 8) if degrees <= limit else None


def _windows(value: object) -> str:
    data = value if isinstance(value, bytes) else b""
    return as_text(data.decode("utf-16-le", "ignore").split("\x00")[0])
