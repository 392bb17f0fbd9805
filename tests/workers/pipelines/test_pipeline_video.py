"""Videos: what they know of themselves, the picture that stands for them, and those that cannot be shown."""

import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.workers.pipelines.films import Picture, make_film, scene
from workers.errors import PoisonError
from workers.pipelines.camcorder import read_shot
from workers.pipelines.codecs import codec_string
from workers.pipelines.files import read_file
from workers.pipelines.metadata import read_metadata
from workers.pipelines.poster import decode_poster
from workers.pipelines.previews import render_previews
from workers.pipelines.videofacts import _position


def facts(path: Path) -> dict[str, Any]:
    return {name: fact.value for name, fact in read_metadata(path, read_file(path).kind).facts.items()}


def poster(path: Path, edge: int = 2048) -> Picture:
    return np.asarray(decode_poster(path, read_file(path).kind.name, edge).image)


@pytest.mark.parametrize(
    ("name", "codec", "kind"),
    [("a.mp4", "mpeg4", "mp4"), ("a.mov", "mpeg4", "mov"), ("a.avi", "mjpeg", "avi"), ("a.mkv", "mpeg4", "mkv"),
     ("a.webm", "libvpx", "webm"), ("a.ts", "mpeg2video", "mts"), ("a.mpg", "mpeg2video", "mpg"),
     ("a.3gp", "mpeg4", "3gp"), ("a.wmv", "wmv2", "wmv"), ("a.flv", "flv", "flv")],
)  # fmt: skip
def test_every_container_shows_a_poster_and_says_how_long_it_is(
    tmp_path: Path, name: str, codec: str, kind: str
) -> None:
    rate = 25 if codec == "mpeg2video" else 10
    path = make_film(tmp_path / name, frames=2 * rate, codec=codec, rate=rate)
    assert read_file(path).kind.name == kind
    said = facts(path)
    assert (said["width"], said["height"]) == (64, 48)
    # An MPEG program stream this short gives too little to go by.
    assert said["duration"] == pytest.approx(2, abs=1.5 if kind == "mpg" else 0.25)
    made = render_previews(path, kind, tmp_path)
    assert (made.width, made.height, made.method) == (64, 48, "video frame")


@pytest.mark.parametrize(("counter_clockwise", "bright"), [(90, "bottom"), (180, "right"), (270, "top")])
def test_a_film_taken_sideways_stands_upright(tmp_path: Path, counter_clockwise: int, bright: str) -> None:
    path = make_film(tmp_path / "a.mp4", rotation=counter_clockwise)
    assert facts(path)["rotation"] == 360 - counter_clockwise
    made = render_previews(path, "mp4", tmp_path)
    assert (made.width, made.height) == ((64, 48) if counter_clockwise == 180 else (48, 64))
    with Image.open(tmp_path / "large.webp") as shown:
        light = np.asarray(shown.convert("L"), dtype=float)
    sides = {"top": light[:8], "bottom": light[-8:], "left": light[:, :8], "right": light[:, -8:]}
    assert max(sides, key=lambda side: sides[side].mean()) == bright


def test_a_film_that_begins_in_the_dark_is_shown_by_a_later_picture(tmp_path: Path) -> None:
    def fading(number: int) -> Picture:
        return scene(number) if number > 15 else np.zeros((48, 64, 3), np.uint8)

    made = poster(make_film(tmp_path / "a.mp4", frames=60, draw=fading))
    assert made.mean() > 60


def test_a_film_of_nothing_but_black_is_shown_black(tmp_path: Path) -> None:
    made = poster(make_film(tmp_path / "a.mp4", draw=lambda _: np.zeros((48, 64, 3), np.uint8)))
    assert made.mean() < 5


def test_a_large_film_is_made_smaller_on_its_way_out_of_the_decoder(tmp_path: Path) -> None:
    path = make_film(tmp_path / "a.mp4", frames=1, draw=lambda number: scene(number, (800, 600)))
    assert poster(path, edge=200).shape == (150, 200, 3)
    assert render_previews(path, "mp4", tmp_path).width == 800


