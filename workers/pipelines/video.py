"""Opens videos through FFmpeg's libraries (PyAV): by their kind alone, without network, one stream of pictures.

PyAV is imported when the first video comes: children that only see pictures do without its memory.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from workers.pipelines import refusals
from workers.pipelines.boxes import share_there
from workers.pipelines.quiet import is_disk_error

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

# Kind → FFmpeg's reader. Named, so that no content can choose one that opens other files or addresses.
_READERS = {
    **dict.fromkeys(("mp4", "mov", "3gp"), "mov"),
    **dict.fromkeys(("mkv", "webm"), "matroska"),
    "avi": "avi",
    "mts": "mpegts",
    "mpg": "mpeg",
    "wmv": "asf",
    "flv": "flv",
    "ogv": "ogg",
}
BOXED = frozenset({"mp4", "mov", "3gp"})
_PLAIN_MPEG = b"\x00\x00\x01\xb3"


@contextlib.contextmanager
def opened(file: BinaryIO, kind_name: str) -> Iterator["InputContainer"]:
    """The container in an open file. Raises PoisonError for what is none, or breaks off while it is read."""
    import av

    av.logging.set_level(None)
    try:
        with av.open(file, "r", format=_reader(file, kind_name), metadata_errors="replace") as container:
            yield container
    except av.FFmpegError as error:
        # FFmpeg's errors are OSErrors too, some of them; the disk's own come as they are, from the file's read().
        raise refusals.video_damaged() from error
    except (ValueError, IndexError, UnicodeError) as error:
        if is_disk_error(error):
            raise
        raise refusals.video_damaged() from error


def pictures(container: "InputContainer") -> "VideoStream":
    """The stream to show; covers of songs and other still attachments do not count. Raises PoisonError."""
    from av.stream import Disposition

    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic and stream.codec_context:
            return stream
    raise refusals.no_pictures()


def check_whole(path: Path, kind_name: str) -> None:
    """Raises PoisonError for an MP4 or QuickTime file that ends too early. Others say nothing of their length."""
    if kind_name not in BOXED:
        return
    with path.open("rb") as file:
        share = share_there(file)
    if share < 1:
        raise refusals.video_truncated(share)


def text_of(metadata: Any, *names: str) -> str:
    """The first of the named texts that says something."""
    return next((str(metadata[name]).strip() for name in names if str(metadata.get(name, "")).strip()), "")


def _reader(file: BinaryIO, kind_name: str) -> str:
    head = file.read(4)
    file.seek(0)
    return "mpegvideo" if head == _PLAIN_MPEG else _READERS[kind_name]
