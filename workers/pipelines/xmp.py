"""What XMP and IPTC blocks say, in the facts' own names and units."""

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml import ElementTree as DefusedTree

from workers.pipelines.clean import as_number, as_text
from workers.pipelines.exif import lens_name

Properties: TypeAlias = Mapping[str, list[str]]

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
SPACES = {
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/lightroom/1.0/": "lr",
    "http://www.digikam.org/ns/1.0/": "digiKam",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://ns.microsoft.com/photo/1.0/": "MicrosoftPhoto",
    "http://ns.microsoft.com/photo/1.0": "MicrosoftPhoto",
}
_MANY = 10_000


class NoXmp(ValueError):
    """A packet that is no XMP; the text says why, for its owner."""


def parse_xmp(packet: bytes) -> Properties:
    """Name ("dc:title") → values. A packet that is no XML, or brings entities of its own, says nothing."""
    try:
        return read_xmp(packet)
    except NoXmp:
        return {}


def read_xmp(packet: bytes) -> Properties:
    """Name ("dc:title") → values; names of people in regions as "people". Raises NoXmp."""
    root = xmp_tree(packet)
    descriptions = list(root.iter(_RDF + "Description"))[:_MANY]
    if not descriptions and not any(True for _ in root.iter(_RDF + "RDF")):
        raise NoXmp("It is XML, but holds no XMP.")
    found: dict[str, list[str]] = {}
    for description in descriptions:
        for name, value in description.attrib.items():
            _note(found, name, [value])
        for child in description:
            _note(found, child.tag, _values(child))
    if people := _people(root):
        found["people"] = people
    return found


def xmp_tree(packet: bytes) -> Element:
    """The XML of a packet, without entities: they can grow without bound and read files, and XMP needs none.

    Raises NoXmp.
    """
    try:
        tree: Element = DefusedTree.fromstring(packet.strip(b"\x00 \r\n\t"), forbid_dtd=True)
    except DefusedXmlException:
        raise NoXmp("It brings a document type or entities of its own, which XMP never needs.") from None
    except (ParseError, ValueError, LookupError) as error:
        raise NoXmp(f"It is not readable as XML: {error}.") from None
    return tree


_REGION_NAMES = (
    "{http://www.metadataworkinggroup.com/schemas/regions/}Name",
    "{http://ns.microsoft.com/photo/1.2/t/Region#}PersonDisplayName",
)


def _people(root: Element) -> list[str]:
    """Names at the faces that other programs marked, and those of the list without places."""
    names: list[str] = []
    for element in root.iter():
        names += [element.attrib[name] for name in _REGION_NAMES if name in element.attrib]
        if element.tag in _REGION_NAMES and element.text:
            names.append(element.text)
    return list(dict.fromkeys(name for name in map(as_text, names[:_MANY]) if name))


def _note(found: dict[str, list[str]], name: str, values: list[str]) -> None:
    space, _, local = name.removeprefix("{").partition("}")
    if prefix := SPACES.get(space):
        found.setdefault(f"{prefix}:{local}", [value for value in values if value.strip()])


def _values(element: Element) -> list[str]:
    listed = element.findall(f"{_RDF}*/{_RDF}li") if len(element) else []
    listed.sort(key=lambda item: item.get(_LANGUAGE, "x-default") != "x-default")
    return [item.text or "" for item in listed[:_MANY]] or [element.text or ""]


def camera_facts(xmp: Properties) -> Iterator[tuple[str, object]]:
    """Facts about camera, exposure and position, for files whose Exif has them not."""
    yield "camera_make", _first(xmp, "tiff:Make")
    yield "camera_model", _first(xmp, "tiff:Model")
    yield "lens", lens_name(_first(xmp, "exifEX:LensModel") or _first(xmp, "aux:Lens"))
    yield "aperture", _within(xmp, "exif:FNumber", 0.1, 256)
    yield "shutter", _within(xmp, "exif:ExposureTime", 1e-7, 1e6)
    iso = _within(xmp, "exifEX:PhotographicSensitivity", 1, 1e7) or _within(xmp, "exif:ISOSpeedRatings", 1, 1e7)
    yield "iso", int(iso) if iso else None
    yield "focal_length", _within(xmp, "exif:FocalLength", 0.1, 20_000)
    yield "focal_length_35", _within(xmp, "exif:FocalLengthIn35mmFilm", 1, 20_000)
    # No orientation: programs that turn the pixels forget it here, and no viewer heeds it.
    yield from position_facts(xmp)