# --- when and where -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said", "taken", "offset", "source"),
    [
        ("a.mp4", {"creation_time": "2019-02-15T21:13:20Z"}, "2019-02-15T21:13:20", "+00:00", "container"),
        ("VID_20190215_161319.mp4", {"creation_time": "2019-02-15T21:13:20Z"}, "2019-02-15T16:13:19", "-05:00",
         "file name"),
        ("VID_20190215_161319.mp4", {}, "2019-02-15T16:13:19", None, "file name"),
        ("VID_20150101_000000.mp4", {"creation_time": "2019-02-15T21:13:20Z"}, "2019-02-15T21:13:20", "+00:00",
         "container"),
        ("a.mov", {"creation_time": "2019-02-15T21:13:20Z", "location": "+48.1371+011.5754/"},
         "2019-02-15T22:13:20", "+01:00", "container"),
        ("a.mov", {"creation_time": "2019-07-24T08:25:57Z",
                   "com__apple__quicktime__creationdate": "2019-07-24T11:25:40+0300"},
         "2019-07-24T11:25:40", "+03:00", "container"),
    ],
)  # fmt: skip
def test_the_clock_of_the_place_wins_over_the_containers_utc(
    tmp_path: Path, name: str, said: dict[str, str], taken: str, offset: str | None, source: str
) -> None:
    path = make_film(tmp_path / name, **said)
    read = read_metadata(path, read_file(path).kind).facts
    assert (read["taken_at"].value, read["taken_at"].source) == (taken, source)
    assert (("taken_offset" in read and read["taken_offset"].value) or None) == offset


def test_a_clock_that_was_never_set_counts_as_none(tmp_path: Path) -> None:
    path = make_film(tmp_path / "a.mp4", creation_time="1970-01-01T00:00:05Z")
    read = read_metadata(path, read_file(path).kind)
    assert "taken_at" not in read.facts
    assert any("1970-01-01" in note for note in read.notes)


@pytest.mark.parametrize(
    ("text", "latitude", "longitude", "altitude"),
    [
        ("+32.0929+034.8620+028.516/", 32.0929, 34.862, 28.516),
        ("-33.8-070.5/", -33.8, -70.5, None),
        ("+4530.5-07345.25/", 45.50833333, -73.75416667, None),
        ("+453030-0734515/", 45.50833333, -73.75416667, None),
        ("+00.0000+000.0000/", None, None, None),
        ("+99.0+010.0/", None, None, None),
        ("nowhere", None, None, None),
    ],
)
def test_each_form_of_a_position(text: str, latitude: float, longitude: float, altitude: float) -> None:
    said = dict(_position(text))
    assert (said.get("latitude"), said.get("longitude"), said.get("altitude")) == (latitude, longitude, altitude)


# --- codecs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "setup", "said"),
    [
        ("h264", "01640028ffe1", "avc1.640028"),
        ("h264", "00000127640028ac", "avc1.640028"),
        ("h264", "", "avc1.42001e"),
        ("hevc", "01016000000090000000000078f000fc", "hvc1.1.6.L120.90"),
        ("hevc", "01022000000000000000000099f000fc", "hvc1.2.4.L153"),
        ("av1", "81054c00", "av01.0.05M.10"),
        ("av1", "8128cc00", "av01.1.08H.10"),
        ("prores", "", "prores"),
    ],
)
def test_a_codec_is_named_as_browsers_ask_for_it(name: str, setup: str, said: str) -> None:
    assert codec_string(name, bytes.fromhex(setup)) == said


def test_a_camcorders_note_is_read_through_the_streams_escapes() -> None:
    mark = bytes.fromhex("17ee8c60f84d11d98cd60800200c9a66") + b"MDPM"
    entries = bytes.fromhex("04 18 44 201904 19 24222400 7f 00003282 a1 02760064".replace(" ", ""))
    shot = read_shot(b"\x00\x00\x01\x06" + mark + entries)
    assert (shot.taken, shot.offset) == ("2019-04-24T22:24:00", "+02:00")
    assert shot.facts == {"shutter": pytest.approx(1 / 50, rel=1e-2), "aperture": 6.3}
    unzoned = entries.replace(b"\x18\x44", b"\x18\xc4")
    assert read_shot(mark + unzoned).offset == ""
    escaped = entries.replace(b"\x7f\x00\x00", b"\x7f\x00\x00\x03")
    assert read_shot(mark + escaped).facts == shot.facts
    assert read_shot(mark).taken == read_shot(mark + b"\xff").taken == ""


# --- those that cannot be shown -----------------------------------------------------------------------------


def refused(path: Path) -> str:
    with pytest.raises(PoisonError) as error:
        render_previews(path, read_file(path).kind.name, path.parent)
    assert len(error.value.reason.split()) > 12
    return error.value.code


