"""One picture that stands for a video: an early frame that shows something, upright by the container's word."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageStat

from workers.pipelines import refusals
from workers.pipelines.decoding import Decoded
from workers.pipelines.video import check_whole, opened, pictures

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# Where to look, in seconds and then in shares of the whole, until a frame shows something.
_SECONDS, _SHARES = (0.0, 1.0, 3.0), (0.1, 0.25, 0.5)
_FRAMES_PER_PLACE = 90
_ENOUGH_SECONDS = 15.0
# A frame that shows something is neither nearly black, nor nearly white, nor flat.
_DARKEST, _BRIGHTEST, _FLATTEST = 20.0, 240.0, 8.0
_LIMIT = 150_000_000
_TURNS = {90: 6, 180: 3, 270: 8}
_UNSAID, _HD_MATRIX, _SD_MATRIX, _HD_HEIGHT = 2, 1, 5, 720


def decode_poster(path: Path, kind_name: str, edge: int) -> Decoded:
    """The poster, no longer than `edge`. Raises PoisonError, OSError for the disk's own errors."""
    check_whole(path, kind_name)
    with path.open("rb") as file, opened(file, kind_name) as container:
        stream = pictures(container)
        width, height = stream.codec_context.width, stream.codec_context.height
        if width * height > _LIMIT:
            raise refusals.too_large(width, height, _LIMIT)
        # Two threads: each keeps frames of its own, and 8K frames are large.
        stream.thread_type, stream.codec_context.thread_count = "AUTO", 2
        frame = _best(container, stream)
        return _decoded(frame, stream, edge)


def _best(container: "InputContainer", stream: "VideoStream") -> "VideoFrame":
    """The first frame that shows something, else the liveliest of those looked at."""
    begun, best, liveliest = time.monotonic(), None, -1.0
    for place in _places(container):
        frame = _frame_at(container, stream, place)
        if frame is None:
            continue
        light, spread = _look(frame)
        if _DARKEST < light < _BRIGHTEST and spread > _FLATTEST:
            return frame
        if spread > liveliest:
            best, liveliest = frame, spread
        if time.monotonic() - begun > _ENOUGH_SECONDS:
            break
    if best is None:
        raise refusals.video_damaged()
    return best


def _places(container: "InputContainer") -> Iterator[float]:
    whole = (container.duration or 0) / 1e6
    yield from (second for second in _SECONDS if second == 0 or second < whole)
    yield from (whole * share for share in _SHARES if whole * share > _SECONDS[-1])


def _frame_at(container: "InputContainer", stream: "VideoStream", second: float) -> "VideoFrame | None":
    """The frame shown at a time, or the last before it that can be decoded."""
    import av

    found: VideoFrame | None = None
    # A place that is damaged is not the end: another one may be whole.
    with contextlib.suppress(av.FFmpegError):
        if second:
            base = float(stream.time_base or 1)
            container.seek(int(second / base) + (stream.start_time or 0), stream=stream)
        for count, frame in enumerate(container.decode(stream)):
            if not frame.is_corrupt or found is None:
                found = frame
            if _shown_at(frame, stream) >= second or count >= _FRAMES_PER_PLACE:
                break
    return found


def _shown_at(frame: "VideoFrame", stream: "VideoStream") -> float:
    start = float((stream.start_time or 0) * (stream.time_base or 0))
    return frame.time - start if frame.time is not None else 0.0


def _look(frame: "VideoFrame") -> tuple[float, float]:
    """Mean and spread of the brightness, of 255."""
    grey = Image.fromarray(frame.reformat(width=64, height=64, format="gray").to_ndarray())
    stat = ImageStat.Stat(grey)
    return stat.mean[0], stat.stddev[0]


def _decoded(frame: "VideoFrame", stream: "VideoStream", edge: int) -> Decoded:
    """The frame as a picture with square pixels, its colours in the frame's own space."""
    shape = float(stream.sample_aspect_ratio or 1)
    width, height = max(1, round(frame.width * (shape if 0.2 < shape < 5 else 1))), frame.height
    scale = min(1.0, edge / max(width, height))
    # Where nothing is said, players take small videos for old television and large ones for new.
    unsaid = _HD_MATRIX if frame.height >= _HD_HEIGHT else _SD_MATRIX
    rgb = frame.reformat(
        max(1, round(width * scale)),
        max(1, round(height * scale)),
        "rgb24",
        src_colorspace=frame.colorspace if frame.colorspace != _UNSAID else unsaid,
        interpolation="AREA" if scale < 1 else "BICUBIC",
    )
    turn = _TURNS.get(-round(frame.rotation / 90) * 90 % 360, 1)
    coded = (int(frame.color_primaries), int(frame.color_trc))
    return Decoded(Image.fromarray(rgb.to_ndarray()), (width, height), turn, coded=coded, method="video frame")
