"""Facts out of files, each with its source; nothing in a file can end a scan."""

import io
import json
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from core.domain.clocks import offset_between
from workers.pipelines.dates import moment_in_name, parse_moment
from workers.pipelines.embedded import find_embedded
from workers.pipelines.files import KINDS, read_file
from workers.pipelines.metadata import Metadata, read_metadata

pillow_heif.register_heif_opener()

EXIF, GPS = 0x8769, 0x8825


def exif_of(image: dict[int, Any], exif: dict[int, Any] | None = None, gps: dict[int, Any] | None = None) -> bytes:
    block = Image.Exif()
    block.update(image)
    block.get_ifd(EXIF).update(exif or {})
    block.get_ifd(GPS).update(gps or {})
    return block.tobytes()


def picture(path: Path, form: str = "JPEG", **options: Any) -> Path:
    Image.new("RGB", (64, 48), "teal").save(path, form, **options)
    return path


def read(path: Path) -> Metadata:
    metadata = read_metadata(path, read_file(path).kind)
    json.dumps({name: fact.value for name, fact in metadata.facts.items()}, allow_nan=False).encode("utf-8")
    return metadata


def values(path: Path) -> dict[str, Any]:
    return {name: fact.value for name, fact in read(path).facts.items()}


FULL = exif_of(
    {
        271: "Canon",
        272: "Canon EOS R6",
        274: 6,
        305: "Firmware 1.5",
        315: "Jo Doe",
        33432: "2024 Jo",
        270: "A hill",
    },
    {
        36867: "2024:05:01 12:30:05",
        37521: "123",
        36881: "+02:00",
        33437: IFDRational(28, 10),
        33434: IFDRational(1, 250),
        34855: 400,
        37386: IFDRational(50, 1),
        41989: 50,
        37385: 1,
        37383: 5,
        34850: 3,
        41986: 0,
        37380: IFDRational(-1, 3),
        42036: "RF50mm F1.8 STM",
    },
    {1: "S", 2: (33.0, 51.0, 30.6), 3: "E", 4: (151.0, 12.0, 36.0), 5: b"\x00", 6: 58.5},
)
EXPECTED = {
    "camera_make": "Canon",
    "camera_model": "Canon EOS R6",
    "orientation": 6,
    "software": "Firmware 1.5",
    "artist": "Jo Doe",
    "copyright": "2024 Jo",
    "caption": "A hill",
    "taken_at": "2024-05-01T12:30:05.123",
    "taken_offset": "+02:00",
    "aperture": 2.8,
    "shutter": 0.004,
    "iso": 400,
    "focal_length": 50.0,
    "focal_length_35": 50.0,
    "flash": True,
    "metering": "pattern",
    "program": "aperture priority",
    "exposure_mode": "auto",
    "lens": "RF50mm F1.8 STM",
    "latitude": pytest.approx(-33.8585),
    "longitude": pytest.approx(151.21),
    "altitude": 58.5,
    "exposure_bias": pytest.approx(-1 / 3),
    "width": 64,
    "height": 48,
}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_every_container_gives_the_same_facts(tmp_path: Path, form: str) -> None:
    found = values(picture(tmp_path / "a.picture", form, exif=FULL))
    # HEIC and AVIF carry the orientation in the container: writers take it out of the Exif block.
    turned = form in ("HEIF", "AVIF")
    expected = {name: value for name, value in EXPECTED.items() if not (turned and name == "orientation")}
    if turned:
        found.pop("orientation", None)
        expected |= {"width": found["width"], "height": found["height"]}
        assert {found["width"], found["height"]} <= {48, 64}
    assert found == expected


def test_each_fact_names_its_source(tmp_path: Path) -> None:
    facts = read(picture(tmp_path / "a.jpg", exif=FULL)).facts
    assert facts["camera_make"].source == "exif"
    assert facts["width"].source == "container"


XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
 xmp:Rating="4" exif:GPSLatitude="48,53.3235820N" exif:GPSLongitude="21,2.595075W"
 tiff:Model="X100" tiff:Orientation="6"
 exif:DateTimeOriginal="2019-07-24T08:25:57.5+03:00">