def test_a_film_that_ends_early_says_how_much_of_it_is_there(tmp_path: Path) -> None:
    path = make_film(tmp_path / "a.mp4", frames=50)
    os.truncate(path, path.stat().st_size // 4)
    assert refused(path) == "truncated"
    assert facts(path).get("duration") is None


def test_a_film_whose_camera_did_not_finish_it_has_no_table_of_contents(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(
        b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + struct.pack(">I4s", 0, b"mdat")
    )
    assert refused(tmp_path / "a.mp4") == "truncated"


@pytest.mark.parametrize("kind", ["avi", "mkv", "webm", "mts", "mpg", "wmv", "flv", "mp4"])
def test_a_head_with_noise_behind_it_is_damaged(tmp_path: Path, kind: str) -> None:
    heads = {
        "avi": b"RIFF\xff\xff\x00\x00AVI LIST",
        "mkv": b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01",
        "webm": b"\x1a\x45\xdf\xa3\x9fB\x82\x84webm",
        "mts": b"G" + b"\x00" * 187,
        "mpg": b"\x00\x00\x01\xba",
        "wmv": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
        "flv": b"FLV\x01",
        "mp4": b"\x00\x00\x00\x10ftypisom\x00\x00\x00\x00\x00\x00\x10\x08moov",
    }
    noise = np.random.default_rng(7).integers(0, 256, 4096, np.uint8).tobytes()
    path = tmp_path / f"a.{kind}"
    path.write_bytes(heads[kind] * (6 if kind == "mts" else 1) + noise)
    assert read_file(path).kind.name == kind
    assert read_metadata(path, read_file(path).kind).facts.keys() <= {"taken_at", "duration"}
    assert refused(path) in ("damaged", "no-pictures")


def test_sound_alone_is_no_film(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert refused(tmp_path / "a.mp4") == "no-pictures"


def test_the_disks_own_error_is_no_fault_of_the_film(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        render_previews(tmp_path / "gone.mp4", "mp4", tmp_path)


# --- the shared films ---------------------------------------------------------------------------------------

# Where the facts differ from exiftool's on purpose.
OTHERWISE = {
    # exiftool guesses from the first clock and the last; FFmpeg counts what the streams hold.
    ("video/Sony ILCE-7M3 (A7M3).mts", "duration_s"): 0.544,
    # Apple's own date, on the clocks of the place, wins over the container's UTC.
    ("heic/live_photo/IMG_7943_HEVC.MOV", "created_at"): "2026:03:23 15:57:19",
    ("video/with-gps.mov", "created_at"): "2019:07:24 11:25:40",
    # A clock that was never set.
    ("video/christmas.mp4", "created_at"): None,
    # exiftool gives the number where it knows no name.
    ("video/Sony ILCE-7M3 (A7M3).mts", "make"): "Sony",
}
NAMES = {
    "duration_s": "duration",
    "created_at": "taken_at",
    "taken_at": "taken_at",
    "make": "camera_make",
    "model": "camera_model",
    "rotation": "rotation",
    "altitude_m": "altitude",
    "title": "title",
    "f_number": "aperture",
    "exposure_s": "shutter",
    "content_identifier": "content_identifier",
}


def test_the_facts_of_every_shared_film_agree_with_an_independent_reader(shared: Path) -> None:
    compared = 0
    for entry in json.loads((shared / "photos" / "MANIFEST.json").read_text())["files"]:
        path, expected = shared / "photos" / entry["file"], entry["expected"]
        if read_file(path).kind.media != "video":
            continue
        said = facts(path)
        assert [said["width"], said["height"]] == expected["pixels"], path
        if "gps" in expected:
            assert [said["latitude"], said["longitude"]] == pytest.approx(expected["gps"], abs=1e-4), path
        for theirs, ours in NAMES.items():
            if theirs in expected:
                wanted = OTHERWISE.get((entry["file"], theirs), expected[theirs])
                assert same(said.get(ours), wanted), (path, theirs)
                compared += 1
    assert compared == 44


def same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, str) and wanted.startswith("00:00:"):
        wanted = float(wanted[6:].replace(",", ".")[:6])
    if isinstance(wanted, int | float):
        return found == pytest.approx(wanted, abs=1e-3)
    if isinstance(wanted, str) and wanted[4:5] == ":":
        return found == wanted[:10].replace(":", "-") + "T" + wanted[11:19]
    return found == wanted
