"""Every kind of file that a folder of photos holds, by name."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its short name, what medium it is, and the file names that it usually goes by.

    `media` is "image", "raw", "video", "sidecar" (knowledge about another file) or "unknown" (no picture at all).
    """

    name: str
    media: str
    mime: str
    extensions: tuple[str, ...]
    label: str


def _kinds(*kinds: Kind) -> dict[str, Kind]:
    return {kind.name: kind for kind in kinds}


KINDS = _kinds(
    Kind("jpeg", "image", "image/jpeg", ("jpg", "jpeg", "jpe", "jfif", "thm"), "JPEG picture"),
    Kind("mpo", "image", "image/mpo", ("mpo", "jpg", "jpeg"), "MPO picture (several in one file)"),
    Kind("png", "image", "image/png", ("png",), "PNG picture"),
    Kind("apng", "image", "image/apng", ("apng", "png"), "animated PNG picture"),
    Kind("webp", "image", "image/webp", ("webp",), "WebP picture"),
    Kind("gif", "image", "image/gif", ("gif",), "GIF picture"),
    Kind("tiff", "image", "image/tiff", ("tif", "tiff", "btf"), "TIFF picture"),
    Kind("heic", "image", "image/heic", ("heic", "heif", "hif", "heics"), "HEIC picture"),
    Kind("heif", "image", "image/heif", ("heif", "heic", "hif", "heifs"), "HEIF picture"),
    Kind("avif", "image", "image/avif", ("avif", "avifs"), "AVIF picture"),
    Kind("jxl", "image", "image/jxl", ("jxl",), "JPEG XL picture"),
    Kind("jp2", "image", "image/jp2", ("jp2", "j2k", "jpf", "jpx", "j2c", "jpc"), "JPEG 2000 picture"),
    Kind("bmp", "image", "image/bmp", ("bmp", "dib"), "BMP picture"),
    # RAW
    Kind("cr2", "raw", "image/x-canon-cr2", ("cr2",), "Canon RAW photo"),
    Kind("cr3", "raw", "image/x-canon-cr3", ("cr3",), "Canon RAW photo"),
    Kind("crw", "raw", "image/x-canon-crw", ("crw",), "Canon RAW photo"),
    Kind("nef", "raw", "image/x-nikon-nef", ("nef", "nrw"), "Nikon RAW photo"),
    Kind("arw", "raw", "image/x-sony-arw", ("arw", "sr2", "srf"), "Sony RAW photo"),
    Kind("raf", "raw", "image/x-fuji-raf", ("raf",), "Fujifilm RAW photo"),
    Kind("rw2", "raw", "image/x-panasonic-rw2", ("rw2", "rwl", "raw"), "Panasonic RAW photo"),
    Kind("orf", "raw", "image/x-olympus-orf", ("orf", "ori"), "Olympus RAW photo"),
    Kind("pef", "raw", "image/x-pentax-pef", ("pef",), "Pentax RAW photo"),
    Kind("dng", "raw", "image/x-adobe-dng", ("dng",), "DNG RAW photo"),
    Kind("kdc", "raw", "image/x-kodak-kdc", ("kdc", "dcr", "k25"), "Kodak RAW photo"),
    Kind("srw", "raw", "image/x-samsung-srw", ("srw",), "Samsung RAW photo"),
    Kind("mrw", "raw", "image/x-minolta-mrw", ("mrw",), "Minolta RAW photo"),
    Kind("x3f", "raw", "image/x-sigma-x3f", ("x3f",), "Sigma RAW photo"),
    Kind("erf", "raw", "image/x-epson-erf", ("erf",), "Epson RAW photo"),
    Kind("3fr", "raw", "image/x-hasselblad-3fr", ("3fr", "fff"), "Hasselblad RAW photo"),
    Kind("mef", "raw", "image/x-mamiya-mef", ("mef", "mos"), "Mamiya or Leaf RAW photo"),
    Kind("iiq", "raw", "image/x-phaseone-iiq", ("iiq", "cap"), "Phase One RAW photo"),
    # video
    Kind("mp4", "video", "video/mp4", ("mp4", "m4v", "mp4v"), "MP4 video"),
    Kind("mov", "video", "video/quicktime", ("mov", "qt"), "QuickTime video"),
    Kind("3gp", "video", "video/3gpp", ("3gp", "3g2", "3gpp"), "3GP video"),
    Kind("avi", "video", "video/x-msvideo", ("avi",), "AVI video"),
    Kind("mkv", "video", "video/x-matroska", ("mkv",), "Matroska video"),
    Kind("webm", "video", "video/webm", ("webm",), "WebM video"),
    Kind("mts", "video", "video/mp2t", ("mts", "m2ts", "ts", "m2t", "tod"), "AVCHD video"),
    Kind("mpg", "video", "video/mpeg", ("mpg", "mpeg", "vob", "mod"), "MPEG video"),
    Kind("wmv", "video", "video/x-ms-wmv", ("wmv", "asf"), "Windows video"),
    Kind("flv", "video", "video/x-flv", ("flv",), "Flash video"),
    Kind("ogv", "video", "video/ogg", ("ogv", "ogg", "ogm"), "Ogg video"),
    # knowledge about other files
    Kind("xmp", "sidecar", "application/rdf+xml", ("xmp",), "XMP sidecar"),
    Kind("json", "sidecar", "application/json", ("json",), "JSON file"),
    Kind("gpx", "sidecar", "application/gpx+xml", ("gpx",), "GPS track"),
    Kind("aae", "sidecar", "application/x-plist", ("aae", "plist"), "list of edits by Apple Photos"),
    # no pictures, or none that this library shows
    Kind("svg", "unknown", "image/svg+xml", ("svg",), "SVG drawing"),
    Kind("psd", "unknown", "image/vnd.adobe.photoshop", ("psd", "psb"), "Photoshop file"),
    Kind("ico", "unknown", "image/x-icon", ("ico", "cur"), "icon"),
    Kind("pdf", "unknown", "application/pdf", ("pdf",), "PDF document"),
    Kind("zip", "unknown", "application/zip", ("zip",), "ZIP archive"),
    Kind("m4a", "unknown", "audio/mp4", ("m4a", "m4b", "m4p"), "sound recording"),
    Kind("oga", "unknown", "audio/ogg", ("oga", "ogg", "opus", "spx"), "sound recording"),
    Kind("html", "unknown", "text/html", ("html", "htm"), "web page"),
    Kind("xml", "unknown", "application/xml", ("xml",), "XML file"),
    Kind("text", "unknown", "text/plain", ("txt", "md", "csv", "log", "ini", "nfo"), "text file"),
    Kind("zeros", "unknown", "application/octet-stream", (), "file of nothing but zeros"),
    Kind("empty", "unknown", "application/x-empty", (), "empty file"),
    Kind("unknown", "unknown", "application/octet-stream", (), "file of an unknown kind"),
)

_PICTURE_MEDIA = ("image", "raw", "video")
PICTURE_EXTENSIONS = frozenset(
    extension for kind in KINDS.values() if kind.media in _PICTURE_MEDIA for extension in kind.extensions
)