<dc:title><rdf:Alt><rdf:li xml:lang="de">Turm</rdf:li>
<rdf:li xml:lang="x-default">Tower</rdf:li></rdf:Alt></dc:title>
<dc:subject><rdf:Bag><rdf:li>Łódź</rdf:li><rdf:li>tower</rdf:li><rdf:li>tower</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def with_segment(path: Path, marker: int, body: bytes) -> Path:
    data = picture(path).read_bytes()
    path.write_bytes(data[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body + data[2:])
    return path


def test_xmp_tells_rating_title_keywords_position_and_date(tmp_path: Path) -> None:
    path = with_segment(tmp_path / "a.jpg", 0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + XMP.encode())
    found = read(path).facts
    assert found["rating"].value == 4
    assert "orientation" not in found  # what XMP says of it, no viewer heeds
    assert found["title"].value == "Tower"
    assert found["keywords"].value == ["Łódź", "tower"]
    assert found["latitude"].value == pytest.approx(48.8887, abs=1e-4)
    assert found["longitude"].value == pytest.approx(-21.0433, abs=1e-4)
    assert (found["taken_at"].value, found["taken_offset"].value) == ("2019-07-24T08:25:57.5", "+03:00")
    assert {found[name].source for name in ("rating", "title", "latitude", "taken_at")} == {"xmp"}


def test_xmp_with_entities_says_nothing_and_costs_nothing(tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + XMP.encode()
    path = with_segment(tmp_path / "a.jpg", 0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + bomb)
    assert "title" not in read(path).facts


def test_iptc_tells_title_keywords_and_date(tmp_path: Path) -> None:
    def dataset(number: int, text: str) -> bytes:
        return struct.pack(">BBBH", 0x1C, 2, number, len(text.encode())) + text.encode()

    block = b"".join(
        dataset(*item)
        for item in ((5, "Tower"), (25, "Łódź"), (25, "tower"), (55, "20150711"), (60, "111819+0200"))
    )
    resource = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + struct.pack(">I", len(block)) + block
    found = values(with_segment(tmp_path / "a.jpg", 0xED, resource))
    assert (found["title"], found["keywords"]) == ("Tower", ["Łódź", "tower"])
    assert (found["taken_at"], found["taken_offset"]) == ("2015-07-11T11:18:19", "+02:00")


# --- J27: no text can be too long, hold a NUL, be no UTF-8, no number out of range ----------------------------


def test_j27_a_lens_of_129_characters_is_kept_whole(tmp_path: Path) -> None:
    lens = "L" * 129
    assert values(picture(tmp_path / "a.jpg", exif=exif_of({}, {42036: lens})))["lens"] == lens


def test_j27_a_text_beyond_the_limit_is_cut_with_a_note(tmp_path: Path) -> None:
    metadata = read(picture(tmp_path / "a.jpg", exif=exif_of({}, {42036: "L" * 5000})))
    assert len(metadata.facts["lens"].value) == 1000
    assert metadata.notes == ("The lens in the file was too long and was cut.",)


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        (b"Canon\x00garbage", "Canon"),
        (b"\x00\x00", None),
        (b"Kamera M\xfcnchen", "Kamera München"),  # Latin-1
        ("Фото".encode(), "Фото"),
        (b"\xff\xfe\xfd", "ÿþý"),
        (b"a\x01\x1b[31mb", "a  [31mb"),
        (b"\xed\xa0\x80", "í"),  # a lone surrogate in UTF-8
    ],
)
def test_j27_texts_lose_nuls_controls_and_bad_encodings(
    tmp_path: Path, written: bytes, read_as: str | None
) -> None:
    made = values(picture(tmp_path / "a.jpg", exif=exif_of({271: "M" * len(written)}))).get("camera_make")
    assert made == "M" * len(written)  # the control: the same tag, plain
    data = (tmp_path / "a.jpg").read_bytes().replace(b"M" * len(written), written)
    (tmp_path / "a.jpg").write_bytes(data)
    assert values(tmp_path / "a.jpg").get("camera_make") == read_as


def test_j27_numbers_out_of_range_are_left_out(tmp_path: Path) -> None:
    block = exif_of(
        {274: 9},
        {33437: IFDRational(1, 0), 33434: IFDRational(0, 0), 34855: 0, 37386: IFDRational(4_000_000_000, 1)},
        {1: "N", 2: (91.0, 0.0, 0.0), 3: "E", 4: (10.0, 0.0, 0.0), 5: b"\x00", 6: IFDRational(1, 0)},
    )
    found = values(picture(tmp_path / "a.jpg", exif=block))
    assert found == {"width": 64, "height": 48}


