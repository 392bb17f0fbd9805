"""What a video knows of itself: when, where, with what, how long, how coded. No picture is decoded."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from core.domain.clocks import offset_between
from workers.errors import PoisonError
from workers.pipelines import boxes, xmp
from workers.pipelines.camcorder import Shot, read_shot
from workers.pipelines.clean import as_text
from workers.pipelines.codecs import codec_string
from workers.pipelines.dates import Moment, NoSuchTime, moment_in_name, parse_moment
from workers.pipelines.video import BOXED, opened, pictures, text_of
from workers.pipelines.zones import zone_at

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_APPLE = "com.apple.quicktime."
_TEXTS = {
    "camera_make": (_APPLE + "make", "make", "com.android.manufacturer"),
    "camera_model": (_APPLE + "model", "model", "com.android.model"),
    "software": (_APPLE + "software", "software"),
    "artist": (_APPLE + "author", "artist", "author"),
    "copyright": (_APPLE + "copyright", "copyright"),
    "title": (_APPLE + "title", "title"),
    "caption": (_APPLE + "description", "description", "comment", _APPLE + "comment"),
    "content_identifier": (_APPLE + "content.identifier",),
}
_POSITIONS = (_APPLE + "location.ISO6709", "location")
_PLACE = re.compile(r"([+-]\d{2,6}(?:\.\d+)?)([+-]\d{3,7}(?:\.\d+)?)([+-]\d+(?:\.\d+)?)?")
# Clocks that were never set begin in 1904 (QuickTime's first second) or 1970 (everybody else's).
_FIRST_DIGITAL_YEAR = 1985
_ORIENTATIONS = {90: 6, 180: 3, 270: 8}
# A bundle of facts with one source, in order of trust.
Found = tuple[str, list[tuple[str, Any]]]


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """Facts in bundles by source, the most trusted first, and notes in plain words."""

    found: list[Found]
    notes: list[str]


def read_video_facts(path: Path, kind_name: str) -> VideoFacts:
    """Every fact of a video; one that cannot be opened has none. Raises only the disk's own OSErrors."""
    with path.open("rb") as file:
        words = xmp.parse_xmp(boxes.xmp_of(file)) if kind_name in BOXED else {}
        seconds, turned = (boxes.seconds_of(file), boxes.rotation_of(file)) if kind_name in BOXED else (0.0, 0)
        file.seek(0)
        try:
            shot = _shot(file, kind_name)
            with opened(file, kind_name) as container:
                return _facts(container, words, (seconds, turned), path.name, shot)
        except PoisonError:
            return VideoFacts([], [])  # the previews' step says why


def _facts(
    container: "InputContainer", words: xmp.Properties, head: tuple[float, int], name: str, shot: Shot
) -> VideoFacts:
    notes: list[str] = []
    said = container.metadata
    place = dict(_position(text_of(said, *_POSITIONS)))
    own = [(fact, as_text(text_of(said, *names))) for fact, names in _TEXTS.items()]
    found: list[Found] = [
        *_when(said, words, shot, place, name, notes),
        ("container", [*place.items(), *shot.facts.items(), *own]),
        ("xmp", [*xmp.camera_facts(words), *xmp.written_facts(words)]),
        ("container", [*_how_long(container, head[0]), *_how_coded(container), *_how_turned(head[1])]),
    ]
    return VideoFacts(found, notes)


def _how_long(container: "InputContainer", said: float) -> Iterator[tuple[str, Any]]:
    """In seconds: as the file's head says, else as FFmpeg works out."""
    if seconds := said or max(0, container.duration or 0) / 1e6:
        yield "duration", round(seconds, 3)


def _how_coded(container: "InputContainer") -> Iterator[tuple[str, Any]]:
    stream = pictures(container)
    coded = stream.codec_context
    yield from (("width", coded.width), ("height", coded.height), ("video_codec", coded.name))
    yield "codecs", codec_string(coded.name, coded.extradata or b"")
    if rate := _rate(stream):
        yield "frame_rate", rate
    for sound in container.streams.audio[:1]:
        yield "audio_codec", sound.codec_context.name if sound.codec_context else ""


def _rate(stream: "VideoStream") -> float | None:
    rate = stream.average_rate or stream.guessed_rate
    return round(float(rate), 3) if rate and 0 < rate < 10_000 else None


