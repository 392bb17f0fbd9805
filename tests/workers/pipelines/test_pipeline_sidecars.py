"""Sidecars: matched by name, and read safely, however odd they are."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.domain.sidecars import picture_names, sidecar_names
from workers.errors import PoisonError
from workers.pipelines.files import read_file
from workers.pipelines.kinds import PICTURE_EXTENSIONS
from workers.pipelines.sidecars import may_be_sidecar, read_sidecar

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:Rating="{rating}" crs:Exposure2012="+0.35"><dc:title><rdf:Alt>
<rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"""
GOOGLE = {
    "title": "IMG_1.jpg",
    "description": "from Google",
    "photoTakenTime": {"timestamp": "1714557600"},
    "geoData": {"latitude": 48.85, "longitude": 2.29, "altitude": 35.0},
    "people": [{"name": "Ada"}, {"name": "Grace"}],
    "favorited": True,
}


def xmp(title: str = "beside", rating: int = 3) -> str:
    return XMP.format(title=title, rating=rating)


# --- names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sidecar", "picture"),
    [
        ("IMG_1.jpg.xmp", "IMG_1.jpg"),
        ("IMG_1.xmp", "IMG_1.NEF"),
        ("IMG_1.XMP", "IMG_1.JPG"),
        ("IMG_1.AAE", "IMG_1.HEIC"),
        ("IMG_O1.AAE", "IMG_1.JPG"),
        ("IMG_1.jpg.json", "IMG_1.jpg"),
        ("IMG_1.jpg.json", "IMG_1-edited.jpg"),
        ("IMG_1.json", "IMG_1.jpg"),
        ("IMG_1.jpg(2).json", "IMG_1(2).jpg"),
        ("IMG_1.jpg(2).json", "IMG_1-edited(2).jpg"),
        ("IMG_1.jpg.supplemental-metadata.json", "IMG_1.jpg"),
        ("IMG_1.jpg.supplemental-metadata(2).json", "IMG_1(2).jpg"),
        ("PXL_20230809_203449253.jpg.supplemental-metada.json", "PXL_20230809_203449253.jpg"),
        (
            "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGIN.json",
            "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGINA.jpg",
        ),
        ("05yqt21kruxwwlhhgrwrdyb6chhwszi9bqmzu16w0 2.jp.json", "05yqt21kruxwwlhhgrwrdyb6chhwszi9bqmzu16w0 2.jpg"),
        (
            "13039_327707840323_537645323_9470255_27214_n.j(1).json",
            "13039_327707840323_537645323_9470255_27214_n(1).jpg",
        ),
    ],
)
def test_a_picture_knows_the_names_of_its_sidecars(sidecar: str, picture: str) -> None:
    assert sidecar in sidecar_names(picture)


@pytest.mark.parametrize(
    ("sidecar", "title", "picture"),
    [
        ("IMG_1.jpg.xmp", "", "IMG_1.jpg"),
        ("IMG_1.xmp", "", "IMG_1.NEF"),
        ("IMG_1.AAE", "", "IMG_1.HEIC"),
        ("IMG_1.jpg.json", "IMG_1.jpg", "IMG_1.jpg"),
        ("IMG_1.jpg.json", "IMG_1.jpg", "IMG_1-edited.jpg"),
        ("IMG_1.jpg(2).json", "IMG_1.jpg", "IMG_1(2).jpg"),
        ("IMG_1.jpg.supplemental-metadata(2).json", "IMG_1.jpg", "IMG_1(2).jpg"),
        ("PXL_20230809_203449253.jpg.supplemental-metada.json", "", "PXL_20230809_203449253.jpg"),
        (
            "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGIN.json",
            "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGINAL.jpg",
            "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGINA.jpg",
        ),
        ("what is this_.jpg.json", "what is this?.jpg", "what is this_.jpg"),
    ],
)
def test_a_sidecar_knows_the_names_of_its_picture(sidecar: str, title: str, picture: str) -> None:
    assert any(picture in group for group in picture_names(sidecar, PICTURE_EXTENSIONS, title))