TOWER = {1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0)}


@pytest.mark.parametrize(
    ("date", "offset"), [("2024:05:01 12:00:00", "+02:00"), ("2024:12:01 12:00:00", "+01:00")]
)
def test_without_an_offset_the_position_tells_the_zone_and_is_named_as_the_source(
    tmp_path: Path, date: str, offset: str
) -> None:
    block = exif_of({}, {36867: f"{date} 12:00:00"}, TOWER)
    fact = read(picture(tmp_path / "a.jpg", exif=block)).facts["taken_offset"]
    assert (fact.value, fact.source) == (offset, "position")


def test_a_recorded_offset_is_never_guessed_over(tmp_path: Path) -> None:
    block = exif_of({}, {36867: "2024:05:01 12:00:00", 36881: "-07:00"}, TOWER)
    fact = read(picture(tmp_path / "a.jpg", exif=block)).facts["taken_offset"]
    assert (fact.value, fact.source) == ("-07:00", "exif")


def test_before_there_were_zones_no_offset_is_guessed(tmp_path: Path) -> None:
    assert "taken_offset" not in values(
        picture(tmp_path / "a.jpg", exif=exif_of({}, {36867: "1850:05:01 12:00:00"}, TOWER))
    )


def test_reading_metadata_loads_the_map_of_zones_only_for_a_position_without_an_offset() -> None:
    code = "import sys; import workers.pipelines.metadata; sys.exit('tzfpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_receiver_without_a_fix_gives_no_position(tmp_path: Path) -> None:
    block = exif_of({}, {}, {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)})
    assert "latitude" not in values(picture(tmp_path / "a.jpg", exif=block))


@pytest.mark.parametrize(
    ("date", "taken"),
    [("1601:06:06 16:39:33", "1601-06-06T16:39:33"), ("2216:11:15 11:46:51", "2216-11-15T11:46:51")],
)
def test_a_date_counts_as_written_however_unlikely(tmp_path: Path, date: str, taken: str) -> None:
    assert values(picture(tmp_path / "a.jpg", exif=exif_of({}, {36867: date})))["taken_at"] == taken


@pytest.mark.parametrize(
    "date", ["0000:00:00 00:00:00", "1601:01:01 00:00:00", "0601:06:06 16:39:33", "200X:0X:0X 0X"]
)
def test_an_impossible_date_is_left_out_with_a_note(tmp_path: Path, date: str) -> None:
    metadata = read(picture(tmp_path / "a.jpg", exif=exif_of({}, {36867: date})))
    assert "taken_at" not in metadata.facts
    assert date[:10] in metadata.notes[0]


def test_a_blank_date_is_no_date_and_no_note(tmp_path: Path) -> None:
    metadata = read(picture(tmp_path / "a.jpg", exif=exif_of({}, {36867: "    :  :     :  :  "})))
    assert ("taken_at" in metadata.facts, metadata.notes) == (False, ())


def test_without_a_date_inside_the_name_is_asked(tmp_path: Path) -> None:
    fact = read(picture(tmp_path / "IMG_20240501_123456.jpg")).facts["taken_at"]
    assert (fact.value, fact.source) == ("2024-05-01T12:34:56", "file name")


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("IMG_20240501_123456.jpg", "2024-05-01T12:34:56"),
        ("PXL_20240501_123456789.jpg", "2024-05-01T12:34:56.789"),
        ("2024-05-01 12.30.00.jpg", "2024-05-01T12:30:00"),
        ("20240501T123000.heic", "2024-05-01T12:30:00"),
        ("Screenshot_2024-05-01-12-30-00.png", "2024-05-01T12:30:00"),
        ("WhatsApp Image 2024-05-01 at 12.30.00.jpeg", "2024-05-01T12:30:00"),
        ("IMG-20240501-WA0001.jpg", "2024-05-01T00:00:00"),
        ("1899-12-31 harbour.tif", "1899-12-31T00:00:00"),
        ("IMG_20241301_123456.jpg", None),
        ("DSC_0001.jpg", None),
        ("1234567890123456.jpg", None),
        ("photo 3000x2000.jpg", None),
    ],
)
def test_dates_in_file_names(name: str, moment: str | None) -> None:
    found = moment_in_name(name)
    assert (found.text if found else None) == moment


