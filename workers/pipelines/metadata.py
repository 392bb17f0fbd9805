"""What a file knows of its photo: when, where, with what, each fact with its source. No pixel is decoded."""

import io
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from core.domain.clocks import offset_between
from core.domain.facts import Fact
from workers.pipelines import exif, xmp
from workers.pipelines.clean import as_text, cut
from workers.pipelines.dates import (
    Moment,
    NoSuchTime,
    moment_in_name,
    parse_moment,
    parse_offset,
    with_fraction,
)
from workers.pipelines.directories import Directories, Directory, read_directories
from workers.pipelines.embedded import Embedded, find_embedded
from workers.pipelines.kinds import Kind
from workers.pipelines.moving import live_identifier, moving_facts
from workers.pipelines.places import Located, locate
from workers.pipelines.videofacts import VideoFacts, read_video_facts
from workers.pipelines.zones import offset_at

__all__ = ["Fact", "Metadata", "read_metadata"]


TIFF_KINDS = {"tiff", "dng", "nef", "cr2", "arw", "pef", "kdc", "srw", "erf", "3fr", "mef", "iiq"}
_KEYWORD_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Metadata:
    """Facts by name, and notes in plain words about what was cut or left out."""

    facts: dict[str, Fact]
    notes: tuple[str, ...]
    located: Located | None = None

    @property
    def position(self) -> tuple[float, float] | None:
        """Latitude and longitude in degrees."""
        at = [self.facts[name].value for name in ("latitude", "longitude") if name in self.facts]
        return (at[0], at[1]) if len(at) == 2 else None


@dataclass(slots=True)
class _Gathered:
    """Facts as they come in: the first word on a fact counts."""

    facts: dict[str, Fact] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def put(self, source: str, pairs: Iterable[tuple[str, Any]]) -> None:
        for name, value in pairs:
            if name not in self.facts and value not in (None, "", []):
                self.facts[name] = Fact(self._fit(name, value), source)

    def _fit(self, name: str, value: Any) -> Any:
        match value:
            case str():
                value, was_cut = cut(value)
            case list():
                words = [cut(word) for word in dict.fromkeys(value)]
                value = [word for word, _ in words[:_KEYWORD_LIMIT]]
                was_cut = len(words) > _KEYWORD_LIMIT or any(shorter for _, shorter in words)
            case _:
                was_cut = False
        if was_cut:
            self.note(f"The {name.replace('_', ' ')} in the file was too long and was cut.")
        return value

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def read_metadata_and_place(path: Path, kind: Kind, name: str = "") -> Metadata:
    """Every fact that the file holds, and what its position means."""
    said = read_metadata(path, kind, name)
    return replace(said, located=locate([said.position])[0]) if said.position else said


def read_metadata(path: Path, kind: Kind, name: str = "") -> Metadata:
    """Every fact that the file holds about its photo; damaged parts count as absent.

    Raises only the disk's own OSErrors. Without any date inside, the file's name is asked ("file name");
    the file's time is left to the caller. `name` is its name where the path does not end in it.
    """
    gathered = _Gathered()
    if kind.media == "video":
        return _of_video(gathered, read_video_facts(path, kind.name))
    with path.open("rb") as file:
        blocks = find_embedded(file, kind.name)
        tags = _directories(file, kind, blocks)
        words = _written(tags, blocks)
        _gather(gathered, tags, words, _size(kind, tags, blocks))
        gathered.put("exif", [("content_identifier", live_identifier(tags.exif))])
        gathered.put("container", moving_facts(file, kind.name, blocks.xmp))
        _take_time(gathered, tags, words, name or path.name)
    return Metadata(gathered.facts, tuple(gathered.notes))


def _of_video(gathered: _Gathered, said: VideoFacts) -> Metadata:
    for source, pairs in said.found:
        gathered.put(source, pairs)
    return Metadata(gathered.facts, (*gathered.notes, *said.notes))


@dataclass(frozen=True, slots=True)
class _Written:
    """The XMP properties and IPTC datasets of a file."""

    xmp: xmp.Properties
    iptc: dict[int, list[str]]


def _directories(file: BinaryIO, kind: Kind, blocks: Embedded) -> Directories:
    if kind.name in TIFF_KINDS:
        return read_directories(file)
    parts = {name: read_directories(io.BytesIO(block)) for name, block in blocks.exif.items()}
    whole = parts.get("all", Directories())
    inner = parts.get("inner", Directories())  # Panasonic's second block knows what the first does not
    image = parts.get("image", Directories()).image  # Canon's CR3 has one stream for each part
    own_exif, own_gps = parts.get("exif", Directories()).image, parts.get("gps", Directories()).image
    return Directories(
        {**inner.image, **whole.image, **image},
        {**inner.exif, **whole.exif, **own_exif},
        {**inner.gps, **whole.gps, **own_gps},
        whole.others,
        whole.maker,
    )


def _written(tags: Directories, blocks: Embedded) -> _Written:
    packet, block = tags.image.get(700), tags.image.get(33723)
    packets = blocks.xmp or ([packet] if isinstance(packet, bytes) else [])
    properties: dict[str, list[str]] = {}
    for text in packets[:4]:
        properties = {**xmp.parse_xmp(text), **properties}
    return _Written(properties, xmp.parse_iptc(blocks.iptc or (block if isinstance(block, bytes) else b"")))


