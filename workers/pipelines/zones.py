"""The time zone of a place, from a map that is kept offline.

tzfpy answers in a microsecond and costs a process 35 MiB and a tenth of a second once, so it is loaded late and
only where a photo has a position and no offset. timezonefinder needs four more packages for the same answers.
"""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone_at(latitude: float, longitude: float) -> ZoneInfo | None:
    """The zone whose clocks are valid at a position; at sea the nautical one."""
    import tzfpy

    try:
        return ZoneInfo(tzfpy.get_tz(longitude, latitude))
    except (ZoneInfoNotFoundError, ValueError):
        return None  # the map is newer than this machine's list of zones


def offset_at(latitude: float, longitude: float, wall: datetime) -> str:
    """The offset ("+02:00") that a right clock had there at this wall time, "" when it cannot be told.

    In the hour that a clock shows twice, the first one counts.
    """
    zone = zone_at(latitude, longitude)
    apart = zone.utcoffset(wall) if zone else None
    # Before there were zones each town had its own minutes and seconds, which no offset can say.
    if apart is None or apart.total_seconds() % 60:
        return ""
    minutes = int(apart.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
