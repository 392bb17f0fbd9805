"""What cannot be shown says why, and what can be shows in spite of its faults."""

import struct
import time
import zlib
from pathlib import Path

import pytest

from tests.workers.pipelines.showing import assert_upright, corners, jpeg, photo, refused
from workers.pipelines.previews import render_previews


def png_of(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    packed = zlib.compress(bytes(1 << 16))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            chunk(b"IDAT", packed),
            chunk(b"IEND", b""),
        )
    )


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("png", png_of(40_000, 40_000)),
        ("gif", b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\xf0\x00\x00" + bytes(6) + b",\x00\x00\x00\x00"
         + struct.pack("<HH", 65535, 65535) + b"\x00\x02\x02L\x01\x00;"),
        ("bmp", b"BM" + struct.pack("<IIIIiiHH", 1000, 0, 54, 40, 3_000_000, 2_000_000, 1, 24) + bytes(900)),
        ("webp", b"RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x10\x00\x00\x00" + b"\xff" * 6 + bytes(8)),
    ],
    ids=["png", "gif", "bmp", "webp"],
)  # fmt: skip
def test_bombs_are_refused_at_once(tmp_path: Path, kind: str, data: bytes) -> None:
    (tmp_path / "bomb").write_bytes(data)
    start = time.process_time()
    error = refused(tmp_path / "bomb", kind, tmp_path)
    assert error.code in ("too-large", "damaged")
    assert error.code == "too-large" or kind == "webp"  # WebP's own decoder refuses it as no WebP
    assert time.process_time() - start < 1


def test_a_png_with_a_bomb_in_its_text_shows_without_the_text(tmp_path: Path) -> None:
    corners().save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    body = b"Comment\x00\x00" + zlib.compress(bytes(80 << 20), 9)
    text = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    (tmp_path / "a.png").write_bytes(data[:33] + text + data[33:])
    assert render_previews(tmp_path / "a.png", "png", tmp_path).width == 96
    assert_upright(tmp_path)


def test_a_jpeg_that_ends_in_the_middle_says_how_much_is_there(tmp_path: Path) -> None:
    data = jpeg(photo())
    (tmp_path / "a.jpg").write_bytes(data[: len(data) * 4 // 10])
    error = refused(tmp_path / "a.jpg", "jpeg", tmp_path)
    assert error.code == "truncated"
    share = int(error.reason.split("only ")[1].split(" %")[0])
    assert 33 <= share <= 44
    assert "press Retry" in error.reason
    assert not (tmp_path / "large.webp").exists()


def test_a_jpeg_that_lacks_its_last_bytes_shows_with_a_note(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(photo())[:-60])
    made = render_previews(tmp_path / "a.jpg", "jpeg", tmp_path)
    assert made.notes == ("The last few rows of the picture are missing.",)


def test_a_jpeg_that_ends_early_with_an_end_marker_shows_and_says_how_much(tmp_path: Path) -> None:
    data = jpeg(photo())
    (tmp_path / "a.jpg").write_bytes(data[: len(data) // 2] + b"\xff\xd9")
    made = render_previews(tmp_path / "a.jpg", "jpeg", tmp_path)
    assert "of this picture is in the file" in made.notes[0]


def test_a_picture_that_is_grey_at_the_end_is_whole(tmp_path: Path) -> None:
    image = photo()
    image.paste((128, 128, 128), (0, 240, 640, 480))
    (tmp_path / "a.jpg").write_bytes(jpeg(image))
    assert render_previews(tmp_path / "a.jpg", "jpeg", tmp_path).notes == ()


def test_garbage_after_the_end_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(photo()) + b"garbage" * 1000)
    assert render_previews(tmp_path / "a.jpg", "jpeg", tmp_path).notes == ()


@pytest.mark.parametrize(
    ("form", "kind"),
    [("PNG", "png"), ("WEBP", "webp"), ("GIF", "gif"), ("TIFF", "tiff"), ("HEIF", "heic"), ("AVIF", "avif")],
)
def test_half_a_file_of_any_format_is_refused(tmp_path: Path, form: str, kind: str) -> None:
    photo().save(tmp_path / "a", form)
    data = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(data[: len(data) // 2])
    assert refused(tmp_path / "a", kind, tmp_path).code in ("truncated", "damaged")


@pytest.mark.parametrize(
    "kind", ["jpeg", "png", "webp", "gif", "tiff", "heic", "avif", "jp2", "bmp", "cr2", "dng"]
)
def test_nonsense_is_refused_under_any_name(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a").write_bytes(bytes(range(256)) * 40)
    assert refused(tmp_path / "a", kind, tmp_path).code in ("damaged", "raw-unreadable")


@pytest.mark.parametrize("kind", ["psd", "svg", "xmp", "unknown"])
def test_what_nothing_here_can_decode_is_unsupported(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a").write_bytes(b"\xff\x0a")
    assert refused(tmp_path / "a", kind, tmp_path).code == "unsupported"


def test_a_tiff_that_points_beyond_any_file_is_damaged_and_no_fault_of_the_disk(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"II+\x00\x08\x00\x00\x00" + b"\xff" * 8 + bytes(100))
    assert refused(tmp_path / "a.tif", "tiff", tmp_path).code == "damaged"


def test_a_missing_file_is_the_disks_error_and_not_the_pictures(tmp_path: Path) -> None:
    for kind in ("jpeg", "dng"):
        with pytest.raises(FileNotFoundError):
            render_previews(tmp_path / "gone", kind, tmp_path)


def test_j28_a_jpeg_without_jfif_or_exif_header_shows(tmp_path: Path) -> None:
    data = jpeg(corners())
    assert data[2:4] == b"\xff\xe0"
    bare = data[:2] + data[4 + int.from_bytes(data[4:6], "big") :]
    (tmp_path / "a.jpg").write_bytes(bare)
    assert b"JFIF" not in bare
    render_previews(tmp_path / "a.jpg", "jpeg", tmp_path)
    assert_upright(tmp_path)


def test_a_name_that_is_no_utf8_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9.jpg"
    path.write_bytes(jpeg(corners()))
    assert render_previews(path, "jpeg", tmp_path).width == 96


def test_decoders_write_nothing_to_standard_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a").write_bytes(b"II*\x00\x08\x00\x00\x00" + b"\xff" * 500)
    for kind in ("tiff", "dng", "jp2"):
        refused(tmp_path / "a", kind, tmp_path)
    assert capfd.readouterr().err == ""
