"""Counts, sizes and times as people write them."""

from datetime import date, datetime

from core.domain.places import Names

_UNITS = ("bytes", "KB", "MB", "GB", "TB")


def number(count: int) -> str:
    """12345 → "12,345"."""
    return f"{count:,}"


def counted(count: int, one: str, many: str = "") -> str:
    """1 → "1 photo", 12345 → "12,345 photos"."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def pixels(width: int, height: int) -> str:
    """A picture's size with the sign of multiplication: 6,000 by 4,000."""
    return f"{number(width)} \N{MULTIPLICATION SIGN} {number(height)}"


def size(count: int) -> str:
    """A file's size: "640 bytes", "4.7 MB", "38 MB"."""
    amount = float(count)
    for unit in _UNITS[:-1]:
        if amount < 999.5:
            return _short(amount, unit)
        amount /= 1000
    return _short(amount, _UNITS[-1])


def _short(amount: float, unit: str) -> str:
    if unit == "bytes":
        return counted(int(amount), "byte")
    return f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:,.0f} {unit}"


def position(latitude: float, longitude: float) -> str:
    """As in "48.85837° N, 2.29448° W"."""
    return f"{_degrees(latitude, 'N', 'S')}, {_degrees(longitude, 'E', 'W')}"


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{abs(value):.5f}°\N{NO-BREAK SPACE}{positive if value >= 0 else negative}"


def place_in_words(names: Names) -> str:
    """As in "Paris, Île-de-France, France"; a town of its region's name is said once."""
    return ", ".join(dict.fromkeys(filter(None, reversed(names.parts))))


def short_day(value: date) -> str:
    """As in "Sat, 16 Nov 2020": the month cut to three letters where it is longer."""
    return f"{value:%a}, {value.day} {value:%b %Y}"


def wall_time(value: datetime) -> str:
    """As in "16 May 2020, 14:03:09"."""
    return f"{value.day} {value:%B %Y, %H:%M:%S}"
