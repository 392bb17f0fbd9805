"""Writes facts into an XMP packet, a new one or one that other programs have written; the rest stays as it is."""

import contextlib
import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from workers.errors import PoisonError
from workers.pipelines.xmp import NoXmp, xmp_tree

_NS = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
}
_XML_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
BEGIN = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_END = b'\n<?xpacket end="w"?>\n'
_DATES = ("exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate")
_PLACE = ("exif:GPSLatitude", "exif:GPSLongitude", "exif:GPSAltitude", "exif:GPSAltitudeRef")
# Fact → the properties that say it; all of them are replaced, or removed when there is nothing to say.
PROPERTIES: dict[str, tuple[str, ...]] = {
    "rating": ("xmp:Rating",),
    "title": ("dc:title",),
    "caption": ("dc:description",),
    "keywords": ("dc:subject",),
    "keyword_paths": ("lr:hierarchicalSubject",),
    "latitude": _PLACE,
    "taken_at": _DATES,
}


def merge_xmp(packet: bytes | None, facts: Mapping[str, Any]) -> bytes:
    """The packet with these facts; properties of facts that are not given are removed.

    Raises PoisonError for a packet that cannot be read: nobody's sidecar is thrown away.
    """
    _keep_prefixes(packet or b"")
    root = _tree(packet)
    rdf = root if root.tag == _name("rdf:RDF") else root.find(_name("rdf:RDF"))
    if rdf is None:
        raise PoisonError("sidecar-unreadable", "There is a sidecar already, and it holds no XMP to add to.")
    descriptions = rdf.findall(_name("rdf:Description"))
    home = descriptions[0] if descriptions else SubElement(rdf, _name("rdf:Description"), {_name("rdf:about"): ""})
    for fact, names in PROPERTIES.items():
        translations = _translations(rdf, names[0])
        _remove(rdf, names)
        if facts.get(fact) not in (None, "", []):
            _add(home, fact, facts)
            _translate(home, names[0], translations)
    ElementTree.indent(root, " ")
    text: bytes = ElementTree.tostring(root, encoding="utf-8")
    return BEGIN + text + _END


def _tree(packet: bytes | None) -> Element:
    if packet is None or not packet.strip():
        root = Element(_name("x:xmpmeta"), {_name("x:xmptk"): "Filmroll"})
        SubElement(root, _name("rdf:RDF"))
        return root
    try:
        return xmp_tree(packet)
    except NoXmp as reason:
        raise PoisonError(
            "sidecar-unreadable", f"There is a sidecar already that cannot be read. {reason}"
        ) from None


def _keep_prefixes(packet: bytes) -> None:
    """Write namespaces by the names that the file had for them. For the one packet of this process."""
    for prefix, uri in _NS.items():
        ElementTree.register_namespace(prefix, uri)
    known = set(_NS.values())
    try:
        for _, (prefix, uri) in ElementTree.iterparse(io.BytesIO(packet.strip(b"\x00 \r\n\t")), ["start-ns"]):
            if prefix and uri not in known:
                # A prefix that is reserved keeps its made-up name.
                with contextlib.suppress(ValueError):
                    ElementTree.register_namespace(prefix, uri)
    except ElementTree.ParseError:
        return  # what is no XML is refused by the tree


def _translations(rdf: Element, name: str) -> list[Element]:
    """The same words in other languages; not those that are only the first ones once more."""
    items = rdf.findall(f"{_name('rdf:Description')}/{_name(name)}/{_name('rdf:Alt')}/{_name('rdf:li')}")
    first = {item.text for item in items if item.get(_XML_LANGUAGE, "x-default") == "x-default"}
    return [item for item in items if item.get(_XML_LANGUAGE) and item.text not in first]


def _translate(home: Element, name: str, translations: list[Element]) -> None:
    words = home.find(f"{_name(name)}/{_name('rdf:Alt')}")
    if words is not None:
        words.extend(translations)


def _remove(rdf: Element, names: tuple[str, ...]) -> None:
    for description in rdf.findall(_name("rdf:Description")):
        for name in map(_name, names):
            description.attrib.pop(name, None)
            for old in description.findall(name):
                description.remove(old)


def _add(home: Element, fact: str, facts: Mapping[str, Any]) -> None:
    value = facts[fact]
    match fact:
        case "title" | "caption":
            item = SubElement(_container(home, PROPERTIES[fact][0], "rdf:Alt"), _name("rdf:li"))
            item.set(_XML_LANGUAGE, "x-default")
            item.text = value
        case "keywords" | "keyword_paths":
            bag = _container(home, PROPERTIES[fact][0], "rdf:Bag")
            for word in value:
                SubElement(bag, _name("rdf:li")).text = word
        case "latitude":
            _add_place(home, value, facts["longitude"], facts.get("altitude"))
        case "taken_at":
            for name in _DATES:
                home.set(_name(name), _moment(value) + (facts.get("taken_offset") or ""))
        case _:
            home.set(_name(PROPERTIES[fact][0]), str(value))


def _container(home: Element, name: str, kind: str) -> Element:
    return SubElement(SubElement(home, _name(name)), _name(kind))


def _add_place(home: Element, latitude: float, longitude: float, altitude: float | None) -> None:
    home.set(_name("exif:GPSLatitude"), _minutes(latitude, "NS"))
    home.set(_name("exif:GPSLongitude"), _minutes(longitude, "EW"))
    if altitude is not None:
        home.set(_name("exif:GPSAltitude"), f"{round(abs(altitude) * 100)}/100")
        home.set(_name("exif:GPSAltitudeRef"), "1" if altitude < 0 else "0")


def _minutes(degrees: float, sides: str) -> str:
    """XMP's form of a position: whole degrees, minutes with their fraction, and the side, as in 48,51.502200N."""
    # In millionths of a minute first: rounding must not make 60 minutes.
    millionths = round(abs(degrees) * 60_000_000)
    whole, rest = divmod(millionths, 60_000_000)
    return f"{whole},{rest / 1_000_000:.6f}{sides[degrees < 0]}"


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).isoformat(timespec="seconds" if "." not in text else "milliseconds")


def _name(short: str) -> str:
    prefix, _, local = short.partition(":")
    return f"{{{_NS[prefix]}}}{local}"
