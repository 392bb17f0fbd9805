"""When a photo was taken: dates as cameras, programs and file names write them.

Local camera time is not UTC: the wall time is kept as written, the offset beside it when known.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

# What is written counts, also where no camera's clock can be right: a scan may be dated like the painting on it.
# Outside of these years only damage was ever seen.
_FIRST_YEAR, _LAST_YEAR = 1600, 2299
# The beginning of time in Windows, which its programs write for "not known".
_NOT_KNOWN = datetime(1601, 1, 1)

_WRITTEN = re.compile(
    r"(?P<y>\d{4})[:\-/. ]?(?P<m>\d\d)[:\-/. ]?(?P<d>\d\d)"
    r"(?:[T ]+(?P<H>\d\d):?(?P<M>\d\d)(?::?(?P<S>\d\d)(?:[.,](?P<f>\d+))?)?)?"
    r"\s*(?P<z>Z|[+-]\d\d:?\d\d)?"
)
# IMG_20240501_123456, PXL_20240501_123456789, 2024-05-01 12.30.00, 20240501T123000, 2024-05-01-12-30-00,
# "WhatsApp Image 2024-05-01 at 12.30.00", and a day alone: 2024-05-01, IMG-20240501-WA0001.
_IN_NAME = re.compile(
    r"(?<!\d)(?P<y>(?:18|19|20)\d\d)(?P<s>[-_.: ]?)(?P<m>\d\d)(?P=s)(?P<d>\d\d)"
    r"(?:(?:[-_ T]| at )(?P<H>\d\d)(?P<t>[-_.:h]?)(?P<M>\d\d)(?:(?P=t)(?P<S>\d\d)(?P<f>\d{3})?)?)?(?!\d)"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A wall time, with its fraction of a second as digits, and its offset ("+02:00") when known."""

    wall: datetime
    fraction: str = ""
    offset: str = ""

    @property
    def text(self) -> str:
        return self.wall.isoformat(timespec="seconds") + (f".{self.fraction}" if self.fraction else "")


class NoSuchTime(ValueError):
    """A date that no photo can have been taken at; the text is what was written."""


def parse_moment(text: str) -> Moment | None:
    """The moment that a text writes, None for a blank one. Raises NoSuchTime for 0000:00:00 and the like."""
    if not re.search("[0-9]", text):
        return None
    found = _WRITTEN.match(text.strip())
    if found is None:
        raise NoSuchTime(text)
    part = found.groupdict()
    wall = _wall(text, *(int(part[key] or 0) for key in "ymdHMS"))
    return Moment(wall, _fraction(part["f"] or ""), parse_offset(part["z"] or ""))


def parse_offset(text: str) -> str:
    """ "+02:00" of +02:00, +0200, Z; "" of anything else."""
    text = text.strip()
    if text in ("Z", "z"):
        return "+00:00"
    found = re.fullmatch(r"([+-])(\d\d):?(\d\d)", text)
    if found is None or int(found[2]) > 14 or int(found[3]) > 59:
        return ""
    return f"{found[1]}{found[2]}:{found[3]}"


def with_fraction(moment: Moment, digits: str) -> Moment:
    """The moment with the sub-seconds of a tag of their own."""
    fraction = _fraction(digits)
    return Moment(moment.wall, fraction, moment.offset) if fraction else moment


def moment_in_name(name: str) -> Moment | None:
    """The moment in a file name, where it follows one of the usual patterns."""
    for found in _IN_NAME.finditer(name):
        part = found.groupdict()
        try:
            wall = _wall(name, *(int(part[key] or 0) for key in "ymdHMS"))
        except NoSuchTime:
            continue
        return Moment(wall, part["f"] or "")
    return None


def _wall(text: str, year: int, month: int, day: int, hour: int, minute: int, second: int) -> datetime:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise NoSuchTime(text)
    carry = timedelta(seconds=1) if second == 60 else timedelta()  # a leap second
    try:
        wall = datetime(year, month, day, hour, minute, min(second, 59)) + carry
    except ValueError:
        raise NoSuchTime(text) from None
    if wall == _NOT_KNOWN:
        raise NoSuchTime(text)
    return wall


def _fraction(digits: str) -> str:
    digits = digits.strip()
    return digits[:6] if re.fullmatch(r"\d+", digits, re.ASCII) else ""