def position_facts(xmp: Properties) -> Iterator[tuple[str, object]]:
    """Latitude and longitude in degrees, altitude in metres."""
    latitude = _degrees(_first(xmp, "exif:GPSLatitude"), 90)
    longitude = _degrees(_first(xmp, "exif:GPSLongitude"), 180)
    if latitude is not None and longitude is not None and (latitude or longitude):
        yield "latitude", latitude
        yield "longitude", longitude
        altitude = _within(xmp, "exif:GPSAltitude", 0, 100_000)
        below = _first(xmp, "exif:GPSAltitudeRef") == "1"
        yield "altitude", -altitude if below and altitude is not None else altitude


def written_facts(xmp: Properties) -> Iterator[tuple[str, object]]:
    """What people and programs wrote."""
    yield "title", _first(xmp, "dc:title")
    yield "caption", _first(xmp, "dc:description")
    yield "keywords", [as_text(word) for word in xmp.get("dc:subject", [])]
    yield "keyword_paths", _keyword_paths(xmp)
    yield "people", [*xmp.get("people", []), *(as_text(name) for name in xmp.get("Iptc4xmpExt:PersonInImage", []))]
    rating = _within(xmp, "xmp:Rating", 0, 5)
    yield "rating", None if rating is None else int(rating)
    yield "software", _first(xmp, "xmp:CreatorTool")
    yield "artist", ", ".join(as_text(name) for name in xmp.get("dc:creator", []))
    yield "copyright", _first(xmp, "dc:rights")


def _keyword_paths(xmp: Properties) -> list[str]:
    """Keywords with those above them, as Lightroom writes them: "Animals|Birds|Heron"."""
    paths = [as_text(path) for path in xmp.get("lr:hierarchicalSubject", [])]
    return paths or [as_text(path).replace("/", "|") for path in xmp.get("digiKam:TagsList", [])]


def taken_texts(xmp: Properties) -> list[str]:
    """Dates of the shot itself, best first."""
    return [_first(xmp, name) for name in ("exif:DateTimeOriginal", "photoshop:DateCreated")]


def digitized_texts(xmp: Properties) -> list[str]:
    """Dates of the file's making, for want of one of the shot."""
    return [_first(xmp, name) for name in ("exif:DateTimeDigitized", "xmp:CreateDate")]


def parse_iptc(block: bytes) -> dict[int, list[str]]:
    """Number → texts of the application record (IPTC IIM 4.2, record 2)."""
    found: dict[int, list[str]] = {}
    at = 0
    while at + 5 <= len(block) and block[at] == 0x1C:
        record, number, length = block[at + 1], block[at + 2], int.from_bytes(block[at + 3 : at + 5], "big")
        if length & 0x8000:  # a length of the length: for datasets larger than any text
            break
        if record == 2 and len(found.setdefault(number, [])) < _MANY:
            found[number].append(as_text(block[at + 5 : at + 5 + length]))
        at += 5 + length
    return found


def iptc_facts(iptc: Mapping[int, list[str]]) -> Iterator[tuple[str, object]]:
    """What the IPTC block says, in the facts' names."""
    yield "title", _joined(iptc, 5)
    yield "caption", _joined(iptc, 120)
    yield "keywords", [word for word in iptc.get(25, []) if word]
    yield "artist", _joined(iptc, 80)
    yield "copyright", _joined(iptc, 116)


def iptc_taken_text(iptc: Mapping[int, list[str]]) -> str:
    """Day and time of the shot as one text."""
    day, time = _joined(iptc, 55), _joined(iptc, 60)
    return f"{day}T{time}" if day and time else day


def _joined(iptc: Mapping[int, list[str]], number: int) -> str:
    return ", ".join(text for text in iptc.get(number, []) if text)


def _first(xmp: Properties, name: str) -> str:
    return as_text(next(iter(xmp.get(name, [])), ""))


def _within(xmp: Properties, name: str, low: float, high: float) -> float | None:
    number = as_number(_first(xmp, name))
    return number if number is not None and low <= number <= high else None


def _degrees(text: str, limit: int) -> float | None:
    """XMP's form: 48,53.3235820N or 48,53,19N."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?(?:,(\d+(?:\.\d+)?))?([NSEW])", text.strip())
    if found is None:
        return None
    degrees = float(found[1]) + float(found[2] or 0) / 60 + float(found[3] or 0) / 3600
    return round(-degrees if found[4] in "SW" else degrees, 8) if degrees <= limit else None
