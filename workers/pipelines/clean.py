"""Texts and numbers out of files, made fit for any table and any page.

What a camera writes may be longer than a column, hold NULs, be no UTF-8, or be infinite. It is cut or left out
here, with a note, and the photo goes on.
"""

import math
import re
import unicodedata

TEXT_LIMIT = 1000
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def as_text(value: object) -> str:
    """Plain text of bytes or a string: UTF-8 where it is that, Latin-1 else; no controls, no lone surrogates."""
    if isinstance(value, bytes):
        value = _decoded(value.lstrip(b"\x00").split(b"\x00")[0])
    if not isinstance(value, str):
        return ""
    text = value.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _CONTROLS.sub(" ", text).strip())


def cut(text: str) -> tuple[str, bool]:
    """The text within the limit, and whether it had to be cut."""
    return (text, False) if len(text) <= TEXT_LIMIT else (text[: TEXT_LIMIT - 1] + "…", True)


def as_number(value: object) -> float | None:
    """A finite number, or nothing."""
    if isinstance(value, tuple | list):
        value = next(iter(value), None)
    if isinstance(value, bytes):
        value = value[0] if len(value) == 1 else value.decode("latin-1")
    if isinstance(value, str):
        value = _ratio(value.strip("\x00 "))
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _ratio(text: str) -> object:
    above, slash, below = text.partition("/")
    if not slash:
        return text
    try:
        return float(above) / float(below)
    except (ValueError, ZeroDivisionError):
        return None


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
