"""Everything that a file says of itself, tag by tag, for somebody who wants to see it all.

exifread knows the makers' own notes. It reads what a tag claims to hold, however much that is, and one wrong byte
can keep it busy for minutes: so this runs in a child process with limits, and never for an import.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element

from PIL import Image, ImageCms

from workers.pipelines import xmp
from workers.pipelines.clean import as_text
from workers.pipelines.directories import read_directories
from workers.pipelines.embedded import Embedded, find_embedded
from workers.pipelines.kinds import Kind
from workers.pipelines.metadata import TIFF_KINDS, read_metadata
from workers.pipelines.quiet import DECODER_ERRORS, quiet_decoding

_TAGS = 5000
_LETTERS = 500
_XMP_TAG, _IPTC_TAG = 700, 33723
_GROUPS = {"Image": "EXIF: image", "EXIF": "EXIF: exposure", "GPS": "EXIF: GPS", "MakerNote": "Maker's note"}
# Datasets of the application record (IPTC IIM 4.2, chapter 6).
_IPTC = {
    5: "Object name", 7: "Edit status", 10: "Urgency", 15: "Category", 20: "Supplemental category", 25: "Keywords",
    40: "Special instructions", 55: "Date created", 60: "Time created", 62: "Digital creation date",
    63: "Digital creation time", 65: "Originating program", 70: "Program version", 80: "By-line",
    85: "By-line title", 90: "City", 92: "Sub-location", 95: "Province or state", 100: "Country code",
    101: "Country", 103: "Original transmission reference", 105: "Headline", 110: "Credit", 115: "Source",
    116: "Copyright notice", 118: "Contact", 120: "Caption", 122: "Writer",
}  # fmt: skip
_NAMESPACES = {"http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf", **xmp.SPACES}


@dataclass(frozen=True, slots=True)
class Group:
    """Tags of one kind: names and values as text, in the order of the file."""

    title: str
    tags: tuple[tuple[str, str], ...]


def read_all_tags(path: Path, kind: Kind) -> list[Group]:
    """Every tag, grouped. Damaged parts are left out. Raises the disk's own OSErrors."""
    with path.open("rb") as file:
        blocks = find_embedded(file, kind.name)
        groups = [*_exif(file, kind, blocks), *_written(file, kind, blocks)]
    with quiet_decoding():
        groups.append(Group("Colour profile", tuple(_profile(path, kind))))
        groups.append(Group("Container", tuple(_container(path, kind))))
    return [Group(group.title, group.tags[:_TAGS]) for group in groups if group.tags]


def _exif(file: BinaryIO, kind: Kind, blocks: Embedded) -> Iterator[Group]:
    streams: list[BinaryIO] = [file] if kind.name in TIFF_KINDS else list(map(io.BytesIO, blocks.exif.values()))
    found: dict[str, list[tuple[str, str]]] = {}
    for stream in streams:
        for name, value in _tags_of(stream).items():
            place, _, tag = name.partition(" ")
            group = _GROUPS.get(place, f"EXIF: {place.lower()}")
            found.setdefault(group, []).append((tag or name, _shown(value)))
    yield from (Group(title, tuple(tags)) for title, tags in found.items())


def _tags_of(stream: BinaryIO) -> Mapping[str, Any]:
    import exifread

    stream.seek(0)
    try:
        tags: Mapping[str, Any] = exifread.process_file(stream, details=True, extract_thumbnail=False)
    except DECODER_ERRORS:
        return {}
    return {name: tag for name, tag in tags.items() if not isinstance(tag, bytes)}


def _written(file: BinaryIO, kind: Kind, blocks: Embedded) -> Iterator[Group]:
    image = read_directories(file).image if kind.name in TIFF_KINDS else {}
    packets = blocks.xmp or [data for data in (image.get(_XMP_TAG),) if isinstance(data, bytes)]
    yield Group("XMP", tuple(pair for packet in packets[:4] for pair in _properties(packet)))
    block = image.get(_IPTC_TAG)
    datasets = xmp.parse_iptc(blocks.iptc or (block if isinstance(block, bytes) else b""))
    yield Group(
        "IPTC", tuple((_IPTC.get(number, f"2:{number}"), _shown(t)) for number, ts in datasets.items() for t in ts)
    )


def _properties(packet: bytes) -> Iterator[tuple[str, str]]:
    try:
        root = xmp.xmp_tree(packet)
    except xmp.NoXmp:
        return
    for rdf in root.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF"):
        for description in rdf:
            yield from _of_element(description)


def _of_element(description: Element) -> Iterator[tuple[str, str]]:
    for name, value in description.attrib.items():
        if not name.endswith("}about"):
            yield _short(name), _shown(value)
    for child in description:
        texts = [text.strip() for text in child.itertext() if text.strip()]
        inner = [
            f"{_short(key)}={value}"
            for one in child.iter()
            for key, value in one.attrib.items()
            if one is not child
        ]
        kept = [text for text in inner if not text.endswith("=x-default")]
        yield _short(child.tag), _shown("; ".join([*texts, *kept]))


def _short(name: str) -> str:
    space, _, local = name.removeprefix("{").partition("}")
    prefix = _NAMESPACES.get(space) or space.rstrip("/#").rpartition("/")[2]
    return f"{prefix}:{local}" if local else name


def _profile(path: Path, kind: Kind) -> Iterator[tuple[str, str]]:
    if kind.media != "image":
        return
    try:
        with Image.open(path) as image:
            data = image.info.get("icc_profile")
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data)).profile if data else None
    except (*DECODER_ERRORS, ImageCms.PyCMSError):
        return
    if profile is not None:
        for name, value in (
            ("Description", profile.profile_description),
            ("Copyright", profile.copyright),
            ("Maker", profile.manufacturer),
            ("Device", profile.model),
            ("Colour space", profile.xcolor_space),
            ("Version", f"{profile.version:.1f}"),
            ("Bytes", f"{len(data or b''):,}"),
        ):
            if value and str(value).strip():
                yield name, _shown(value)


def _container(path: Path, kind: Kind) -> Iterator[tuple[str, str]]:
    yield "Kind", kind.label
    yield "MIME type", kind.mime
    yield "Bytes", f"{path.stat().st_size:,}"
    for name, fact in read_metadata(path, kind).facts.items():
        if fact.source == "container":
            yield name.replace("_", " ").capitalize(), _shown(fact.value)
    if kind.media != "image":
        return
    try:
        with Image.open(path) as image:
            yield "Decoder", str(image.format)
            yield "Pixels are", image.mode
            known = [
                (name, value) for name, value in image.info.items() if isinstance(value, str | int | float | tuple)
            ]
            yield from ((str(name), _shown(value)) for name, value in known if name not in ("exif", "xmp"))
    except DECODER_ERRORS:
        return


def _shown(value: object) -> str:
    text = as_text(str(value))
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"
