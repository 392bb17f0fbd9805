"""Files are known by their content."""

import hashlib
import io
import os
from pathlib import Path

import pytest
from PIL import Image

from workers.errors import PoisonError, TransientError
from workers.pipelines import files
from workers.pipelines.files import KINDS, identify, not_a_photo, read_file

BOX = b"\x00\x00\x00\x18ftyp"


def made(form: str, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (20, 10)).save(buffer, form, **options)
    return buffer.getvalue()


def tiff(tags: dict[int, tuple[int, int, int]], extra: bytes = b"", start: bytes = b"II*\x00") -> bytes:
    """A little-endian TIFF of one directory: tag → (type, count, value); `extra` follows at offset 512."""
    import struct

    entries = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(tags.items()))
    return (start + struct.pack("<IH", 8, len(tags)) + entries).ljust(512, b"\x00") + extra


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (made("JPEG"), "jpeg"),
        (made("PNG"), "png"),
        (made("PNG", save_all=True, append_images=[Image.new("RGB", (20, 10), "red")]), "apng"),
        (made("WEBP"), "webp"),
        (made("GIF"), "gif"),
        (made("TIFF"), "tiff"),
        (made("BMP"), "bmp"),
        (made("JPEG2000"), "jp2"),
        (made("AVIF"), "avif"),
        (BOX + b"avis\x00\x00\x00\x00msf1avif", "avif"),
        (BOX + b"heic\x00\x00\x00\x00mif1heic", "heic"),
        (BOX + b"mif1\x00\x00\x00\x00mif1heic", "heic"),
        (BOX + b"mif1\x00\x00\x00\x00mif1miaf", "heif"),
        (BOX + b"crx \x00\x00\x00\x01crx isom", "cr3"),
        (BOX + b"qt  \x00\x00\x00\x00qt      ", "mov"),
        (b"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat", "mov"),
        (BOX + b"isom\x00\x00\x00\x00isommp42", "mp4"),
        (BOX + b"3gp5\x00\x00\x00\x003gp5isom", "3gp"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "avi"),
        (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska", "mkv"),
        (b"\x1a\x45\xdf\xa3\x93\x42\x82\x84webm", "webm"),
        ((b"\x00\x00\x00\x00G" + b"\x00" * 187) * 6, "mts"),
        ((b"G" + b"\x00" * 187) * 6, "mts"),
        (b"\xff\x0a\xfa\x1f\x41", "jxl"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "jxl"),
        (b"FUJIFILMCCD-RAW 0201", "raf"),
        (b"II\x1a\x00\x00\x00HEAPCCDR", "crw"),
        (b"IIU\x00\x18\x00\x00\x00", "rw2"),
        (b"IIRO\x08\x00\x00\x00", "orf"),
        (b"II*\x00\x10\x00\x00\x00CR\x02\x00", "cr2"),
        (b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/">', "xmp"),
        (b'<?xml version="1.0"?><gpx version="1.1">', "gpx"),
        (b'<?xml version="1.0"?><!DOCTYPE plist><plist version="1.0">', "aae"),
        (b'{"title": "IMG_1.jpg"}', "json"),
        (b"\xef\xbb\xbf<!DOCTYPE html><title>Not found</title>", "html"),
        ("Kärnten, 12. Mai".encode(), "text"),
        (b"\x00" * 4096, "zeros"),
        (b"\x01\x02\x03\x04\x05\x06", "unknown"),
        (b"", "empty"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_kind_is_told_by_the_first_bytes(head: bytes, kind: str) -> None:
    assert identify(head, len(head)).name == kind


@pytest.mark.parametrize(
    ("make", "kind"), [("NIKON CORPORATION", "nef"), ("SONY", "arw"), ("PENTAX", "pef"), ("SAMSUNG", "srw")]
)
def test_a_raw_built_on_tiff_is_told_by_its_maker(make: str, kind: str) -> None:
    text = make.encode() + b"\x00"
    head = tiff({254: (4, 1, 1), 271: (2, len(text), 512), 330: (4, 1, 700)}, text)
    assert identify(head, len(head)).name == kind


def test_a_tiff_made_from_a_nikon_picture_stays_a_tiff() -> None:
    text = b"NIKON CORPORATION\x00"
    head = tiff({254: (4, 1, 0), 259: (3, 1, 1), 271: (2, len(text), 512)}, text)
    assert identify(head, len(head), "IMG.NEF").name == "tiff"


def test_a_dng_is_told_by_its_version_tag() -> None:
    head = tiff({271: (2, 6, 512), 50706: (1, 4, 0x0401)}, b"Canon\x00")
    assert identify(head, len(head), "a.tif").name == "dng"


def test_the_name_breaks_the_tie_between_raws_of_one_maker() -> None:
    head = tiff({254: (4, 1, 1), 271: (2, 6, 512), 330: (4, 1, 700)}, b"Kodak\x00")
    assert identify(head, len(head), "a.kdc").name == "kdc"
    assert identify(head, len(head), "a.3fr").name == "3fr"


def test_one_read_gives_hash_size_time_and_kind(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(made("JPEG") + bytes(3 << 20))
    facts = read_file(path)
    assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (facts.size, facts.mtime_ns) == (path.stat().st_size, path.stat().st_mtime_ns)
    assert (facts.kind, facts.head_mismatch) == (KINDS["jpeg"], None)


@pytest.mark.parametrize(
    ("name", "said"), [("a.jpg", "named .jpg but holds: PNG picture"), ("a.png", ""), ("no extension", "")]
)
def test_a_name_that_does_not_fit_the_content_is_told_in_words(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / name).write_bytes(made("PNG"))
    mismatch = read_file(tmp_path / name).head_mismatch
    assert said in mismatch if said and mismatch else mismatch is None


@pytest.mark.parametrize(
    ("kind", "name", "code", "failed"),
    [
        ("empty", "a.jpg", "empty", True),
        ("empty", "notes.txt", "empty", False),
        ("zeros", "a.jpg", "empty", True),
        ("html", "a.jpg", "not-a-picture", True),
        ("html", "index.html", "not-a-picture", False),
        ("unknown", "a.jpg", "not-a-picture", True),
        ("unknown", "thing.bin", "not-a-picture", False),
        ("xmp", "a.jpg.xmp", "sidecar", False),
        ("json", "a.jpg", "not-a-picture", True),
        ("m4a", "a.m4a", "not-a-picture", False),
    ],
)
def test_what_is_no_photo_is_skipped_or_failed_by_what_its_name_promises(
    kind: str, name: str, code: str, failed: bool
) -> None:
    answer = not_a_photo(KINDS[kind], name)
    assert answer is not None
    assert (answer.code, answer.failed) == (code, failed)
    assert answer.reason.endswith(".")


@pytest.mark.parametrize("kind", ["jpeg", "heic", "jxl", "cr3", "dng", "mp4", "mts"])
def test_a_picture_becomes_a_photo_whatever_its_name(kind: str) -> None:
    assert not_a_photo(KINDS[kind], "thing.bin") is None


def test_a_pipe_is_refused_and_nothing_waits_on_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(PoisonError) as refused:
        read_file(tmp_path / "pipe.jpg")
    assert refused.value.code == "not-a-file"


def test_a_file_that_grows_while_it_is_read_comes_back_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(made("JPEG"))
    real, calls = os.fstat, []

    def growing(descriptor: int) -> os.stat_result:
        if calls:
            with path.open("ab") as file:
                file.write(b"more")
        calls.append(descriptor)
        return real(descriptor)

    monkeypatch.setattr(files.os, "fstat", growing)
    with pytest.raises(TransientError) as busy:
        read_file(path)
    assert busy.value.code == "still-written"


def test_a_missing_file_raises_the_disks_own_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "gone.jpg")