def test_the_gps_clock_tells_the_time_zone(tmp_path: Path) -> None:
    block = exif_of({}, {36867: "2024:04:14 02:20:31"}, {29: "2024:04:13", 7: (20.0, 35.0, 31.0)})
    metadata = read(picture(tmp_path / "a.jpg", exif=block))
    assert metadata.facts["taken_offset"].value == "+05:45"
    assert metadata.facts["gps_time"].value == "2024-04-13T20:35:31Z"
    assert metadata.notes == ("The time zone was worked out from the GPS clock.",)


@pytest.mark.parametrize(
    ("local", "utc", "offset"),
    [
        ("2024:01:01 12:00:00", "2024:01:01 10:00:00", "+02:00"),
        ("2024:01:01 12:03:00", "2024:01:01 10:00:00", "+02:00"),  # the last fix was three minutes old
        ("2024:01:01 12:07:00", "2024:01:01 10:00:00", ""),  # a clock that was never set right
        ("2024:01:01 06:30:00", "2024:01:01 10:00:00", "-03:30"),
        ("2024:01:01 12:15:00", "2024:01:01 10:00:00", ""),  # no place has +02:15
        ("2024:01:03 12:00:00", "2024:01:01 10:00:00", ""),
    ],
)
def test_only_offsets_that_exist_are_believed(local: str, utc: str, offset: str) -> None:
    here, there = parse_moment(local), parse_moment(utc)
    assert here and there
    assert offset_between(here.wall, there.wall) == offset


def test_a_leap_second_is_a_time_like_any_other() -> None:
    moment = parse_moment("2016:12:31 23:59:60")
    assert moment
    assert moment.text == "2017-01-01T00:00:00"


# --- nothing in a file can end a scan -------------------------------------------------------------------------

READABLE = [kind for kind in KINDS.values() if kind.media in ("image", "raw")]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "a.bin"


def starts() -> list[bytes]:
    exif = exif_of({271: "Canon", 330: 26}, {36867: "2024:05:01 12:30:05", 37500: b"Canon" * 20})
    made = []
    for form in ("JPEG", "PNG", "WEBP", "TIFF", "HEIF"):
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8)).save(buffer, form, exif=exif)
        made.append(buffer.getvalue()[:4096])
    return made


STARTS = starts()


@given(st.sampled_from(READABLE), st.binary(max_size=300))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_j27_random_bytes_give_metadata_and_never_an_error(scratch: Path, kind: Any, data: bytes) -> None:
    scratch.write_bytes(data)
    json.dumps([fact.value for fact in read_metadata(scratch, kind).facts.values()], allow_nan=False)


@given(st.sampled_from(STARTS), st.lists(st.tuples(st.integers(0, 4095), st.integers(0, 255)), max_size=12))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_j27_a_file_with_wrong_bytes_gives_metadata_and_never_an_error(
    scratch: Path, start: bytes, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(start)
    for at, byte in changes:
        data[at % len(data)] = byte
    scratch.write_bytes(data)
    read(scratch)


def test_a_directory_that_points_at_itself_ends(tmp_path: Path) -> None:
    looping = struct.pack("<2sHIHHHIIHHIII", b"II", 42, 8, 2, 34665, 4, 1, 8, 330, 4, 1, 8, 8)
    path = with_segment(tmp_path / "a.jpg", 0xE1, b"Exif\x00\x00" + looping)
    start = time.process_time()
    assert values(path) == {"width": 64, "height": 48}
    assert time.process_time() - start < 1


def test_a_tag_that_claims_four_gigabytes_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    lying = (
        struct.pack("<2sHIHHHIIHHIII", b"II", 42, 8, 2, 270, 2, 0xFFFFFFF0, 38, 271, 2, 6, 44, 0)
        + b"sunny\x00Canon\x00"
    )
    found = values(with_segment(tmp_path / "a.jpg", 0xE1, b"Exif\x00\x00" + lying))
    assert (found["caption"], found["camera_make"]) == ("sunny", "Canon")


def test_a_png_text_that_unpacks_to_gigabytes_costs_little() -> None:
    import zlib

    packed = zlib.compress(bytes(200 << 20), 9)
    body = b"XML:com.adobe.xmp\x00\x01\x00\x00\x00" + packed
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(body)) + b"iTXt" + body + bytes(4)
    assert len(find_embedded(io.BytesIO(data), "png").xmp[0]) <= 16 << 20