def test_a_namesakes_sidecar_is_not_taken() -> None:
    assert "IMG_1.jpg(1).json" not in sidecar_names("IMG_1.jpg")
    assert not any(
        "IMG_1.jpg" in group for group in picture_names("IMG_1.jpg(1).json", PICTURE_EXTENSIONS, "IMG_1.jpg")
    )


# --- reading ------------------------------------------------------------------------------------------------


def read(path: Path, content: str | bytes) -> Any:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    kind = read_file(path).kind
    assert may_be_sidecar(kind, path.name)
    return read_sidecar(path, kind)


def test_google_tells_caption_place_people_and_the_time_on_the_clocks_there(tmp_path: Path) -> None:
    found = read(tmp_path / "IMG_1.jpg.json", json.dumps(GOOGLE))
    assert found.facts == {
        "caption": "from Google",
        "latitude": 48.85,
        "longitude": 2.29,
        "altitude": 35.0,
        "taken_utc": "2024-05-01T10:00:00",
        "taken_at": "2024-05-01T12:00:00",
        "taken_offset": "+02:00",
        "people": ["Ada", "Grace"],
        "favourite": True,
    }


LAUGHS = "<!DOCTYPE x [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 20}'>" for n in range(9)
)
XXE = "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + xmp("&e;")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.jpg.xmp", b"x" * ((16 << 20) + 1), "larger than 16 MB"),
        ("a.jpg.xmp", LAUGHS + "]>" + xmp("&j;"), "document type or entities"),
        ("a.jpg.xmp", (LAUGHS + "]>" + xmp("&j;")).encode("utf-16"), "document type or entities"),
        ("a.jpg.xmp", XXE, "document type or entities"),
        ("a.jpg.xmp", "plain words", "not readable as XML"),
        ("a.jpg.xmp", xmp()[:200], "not readable as XML"),
        ("a.jpg.xmp", xmp("caf\xe9").encode("latin-1"), "not readable as XML"),
        ("a.jpg.xmp", "<html><p>x</p></html>", "holds no XMP"),
        ("a.jpg.json", '{"title": ', "not readable as JSON"),
        ("a.jpg.json", "[" * 100_000, "not readable as JSON"),
        ("a.jpg.json", json.dumps(GOOGLE).encode("utf-16"), "not in UTF-8"),
    ],
)
def test_an_odd_sidecar_is_refused_with_its_reason(
    tmp_path: Path, name: str, content: str | bytes, reason: str
) -> None:
    with pytest.raises(PoisonError, match=reason) as refused:
        read(tmp_path / name, content)
    assert refused.value.code == "sidecar-unreadable"


@pytest.mark.parametrize("content", ["{oops", '{"name": "a package"}', "[1, 2]", "7"])
def test_json_that_is_no_sidecar_may_be_as_it_likes(tmp_path: Path, content: str) -> None:
    assert read(tmp_path / "package.json", content).source == ""


def test_odd_values_in_googles_json_are_left_out(tmp_path: Path) -> None:
    odd = {
        "photoTakenTime": {"timestamp": "9" * 400},
        "geoData": [],
        "people": [7, {"name": None}],
        "description": 5,
    }
    assert read(tmp_path / "a.jpg.json", json.dumps(odd)).facts == {}


def test_every_sidecar_of_the_shared_photos_is_read(shared: Path) -> None:
    found = {}
    for path in sorted((shared / "photos").rglob("*")):
        if path.suffix.lower() in (".xmp", ".json", ".aae") and path.name != "MANIFEST.json":
            kind = read_file(path).kind
            found[path.name] = read_sidecar(path, kind) if may_be_sidecar(kind, path.name) else None
    sources = [content.source for content in found.values() if content]
    assert [sources.count(one) for one in ("sidecar", "takeout", "album", "aae")] == [9, 1, 1, 1]
    assert len(sources) == len(found)
    assert found["niaz.xmp"].facts["people"] == ["Niaz Faridani-Rad"]
    assert found["canon_eos_6d.xmp"].facts["taken_at"][:19] == "2019-06-06T07:29:51"
    assert found["20240107_110258.jpg.xmp"].facts["keyword_paths"]
    assert found["gphotos-1.json"].facts["taken_at"] == "2015-12-06T17:18:30"  # Berlin
