"""JSON that is sent to pages and to the API: what holds a value that no table can keep is refused as a whole."""

import json
from math import isfinite
from typing import Any


def json_in(body: bytes | str) -> Any:
    """What it says. Raises ValueError for what is no JSON or nested too deeply, and for what no table can keep."""
    try:
        said = json.loads(body)
    except RecursionError:
        raise ValueError("that is nested too deeply") from None
    _refuse_what_cannot_be_kept(said)
    return said


def _refuse_what_cannot_be_kept(said: Any) -> None:
    waiting = [said]
    while waiting:
        match waiting.pop():
            # Half a character, which is no Unicode text, is a ValueError by itself.
            case str(text) if b"\0" in text.encode():
                raise ValueError("text cannot hold a NUL")
            case float(number) if not isfinite(number):
                raise ValueError("a number has an end")
            case list(many):
                waiting += many
            case dict(named):
                waiting += [*named, *named.values()]
