"""Times as the job console writes them: relative for the eye, absolute on hover and for machines."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()
_DASH = "\N{EN DASH}"
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def span(seconds: float) -> str:
    """A length of time in its largest units: "30 ms", "3.2 s", "4 min 10 s", "2 h 5 min", "3 d"."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    left = round(seconds)
    if left < 60:
        return f"{left} s"
    parts: list[str] = []
    for unit, size in (*_UNITS, ("s", 1)):
        if left >= size and len(parts) < 2:
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(parts) if not parts[0].endswith("d") else parts[0]


@register.filter
def lasting(seconds: float | None) -> str:
    """A duration, or a dash where there is none."""
    return _DASH if seconds is None else span(seconds)


@register.simple_tag
def moment(at: datetime | None, kind: str = "") -> SafeString | str:
    """A time element: "4 min ago", "in 20 s". With kind "countdown" a script lets it run."""
    if at is None:
        return _DASH
    seconds = (at - timezone.now()).total_seconds()
    words = f"in {_coarse(seconds)}" if seconds > 0 else f"{_coarse(-seconds)} ago"
    absolute = f"{at.day} {at:%B %Y, %H:%M:%S} UTC"
    mark = SafeString(" data-countdown") if kind == "countdown" and seconds > 0 else ""
    return format_html('<time datetime="{}" title="{}"{}>{}</time>', at.isoformat(), absolute, mark, words)


def _coarse(seconds: float) -> str:
    """In one unit: whoever wants to know it better has the absolute time on hover."""
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(1, round(seconds))} s"
