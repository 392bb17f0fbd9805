"""Writes the golden files that are missing: `python -m tests.core.golden`. Look at what it wrote, then commit it.

One stored example of each event in each version that was ever shipped. What is there is never written again: it
stands for what lies in people's logs.
"""

import dataclasses
import enum
import hashlib
import json
import os
import types
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

FOLDER = Path(__file__).with_name("golden")
SUMS = FOLDER / "SHA256SUMS"
COMMAND = "python -m tests.core.golden"
_TEXTS = {
    "path": "2021/Oma am See/IMG_0001.jpg",
    "root": "/photos",
    "name": "Photos",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "taken_at": "2021-07-04T15:06:07.000",
    "taken_offset": "+02:00",
    "revision": "3f9a1c2e",
    "thumbhash": "1QcSHQRnh493V4dIh4eXh1h4kJUI",
    "mime": "image/jpeg",
    "kind": "jpeg",
    "media": "image",
    "reason": "This file is empty.",
    "code": "empty",
    "source": "exif",
    "birthday": "1990-07-31",
    "filter": "label",
    "value": "cat",
    "style": "vivid",
}


def wanted() -> Iterator[tuple[str, int]]:
    """Each event's name with each version that was ever written."""
    from core.domain import codec

    for name in codec.TYPES:
        yield from ((name, version) for version in range(1, codec.newest_version(name) + 1))


def file_of(name: str, version: int) -> Path:
    return FOLDER / f"{name}.v{version}.json"


def sum_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def known_sums() -> dict[str, str]:
    """The sum of each golden file when it was written, by file name."""
    if not SUMS.exists():
        return {}
    return {name: digest for digest, name in (line.split("  ", 1) for line in SUMS.read_text().splitlines())}


def write_missing() -> list[Path]:
    """Write an example of each newest version that has none; which ones."""
    from core.domain import codec

    written = []
    for name, version in wanted():
        path = file_of(name, version)
        if path.exists():
            continue
        if version < codec.newest_version(name):
            raise SystemExit(f"{path.name} is gone, and this program only knows the newest version: restore it.")
        data = codec._adapter(name).dump_python(_example(codec.TYPES[name], ""), mode="json")
        path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
        written.append(path)
    sums = known_sums() | {path.name: sum_of(path) for path in written}
    SUMS.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))
    return written


def _example(hint: Any, name: str) -> Any:
    """Some value of a type, the same each time."""
    origin, given = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _example(given[0], name)
    if origin in (Union, types.UnionType):
        return _example(given[0], name)
    if origin in (tuple, list):
        several = given if origin is tuple and given[-1] is not Ellipsis else given[:1]
        return origin(_example(one, name) for one in several)
    if origin is dict:
        return {"camera_model": _example(given[1], "value")}
    if dataclasses.is_dataclass(hint):
        hints = get_type_hints(hint, include_extras=True)
        return hint(**{one.name: _example(hints[one.name], one.name) for one in dataclasses.fields(hint)})
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return next(iter(hint))
    plain: dict[Any, Any] = {
        str: _TEXTS.get(name, name or "text"),
        Any: "X100V",
        bool: True,
        int: 3,
        float: 0.5,
        UUID: UUID("0190163d-8694-739b-aea5-966c26f8ad91"),
        datetime: datetime(2021, 7, 4, 15, 6, 7),
    }
    return plain[hint]


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")
    FOLDER.mkdir(exist_ok=True)
    for made in write_missing():
        print(made)
