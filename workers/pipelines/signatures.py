"""What kind of file this is, told by its first bytes and never by its name alone."""

import re
import struct

from workers.pipelines.kinds import KINDS, Kind

HEAD_BYTES = 65536

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "jxl"),
    (b"\xff\x0a", "jxl"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),
    (b"FUJIFILMCCD-RAW", "raf"),
    (b"II\x1a\x00\x00\x00HEAPCCDR", "crw"),
    (b"IIU\x00", "rw2"),
    (b"IIRO", "orf"),
    (b"IIRS", "orf"),
    (b"MMOR", "orf"),
    (b"\x00MRM", "mrw"),
    (b"FOVb", "x3f"),
    (b"8BPS", "psd"),
    (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"\x00\x00\x01\x00", "ico"),
    (b"\x00\x00\x01\xba", "mpg"),
    (b"\x00\x00\x01\xb3", "mpg"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "wmv"),
    (b"FLV\x01", "flv"),
    (b"bplist00", "aae"),
)
_TIFF_STARTS = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_RIFF_FORMS = {b"WEBP": "webp", b"AVI ": "avi"}
_HEVC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF_BRANDS = {b"avif", b"avis"}
_BMP_HEADER_SIZES = {12, 16, 40, 52, 56, 64, 108, 124}
_SOUND_BRANDS = {b"M4A ", b"M4B ", b"M4P "}
# How the streams of pictures in Ogg begin; the heads of all streams stand before everything else.
_OGG_PICTURES = (b"\x80theora", b"BBCD\x00", b"OVP80\x01", b"\x01video\x00")
# The starts of QuickTime files from before there was a `ftyp` box.
_OLD_QUICKTIME = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


def identify(head: bytes, size: int, name: str = "") -> Kind:
    """The kind of a file by its first bytes (`HEAD_BYTES` are plenty) and its size.

    The name only breaks ties: between TIFF and the RAW formats built on it, and between JPEG and MPO.
    """
    extension = name.rpartition(".")[2].lower()
    return KINDS[_name_of(head, size, extension)]


def _name_of(head: bytes, size: int, extension: str) -> str:
    if size == 0 or not head:
        return "empty"
    if head[:4] in _TIFF_STARTS:
        return _tiff_family(head, extension)
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return "apng" if b"acTL" in head.partition(b"IDAT")[0] else "png"
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return "mpo" if kind == "jpeg" and extension == "mpo" and b"MPF\x00" in head else kind
    if head.startswith(b"OggS"):
        return "ogv" if any(mark in head[:512] for mark in _OGG_PICTURES) else "oga"
    return _boxed(head) or _bitmap(head) or _stream(head) or _textual(head)


def _boxed(head: bytes) -> str:
    """RIFF, ISO base media (HEIC, AVIF, CR3, MP4, MOV, 3GP) and Matroska."""
    if head[:4] == b"RIFF":
        return _RIFF_FORMS.get(head[8:12], "")
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "webm" if b"webm" in head[:64] else "mkv"
    if head[4:8] == b"ftyp":
        return _by_brands(head)
    return "mov" if head[4:8] in _OLD_QUICKTIME else ""


def _by_brands(head: bytes) -> str:
    length = min(max(int.from_bytes(head[:4], "big"), 16), 256)
    major = head[8:12]
    brands = {major} | {head[at : at + 4] for at in range(16, length, 4)}
    if major == b"crx ":
        return "cr3"
    if brands & _AVIF_BRANDS and not major.startswith((b"hei", b"hev")):
        return "avif"
    if brands & _HEVC_BRANDS:
        return "heic"
    if major in (b"mif1", b"msf1", b"mif2", b"miaf"):
        return "heif"
    if major in _SOUND_BRANDS:
        return "m4a"
    if major == b"qt  ":
        return "mov"
    return "3gp" if major[:3] in (b"3gp", b"3g2", b"3ge", b"3gg") else "mp4"


def _bitmap(head: bytes) -> str:
    is_bitmap = (
        head[:2] == b"BM" and len(head) >= 18 and struct.unpack_from("<I", head, 14)[0] in _BMP_HEADER_SIZES
    )
    return "bmp" if is_bitmap else ""


def _stream(head: bytes) -> str:
    """MPEG transport streams: a sync byte in each packet of 188 bytes, of 192 in camcorders' files."""
    for start, step in ((0, 188), (4, 192)):
        marks = head[start : start + 5 * step : step]
        if len(marks) == 5 and marks == b"G" * 5:
            return "mts"
    return ""


