"""Local clocks and UTC: which offset lies between two times, and which offsets there are at all."""

import re
from datetime import datetime

_REPEATED = 4  # minutes: receivers repeat their last fix


def offset_between(local: datetime, utc: datetime, *, exactly: bool = False) -> str:
    """The offset ("+02:00") between a wall time and UTC, "" when the two do not differ by one that exists.

    The clocks may differ by some minutes, or by less than two seconds when they are to agree exactly. Offsets are
    quarters of an hour, and off the half hours only few exist.
    """
    apart = (local - utc).total_seconds() / 60
    quarters = round(apart / 15)
    if abs(apart - quarters * 15) > (1 / 30 if exactly else _REPEATED) or not -12 * 4 <= quarters <= 14 * 4:
        return ""
    if quarters % 2 and quarters not in (23, 35, 51, 55):  # Nepal, Eucla, the Chatham Islands in winter and summer
        return ""
    sign, minutes = ("-" if quarters < 0 else "+"), abs(quarters) * 15
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"


def is_offset(text: str) -> bool:
    """Whether a text is an offset as it is kept: "+02:00"."""
    found = re.fullmatch(r"[+-](\d\d):(\d\d)", text)
    return found is not None and int(found[1]) <= 14 and int(found[2]) < 60
