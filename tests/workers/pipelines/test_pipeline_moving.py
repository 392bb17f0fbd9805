"""Pictures that move: animations of each kind, and films inside motion photos, however their makers mark them."""

import io
import struct
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from tests.workers.pipelines.films import make_film
from workers.pipelines.files import read_file
from workers.pipelines.metadata import read_metadata
from workers.pipelines.moving import live_identifier

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:GCamera="http://ns.google.com/photos/1.0/camera/"'
    ' xmlns:Container="http://ns.google.com/photos/1.0/container/"'
    ' xmlns:Item="http://ns.google.com/photos/1.0/container/item/" {attributes}>{inside}</rdf:Description>'
    "</rdf:RDF></x:xmpmeta>"
)


def facts(path: Path) -> dict[str, Any]:
    return {name: fact.value for name, fact in read_metadata(path, read_file(path).kind).facts.items()}


def picture(frames: int, format_: str) -> bytes:
    made = io.BytesIO()
    pages = [Image.new("RGB", (16, 12), (40 * number, 90, 200)) for number in range(frames)]
    options = {"save_all": True, "append_images": pages[1:]} if frames > 1 else {}
    pages[0].save(made, format_, **options)
    return made.getvalue()


@pytest.mark.parametrize("format_", ["GIF", "WEBP", "PNG", "AVIF"])
def test_an_animation_is_told_from_a_still_of_its_kind(tmp_path: Path, format_: str) -> None:
    for frames in (1, 2, 5):
        path = tmp_path / f"{frames}.{format_.lower()}"
        path.write_bytes(picture(frames, format_))
        assert facts(path).get("animated", False) == (frames > 1), frames


def test_a_gif_that_is_cut_or_damaged_ends_the_search(tmp_path: Path) -> None:
    whole = picture(2, "GIF")
    for length in range(13, len(whole), 7):
        (tmp_path / "a.gif").write_bytes(whole[:length])
        assert facts(tmp_path / "a.gif").get("animated") in (None, True)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_film(tmp_path_factory.mktemp("films") / "a.mp4").read_bytes()


def jpeg(words: str = "") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (32, 24), (200, 90, 40)).save(made, "JPEG", **({"xmp": words.encode()} if words else {}))
    return made.getvalue()


def micro_video(film: bytes) -> bytes:
    words = XMP.format(attributes=f'GCamera:MicroVideo="1" GCamera:MicroVideoOffset="{len(film)}"', inside="")
    return jpeg(words) + film


def container_directory(film: bytes) -> bytes:
    items = "".join(
        f'<rdf:li rdf:parseType="Resource"><Container:Item {item}/></rdf:li>'
        for item in (
            'Item:Mime="image/jpeg" Item:Semantic="Primary" Item:Length="0" Item:Padding="0"',
            'Item:Mime="image/jpeg" Item:Semantic="GainMap" Item:Length="50"',
            f'Item:Mime="video/mp4" Item:Semantic="MotionPhoto" Item:Length="{len(film)}" Item:Padding="0"',
        )
    )
    inside = f"<Container:Directory><rdf:Seq>{items}</rdf:Seq></Container:Directory>"
    return jpeg(XMP.format(attributes='GCamera:MotionPhoto="1"', inside=inside)) + bytes(50) + film


def samsung_trailer(film: bytes) -> bytes:
    entry = struct.pack("<HHI", 0, 0x0A30, 16) + b"MotionPhoto_Data" + film
    listed = b"SEFH" + struct.pack("<II", 107, 1) + struct.pack("<HHII", 0, 0x0A30, len(entry), len(entry))
    return jpeg() + entry + listed + struct.pack("<I", len(listed)) + b"SEFT"


@pytest.mark.parametrize("made", [micro_video, container_directory, samsung_trailer])
def test_the_film_in_a_motion_photo_is_found_however_it_is_marked(made: Any, film: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(made(film))
    said = facts(path)
    inside = path.read_bytes()[said["motion_start"] :][: said["motion_length"]]
    assert inside == film
    assert (said["motion_codecs"], said["motion_duration"]) == ("mp4v.20.9", 1.0)
    with av.open(io.BytesIO(inside)) as container:
        assert len(list(container.decode(video=0))) == 10


@pytest.mark.parametrize("made", [micro_video, container_directory, samsung_trailer])
def test_what_is_marked_as_a_film_and_is_none_is_not_spoken_of(made: Any, film: bytes, tmp_path: Path) -> None:
    for spoilt in (bytes(len(film)), film[:60] + bytes(500), film[:-300]):
        (tmp_path / "a.jpg").write_bytes(made(spoilt))
        assert not [name for name in facts(tmp_path / "a.jpg") if name.startswith("motion")]


def test_a_lie_about_the_films_place_is_harmless(tmp_path: Path) -> None:
    for offset in ("0", "999999999999", "5"):
        (tmp_path / "a.jpg").write_bytes(
            jpeg(XMP.format(attributes=f'GCamera:MicroVideoOffset="{offset}"', inside=""))
        )
        assert "motion_start" not in facts(tmp_path / "a.jpg")


def test_the_film_in_a_samsung_heic_is_found_and_can_be_played(shared: Path) -> None:
    path = shared / "photos" / "heic" / "samsung-one-ui-6.heic"
    said = facts(path)
    assert (said["motion_start"], said["motion_length"]) == (452284, 3226469)
    with av.open(io.BytesIO(path.read_bytes()[452284:][:3226469])) as container:
        assert container.streams.video[0].codec_context.name == "hevc"


def test_both_halves_of_a_live_photo_bear_one_identifier(shared: Path) -> None:
    folder = shared / "photos" / "heic" / "live_photo"
    halves = [facts(folder / name)["content_identifier"] for name in ("IMG_7943.HEIC", "IMG_7943_HEVC.MOV")]
    assert halves[0] == halves[1] == "9B539AB8-A668-4FA6-9207-EB653A5E7E3C"


@pytest.mark.parametrize("note", [b"", b"Apple iOS\x00", b"Apple iOS\x00\x00\x01MM\xff\xff" + bytes(30), 7, None])
def test_a_damaged_makers_note_has_no_identifier(note: object) -> None:
    assert live_identifier({37500: note}) == ""
