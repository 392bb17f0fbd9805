"""Every fact that an independent reader found in the shared photos, against what Filmroll reads."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workers.pipelines.test_pipeline_shared import entries
from workers.pipelines.files import read_file
from workers.pipelines.metadata import read_metadata

Facts = dict[str, Any]
Agrees = Callable[[Any, Facts], bool]

_CIFF = "Canon's format of before 2004; LibRaw cannot decode this one either, so there is no photo to describe"
_NOTHING = "a zero that means: not known"
_TALK = "what the camera writes into every picture, and no person ever wrote"
_SPACES = "only blanks"
_SMALL = "the reader took the size of a picture inside the RAW file, or of the file's first directory"
_XMP_TURN = "only XMP says so: programs that turn the pixels forget it there, and no viewer heeds it"
_MAKER = "said in the maker's note alone"

# Fact of the manifest → file → why Filmroll says something else, or nothing.
ALLOWED: dict[str, dict[str, str]] = {
    "taken_at": {
        "broken/date_error.JPG": "0000:00:00 is no date",
        "raw/CanonRaw.crw": _CIFF,
    },
    "make": {"raw/CanonRaw.crw": _CIFF},
    "model": {"raw/CanonRaw.crw": _CIFF},
    "lens": {
        "good/Canon EOS REBEL T3i.jpg": "an editor moved the maker's note, and its pointers did not follow",
    },
    "iso": {
        "geo/FujiFilm FinePixS1Pro (5).jpg": _NOTHING,
        "geo/FujiFilm FinePixS2Pro.jpg": _NOTHING,
        "good/Canon IXUS.jpg": "64.84, rounded to whole numbers as cameras show it",
        "good/Pentax Optio 330.jpg": _MAKER,
        "raw/CanonRaw.crw": _CIFF,
        "raw/Issue 247-1.nef": "the reader gives both numbers of a pair, of which the second is the speed",
        "raw/colorchart.dng": _NOTHING,
    },
    "f_number": {"raw/CanonRaw.crw": _CIFF, "raw/colorchart.dng": _NOTHING},
    "exposure_s": {"raw/CanonRaw.crw": _CIFF, "raw/colorchart.dng": _NOTHING},
    "focal_mm": {"raw/CanonRaw.crw": _CIFF, "raw/colorchart.dng": _NOTHING},
    "orientation": {
        "broken/corrupted_city.JPG": "0 is no orientation",
        "broken/imageSizeError.jpg": "0 is no orientation",
        "broken/image00971.jpg": _XMP_TURN,
        "broken/image01137.jpg": _XMP_TURN,
        "broken/image01713.jpg": _XMP_TURN,
        "good/Nikon D5000.jpg": "said of the thumbnail only",
        "heic/xmp_tags_orientation.avif": _XMP_TURN,
    },
    "pixels": {
        "good/formats/8bit-sRGB.jxl": "no kept library with a fitting licence decodes JPEG XL here",
        "raw/CanonRaw.crw": _CIFF,
        "raw/FujiFilm.raf": _SMALL,
        "raw/sample.arw": _SMALL,
        "raw/sample.cr2": _SMALL,
    },
    "gps": {"geo/Samsung GT-I9000 (Galaxy S).jpg": "0, 0 is a receiver without a fix"},
    "gps_utc": {"geo/date-priority-test.jpg": "said in XMP; the Exif block has the day without the time"},
    "altitude_m": {"good/formats/panorama360.jpg": "the reader says: undefined"},
    "rating": {
        "heic/L_exif_xmp_iptc.heic": f"{_MAKER}: 0, which is no rating",
        "raw/sample.arw": f"{_MAKER}: 0, which is no rating",
    },
    "iptc_keywords": {
        "good/sidecar/20240107_110258.jpg": "the reader takes UTF-8 for Latin-1",
        "good/sidecar/20240121_102400.JPG": "the reader takes UTF-8 for Latin-1",
    },
    "exif_description": {
        "broken/date_error.JPG": _SPACES,
        "duplicates/canon_hdr_NO.jpg": _SPACES,
        "duplicates/canon_hdr_YES.jpg": _SPACES,
        "geo/DSCN0010.jpg": _SPACES,
        "geo/DSCN0012.jpg": _SPACES,
        "geo/DSCN0021.jpg": _SPACES,
        "geo/DSCN0025.jpg": _SPACES,
        "geo/DSCN0027.jpg": _SPACES,
        "good/hot_dog.jpg": _SPACES,
        "raw/sample.cr2": _SPACES,
        "good/Nikon E995 (iptc).jpg": "blanks in Exif; the caption is the one in IPTC",
        "geo/Samsung GT-I9000 (Galaxy S).jpg": _TALK,
        "good/Konica Q-M100 (1).jpg": _TALK,
        "good/Minolta DiMAGE X.jpg": _TALK,
        "good/Olympus  Digital 800.JPG": _TALK,
        "good/formats/panorama360.jpg": _TALK,
        "raw/sample.arw": _TALK,
        "good/formats/hopper_jpg.tif": "a trademark sign that the reader cannot write",
    },
    "description": {"good/hot_dog.jpg": _SPACES, "raw/CanonRaw.crw": _CIFF},
    "iptc_caption": {
        "duplicates/canon_hdr_NO.jpg": _SPACES,
        "duplicates/canon_hdr_YES.jpg": _SPACES,
        "good/hot_dog.jpg": _SPACES,
    },
    "created_at": {
        "broken/unreadable_date.jpg": "200X:0X:0X is no date",
        "heic/star.avifs": "the time of the encoding, in the film part of the file",
    },
}


def number(name: str, tolerance: float = 1e-3) -> Agrees:
    def agrees(wanted: Any, facts: Facts) -> bool:
        found = facts.get(name)
        if not isinstance(found, int | float) or not isinstance(wanted, int | float):
            return False
        return abs(found - wanted) <= tolerance * max(abs(wanted), 1e-9)

    return agrees


def text(*names: str) -> Agrees:
    """The manifest cuts long texts with an ellipsis; line ends and blanks before them do not matter."""

    def agrees(wanted: Any, facts: Facts) -> bool:
        plain = _words(str(wanted).removesuffix("…"))
        return any(_words(str(facts.get(name, ""))).startswith(plain) and bool(plain) for name in names)

    return agrees


def _words(text: str) -> str:
    return " ".join(text.split())


def listed(name: str) -> Agrees:
    def agrees(wanted: Any, facts: Facts) -> bool:
        return facts.get(name) == [str(one) for one in (wanted if isinstance(wanted, list) else [wanted])]

    return agrees


def moment(wanted: Any, facts: Facts) -> bool:
    return "".join(c for c in str(wanted)[:19] if c.isdigit()) == "".join(
        c for c in str(facts.get("taken_at", ""))[:19] if c.isdigit()
    )


def made_at(wanted: Any, facts: Facts) -> bool:
    """The time of the file's making is taken where there is none of the shot, and only then must agree."""
    return "taken_at" in facts and (facts.get("shot") or moment(wanted, facts))