def _gather(gathered: _Gathered, tags: Directories, words: _Written, size: tuple[int, int] | None) -> None:
    gathered.put("exif", exif.exposure_facts(tags))
    gathered.put("exif", exif.maker_facts(tags))
    gathered.put("exif", exif.position_facts(tags.gps))
    gathered.put("xmp", xmp.camera_facts(words.xmp))
    # What people wrote is newest in XMP: programs write there first.
    gathered.put("xmp", xmp.written_facts(words.xmp))
    gathered.put("iptc", xmp.iptc_facts(words.iptc))
    gathered.put("exif", exif.text_facts(tags))
    if size and size[0] > 0 and size[1] > 0:
        gathered.put("container", (("width", size[0]), ("height", size[1])))


def _size(kind: Kind, tags: Directories, blocks: Embedded) -> tuple[int, int] | None:
    """Stored pixels. A RAW's first directory is often a small picture: the largest one counts."""
    if blocks.size:
        return blocks.size
    directories: tuple[Directory, ...] = (tags.image, *tags.others) if kind.media == "raw" else (tags.image,)
    sizes = [_whole(d.get(256), d.get(257)) for d in directories]
    if kind.name == "rw2":  # Panasonic writes the borders of the sensor: top, left, bottom, right
        top, left, bottom, right = (n if isinstance(n := tags.image.get(tag), int) else 0 for tag in (4, 5, 6, 7))
        sizes.append(_whole(right - left, bottom - top))
    if kind.media == "raw":
        sizes.append(_whole(tags.exif.get(40962), tags.exif.get(40963)))
    return max((size for size in sizes if size), key=lambda size: size[0] * size[1], default=None)


def _whole(width: object, height: object) -> tuple[int, int] | None:
    if isinstance(width, int) and isinstance(height, int) and 0 < width < 10**7 and 0 < height < 10**7:
        return width, height
    return None


# --- when ---------------------------------------------------------------------------------------------------

_TAKEN = ((36867, 37521, 36881), "exif")
_DIGITIZED = ((36868, 37522, 36882), "exif")
_CHANGED = ((306, 37520, 36880), "exif")


def _take_time(gathered: _Gathered, tags: Directories, words: _Written, name: str) -> None:
    """The best date wins: of the shot, of the file's making, in its name, of the last change, of the GPS."""
    utc = exif.gps_time(tags.gps)
    if utc:
        gathered.put("exif", [("gps_time", utc.isoformat() + "Z")])
    moment, source = _best(gathered, tags, words, name)
    if moment is None:
        if utc:
            gathered.put("exif", [("taken_at", utc.isoformat(timespec="seconds")), ("taken_offset", "+00:00")])
            gathered.note("Only the GPS clock says when the photo was taken, so the time is UTC.")
        return
    gathered.put(source, [("taken_at", moment.text), ("taken_offset", moment.offset)])
    if utc and not moment.offset and (offset := offset_between(moment.wall, utc)):
        gathered.put("exif", [("taken_offset", offset)])
        gathered.note("The time zone was worked out from the GPS clock.")
    _guess_offset(gathered, moment)


def _guess_offset(gathered: _Gathered, moment: Moment) -> None:
    """Without a recorded offset, the position tells which clocks were valid there; marked as a guess."""
    latitude, longitude = gathered.facts.get("latitude"), gathered.facts.get("longitude")
    if latitude and longitude and "taken_offset" not in gathered.facts:
        gathered.put("position", [("taken_offset", offset_at(latitude.value, longitude.value, moment.wall))])


def _best(gathered: _Gathered, tags: Directories, words: _Written, name: str) -> tuple[Moment | None, str]:
    shot = [(text, "xmp") for text in xmp.taken_texts(words.xmp)] + [(xmp.iptc_taken_text(words.iptc), "iptc")]
    made = [(text, "xmp") for text in xmp.digitized_texts(words.xmp)]
    for group, texts in ((_TAKEN, shot), (_DIGITIZED, made)):
        if moment := _of_tags(gathered, tags, group[0]):
            return moment, "exif"
        for text, source in texts:
            if moment := _parsed(gathered, text):
                return moment, source
    if moment := moment_in_name(name):
        return moment, "file name"
    return _of_tags(gathered, tags, _CHANGED[0]), "exif"


def _of_tags(gathered: _Gathered, tags: Directories, numbers: tuple[int, int, int]) -> Moment | None:
    both = {**tags.image, **tags.exif}
    text, fraction, offset = (as_text(both.get(number, b"")) for number in numbers)
    moment = _parsed(gathered, text)
    if moment is None:
        return None
    moment = with_fraction(moment, fraction)
    own = moment.offset or parse_offset(offset) or parse_offset(as_text(both.get(36880, b"")))
    return Moment(moment.wall, moment.fraction, own)


def _parsed(gathered: _Gathered, text: str) -> Moment | None:
    try:
        return parse_moment(text)
    except NoSuchTime:
        gathered.note(f"The date in the file, “{cut(text)[0][:40]}”, cannot be right and was left out.")
        return None