def _textual(head: bytes) -> str:
    if not head.strip(b"\x00"):
        return "zeros"
    text = _as_text(head[:4096])
    if text is None:
        return "unknown"
    start = text.lstrip("\ufeff \t\r\n").lower()
    if start.startswith(("<!doctype html", "<html", "<head", "<body")):
        return "html"
    if start.startswith("<"):
        return _xml_dialect(start)
    return "json" if start.startswith(("{", "[")) else "text"


def _xml_dialect(start: str) -> str:
    for mark, kind in (
        ("<x:xmpmeta", "xmp"),
        ("<rdf:rdf", "xmp"),
        ("<gpx", "gpx"),
        ("<plist", "aae"),
        ("<svg", "svg"),
        ("<html", "html"),
    ):
        if mark in start:
            return kind
    return "xml"


def _as_text(head: bytes) -> str | None:
    """The text, or nothing when bytes speak against text."""
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    # The head may end inside a character.
    text = head.decode(encoding, "ignore" if len(head) == 4096 else "replace")
    return None if re.search("[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]", text) else text


# --- TIFF and the RAW formats built on it -------------------------------------------------------------------

_MAKER_KINDS = (
    ("nikon", "nef"),
    ("sony", "arw"),
    ("pentax", "pef"),
    ("ricoh", "pef"),
    ("kodak", "kdc"),
    ("samsung", "srw"),
    ("epson", "erf"),
    ("hasselblad", "3fr"),
    ("mamiya", "mef"),
    ("leaf", "mef"),
    ("phase one", "iiq"),
    ("panasonic", "rw2"),
    ("leica", "rw2"),
    ("canon", "cr2"),
)
_RAW_COMPRESSIONS = {32767, 32769, 32770, 32772, 34713, 34892, 65000, 65535}
_CFA, _LINEAR_RAW = 32803, 34892
_SUBFILE, _COMPRESSION, _PHOTOMETRIC, _MAKE, _SUB_IFDS, _DNG_VERSION = 254, 259, 262, 271, 330, 50706


def _tiff_family(head: bytes, extension: str) -> str:
    if head[8:10] == b"CR" and head[:2] == b"II":
        return "cr2"
    tags = _first_directory(head)
    if _DNG_VERSION in tags:
        return "dng"
    if not _looks_raw(tags):
        return "tiff"
    by_name = next((k.name for k in KINDS.values() if k.media == "raw" and extension in k.extensions), "")
    maker = _text_at(head, tags.get(_MAKE)).lower()
    return by_name or next((kind for word, kind in _MAKER_KINDS if word in maker), "tiff")


def _looks_raw(tags: dict[int, tuple[int, int]]) -> bool:
    """A camera's RAW keeps a small picture first and the sensor's data behind, or says so by its compression."""
    compression = tags.get(_COMPRESSION, (0, 0))[1]
    photometric = tags.get(_PHOTOMETRIC, (0, 0))[1]
    small_first = tags.get(_SUBFILE, (0, 0))[1] & 1 == 1 and _SUB_IFDS in tags
    return small_first or compression in _RAW_COMPRESSIONS or photometric in (_CFA, _LINEAR_RAW)


def _first_directory(head: bytes) -> dict[int, tuple[int, int]]:
    """Tag → (count, value or offset) of the first directory, as far as it lies in the head."""
    order = "<" if head[:2] == b"II" else ">"
    if head[2:4] in (b"+\x00", b"\x00+") or len(head) < 8:
        return {}  # BigTIFF: no camera writes RAW in it
    start = struct.unpack_from(order + "I", head, 4)[0]
    if start + 2 > len(head):
        return {}
    count = struct.unpack_from(order + "H", head, start)[0]
    tags: dict[int, tuple[int, int]] = {}
    for at in range(start + 2, min(start + 2 + 12 * count, len(head) - 11), 12):
        tag, kind, length = struct.unpack_from(order + "HHI", head, at)
        short = kind == 3 and length == 1
        tags[tag] = (length, struct.unpack_from(order + ("H" if short else "I"), head, at + 8)[0])
    return tags


def _text_at(head: bytes, entry: tuple[int, int] | None) -> str:
    if entry is None:
        return ""
    length, at = entry
    return head[at : at + min(length, 64)].split(b"\x00")[0].decode("latin-1")
