"""JSON that is sent to pages and to the API: what holds text that no table can keep is refused as a whole."""

import json
from collections.abc import Iterator
from typing import Any


def json_in(body: bytes) -> Any:
    """What it says. Raises ValueError for what is no JSON or nested too deeply, a NUL, and half a character."""
    try:
        said = json.loads(body)
    except RecursionError as error:
        raise ValueError("Nobody nests that deeply.") from error
    for text in _texts(said):
        # Half a character, which is no Unicode text, is a ValueError too.
        if b"\0" in text.encode():
            raise ValueError("That holds a NUL, which is no text.")
    return said


def _texts(said: Any) -> Iterator[str]:
    waiting = [said]
    while waiting:
        match waiting.pop():
            case str(text):
                yield text
            case list(many):
                waiting += many
            case dict(named):
                waiting += [*named, *named.values()]
