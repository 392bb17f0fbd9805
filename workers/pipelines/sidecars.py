"""What a file beside a picture says about it: XMP, Google's JSON, Apple's list of edits. Odd ones are refused."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workers.errors import PoisonError
from workers.pipelines import xmp
from workers.pipelines.clean import as_number, as_text, cut
from workers.pipelines.dates import NoSuchTime, parse_moment
from workers.pipelines.kinds import PICTURE_EXTENSIONS, Kind
from workers.pipelines.zones import offset_at, zone_at

# Lightroom's largest, with every stroke of a brush, have a few megabytes.
_LARGEST = 16 << 20
_KEYWORDS = 200
# Sources that tell about a picture.
ABOUT_PICTURES = ("sidecar", "takeout", "aae")


@dataclass(frozen=True, slots=True)
class SidecarContent:
    """`source` is "sidecar", "takeout", "aae", "album" (Google's notes on one), or "" for none of our business.

    `title` is the picture's name as Google's JSON has it.
    """

    source: str
    facts: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    notes: tuple[str, ...] = ()


def may_be_sidecar(kind: Kind, name: str) -> bool:
    """Whether a file is to be read as a sidecar, by its content or by a name that promises one."""
    stem, _, ending = name.lower().rpartition(".")
    if kind.media not in ("sidecar", "unknown") or kind.name in ("empty", "zeros", "gpx"):
        return False
    if ending == "json":
        return True
    return (kind.name == "xmp" or ending == "xmp" or (kind.name == "aae" and ending == "aae")) and bool(stem)


def read_sidecar(path: Path, kind: Kind, name: str = "") -> SidecarContent:
    """What a sidecar says; `name` is its own where the path has another.

    Raises PoisonError, with a reason for its owner, and the disk's own OSErrors.
    """
    name = name or path.name
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    promised = _names_a_picture(name)
    match name.lower().rpartition(".")[2]:
        case "json":
            return _read_json(data, promised)
        case "aae" if kind.name == "aae":
            return SidecarContent("aae")
    return _read_xmp(data)


def _names_a_picture(name: str) -> bool:
    """Whether a JSON file's name is that of a picture and more: package.json may be as odd as it likes."""
    return any(part in PICTURE_EXTENSIONS for part in name.lower().split(".")[1:-1])


def _read_xmp(data: bytes) -> SidecarContent:
    if len(data) > _LARGEST:
        raise _refused("It is larger than 16 MB, which no sidecar needs.")
    try:
        found = xmp.read_xmp(data)
    except xmp.NoXmp as reason:
        raise _refused(str(reason)) from None
    facts: dict[str, Any] = {}
    notes: list[str] = []
    for name, value in (*xmp.written_facts(found), *xmp.position_facts(found), *_taken(found, notes)):
        if value not in (None, "", []) and name not in ("software",):
            facts.setdefault(name, _fitting(value))
    return SidecarContent("sidecar", facts, notes=tuple(notes))


def _taken(found: xmp.Properties, notes: list[str]) -> list[tuple[str, Any]]:
    for text in (*xmp.taken_texts(found), *xmp.digitized_texts(found)):
        try:
            moment = parse_moment(text)
        except NoSuchTime:
            notes.append(f"The date “{text[:40]}” cannot be right and was left out.")
            continue
        if moment:
            return [("taken_at", moment.text), ("taken_offset", moment.offset)]
    return []


def _read_json(data: bytes, promised: bool) -> SidecarContent:
    try:
        if len(data) > _LARGEST:
            raise _refused("It is larger than 16 MB, which no sidecar needs.")
        said = _parsed(data)
    except PoisonError:
        if promised:
            raise
        return SidecarContent("")
    if not isinstance(said, dict):
        return SidecarContent("")
    if "photoTakenTime" in said or "googlePhotosOrigin" in said:
        return SidecarContent("takeout", _takeout_facts(said), title=as_text(said.get("title")))
    return SidecarContent("album" if "albumData" in said or {"title", "access", "date"} <= said.keys() else "")


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise _refused("It is not in UTF-8, so its letters cannot be told.") from None
    except (ValueError, RecursionError) as error:
        raise _refused(f"It is not readable as JSON: {str(error)[:100]}.") from None


def _takeout_facts(said: dict[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {"caption": _fitting(as_text(said.get("description")))}
    place = _place(said.get("geoData")) or _place(said.get("geoDataExif"))
    facts |= place | _moment(said.get("photoTakenTime"), place)
    people = said.get("people")
    names = (
        [as_text(one.get("name")) for one in people if isinstance(one, dict)] if isinstance(people, list) else []
    )
    facts["people"] = _fitting([name for name in names if name])
    facts["favourite"] = said.get("favorited") is True or None
    return {name: value for name, value in facts.items() if value not in (None, "", [])}


def _place(said: object) -> dict[str, Any]:
    if not isinstance(said, dict):
        return {}
    latitude, longitude, altitude = (as_number(said.get(name)) for name in ("latitude", "longitude", "altitude"))
    if latitude is None or longitude is None or not (latitude or longitude):
        return {}
    if abs(latitude) > 90 or abs(longitude) > 180:
        return {}
    return {"latitude": latitude, "longitude": longitude, **({"altitude": altitude} if altitude else {})}


def _moment(said: object, place: dict[str, Any]) -> dict[str, Any]:
    """Google's moments are UTC: on the clocks that were valid at the position where it is known."""
    seconds = as_number(said.get("timestamp")) if isinstance(said, dict) else None
    if seconds is None:
        return {}
    try:
        utc = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return {}
    text = utc.replace(tzinfo=None).isoformat(timespec="seconds")
    zone = zone_at(place["latitude"], place["longitude"]) if place else None
    if zone is None:
        return {"taken_utc": text, "taken_at": text, "taken_offset": "+00:00"}
    wall = utc.astimezone(zone).replace(tzinfo=None)
    offset = offset_at(place["latitude"], place["longitude"], wall)
    return {"taken_utc": text, "taken_at": wall.isoformat(timespec="seconds"), "taken_offset": offset}


def _fitting(value: Any) -> Any:
    if isinstance(value, str):
        return cut(value)[0]
    if isinstance(value, list):
        return [cut(word)[0] for word in dict.fromkeys(value)][:_KEYWORDS]
    return value


def _refused(reason: str) -> PoisonError:
    return PoisonError(
        "sidecar-unreadable",
        f"This file should tell about a picture beside it, but cannot be read. {reason} The picture is as it was.",
    )