def _how_turned(turned: int) -> Iterator[tuple[str, Any]]:
    yield "rotation", turned
    # The word that pictures have for it: a tile has its shape before its preview is made.
    yield "orientation", _ORIENTATIONS.get(turned)


def _shot(file: BinaryIO, kind_name: str) -> Shot:
    """What a camcorder wrote beside the first pictures; the file stands at its start again."""
    if kind_name != "mts":
        return Shot()
    with opened(file, kind_name) as container:
        packets = zip(range(16), container.demux(pictures(container)), strict=False)
        shot = next((shot for _, packet in packets if (shot := read_shot(bytes(packet))).taken), Shot())
    file.seek(0)
    return shot


# --- when ---------------------------------------------------------------------------------------------------


def _when(
    said: Any, words: xmp.Properties, shot: Shot, place: dict[str, float], name: str, notes: list[str]
) -> Iterator[Found]:
    """The local time with its offset where it is written; else the container's, which is UTC."""
    for text, source in (
        (text_of(said, _APPLE + "creationdate"), "container"),
        (shot.taken and f"{shot.taken}{shot.offset}", "container"),
        *((text, "xmp") for text in (*xmp.taken_texts(words), *xmp.digitized_texts(words))),
        (text_of(said, "date"), "container"),
    ):
        moment = _parsed(text, notes)
        if moment and (moment.offset or source == "xmp" or text == shot.taken):
            yield source, [("taken_at", moment.text), ("taken_offset", moment.offset)]
            return
    utc = _parsed(text_of(said, "creation_time"), notes)
    in_name = moment_in_name(name)
    if utc:
        yield from _from_utc(utc.wall, place, in_name, notes)
    elif in_name:
        yield "file name", [("taken_at", in_name.text)]
    elif day := _parsed(text_of(said, "date"), notes):
        yield "container", [("taken_at", day.text)]


def _from_utc(utc: datetime, place: dict[str, float], in_name: Moment | None, notes: list[str]) -> Iterator[Found]:
    """The container's moment on the clocks of the place, as far as name or position tell which those are."""
    offset = offset_between(in_name.wall, utc) if in_name else ""
    if in_name and offset:
        yield "file name", [("taken_at", in_name.text), ("taken_offset", offset)]
        return
    zone = zone_at(place["latitude"], place["longitude"]) if place else None
    if zone is None:
        notes.append("The video says when it was taken in UTC only, not on the clocks of the place.")
        yield "container", [("taken_at", utc.isoformat()), ("taken_offset", "+00:00")]
        return
    local = utc.replace(tzinfo=UTC).astimezone(zone)
    written = local.isoformat()
    yield "container", [("taken_at", written[:19])]
    yield "position", [("taken_offset", written[19:])]


def _parsed(text: str, notes: list[str]) -> Moment | None:
    try:
        moment = parse_moment(text)
    except NoSuchTime:
        moment = None
    else:
        if moment is None or moment.wall.year >= _FIRST_DIGITAL_YEAR:
            return moment
    note = f"The date in the video, “{as_text(text)[:40]}”, cannot be right and was left out."
    if note not in notes:
        notes.append(note)
    return None


# --- where --------------------------------------------------------------------------------------------------


def _position(text: str) -> Iterator[tuple[str, float]]:
    """ISO 6709: "+51.4169-000.0806/", degrees, or degrees and minutes, or with seconds; then the altitude."""
    found = _PLACE.match(text)
    if not found:
        return
    latitude, longitude = _degrees(found[1], 2), _degrees(found[2], 3)
    # A device without a fix writes zeros; nobody takes videos in the sea off Ghana at exactly 0° 0'.
    if abs(latitude) > 90 or abs(longitude) > 180 or (latitude == 0 and longitude == 0):
        return
    yield "latitude", latitude
    yield "longitude", longitude
    if found[3]:
        yield "altitude", float(found[3])


def _degrees(text: str, digits: int) -> float:
    sign, whole = (-1 if text[0] == "-" else 1), text[1:].partition(".")[0]
    if len(whole) <= digits:
        return float(text)
    number = text[1:]
    parts = [number[:digits], number[digits : digits + 2], number[digits + 2 :]]
    if len(whole) <= digits + 2:
        parts = [number[:digits], number[digits:]]
    degrees = sum(float(part or 0) / 60.0**place for place, part in enumerate(parts))
    return round(sign * degrees, 8)