AGREES: dict[str, Agrees] = {
    "taken_at": moment,
    "created_at": made_at,
    "subsec": lambda wanted, facts: str(facts.get("taken_at", "")).partition(".")[2].startswith(str(wanted)),
    "offset": text("taken_offset"),
    "gps_utc": lambda wanted, facts: str(facts.get("gps_time"))[:19] == _iso(wanted),
    "gps": lambda wanted, facts: (
        abs(facts.get("latitude", 999) - wanted[0]) < 1e-4 and abs(facts.get("longitude", 999) - wanted[1]) < 1e-4
    ),
    "altitude_m": number("altitude"),
    "make": text("camera_make"),
    "model": text("camera_model"),
    "lens": text("lens"),
    "iso": number("iso"),
    "f_number": number("aperture"),
    "exposure_s": number("shutter"),
    "focal_mm": number("focal_length"),
    "orientation": number("orientation"),
    "pixels": lambda wanted, facts: [facts.get("width"), facts.get("height")] == wanted,
    "rating": number("rating"),
    "xmp_keywords": listed("keywords"),
    "iptc_keywords": listed("keywords"),
    "title": text("title"),
    "iptc_title": text("title"),
    "description": text("caption"),
    "exif_description": text("caption"),
    "iptc_caption": text("caption"),
    "region_names": listed("people"),
    "region_names_ms": listed("people"),
}


def _iso(wanted: str) -> str:
    return wanted[:10].replace(":", "-") + "T" + wanted[11:19]


@pytest.fixture(scope="module")
def disagreements(shared: Path) -> dict[str, set[str]]:
    """Fact → the pictures about which Filmroll says something else than the manifest."""
    found: dict[str, set[str]] = {fact: set() for fact in AGREES}
    for file, expected, facts in _pictures(shared):
        for fact, agrees in AGREES.items():
            if fact in expected and not agrees(expected[fact], facts):
                found[fact].add(file)
    return found


def _pictures(shared: Path) -> Iterator[tuple[str, Facts, Facts]]:
    for entry in entries(shared):
        path = shared / "photos" / entry["file"]
        kind = read_file(path).kind
        if kind.media in ("image", "raw"):
            facts = {name: fact.value for name, fact in read_metadata(path, kind).facts.items()}
            expected = entry["expected"]
            yield entry["file"], expected, {**facts, "shot": "taken_at" in expected}


@pytest.mark.parametrize("fact", sorted(AGREES))
def test_every_picture_agrees_with_the_manifest_but_for_those_with_a_reason(
    disagreements: dict[str, set[str]], fact: str
) -> None:
    assert disagreements[fact] == set(ALLOWED.get(fact, {}))


def test_every_reason_is_about_a_fact_that_is_compared() -> None:
    assert set(ALLOWED) <= set(AGREES)
