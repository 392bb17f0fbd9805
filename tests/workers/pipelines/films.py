"""Small films made on the spot, in any container and codec that PyAV can write."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def scene(number: int, size: tuple[int, int] = (64, 48)) -> Picture:
    """A picture with a bright left half and something moving, so that turned ones can be told."""
    made = np.full((size[1], size[0], 3), 40, np.uint8)
    made[:, : size[0] // 2] = (220, 180, 90)
    made[number % size[1], :] = 120
    return made


def make_film(
    path: Path,
    frames: int = 10,
    draw: Callable[[int], Picture] = scene,
    codec: str = "mpeg4",
    rotation: int = 0,
    rate: int = 10,
    **said: str,
) -> Path:
    """A film of some frames, turned counter-clockwise by `rotation`; `said` goes into the container's metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"movflags": "use_metadata_tags"} if path.suffix in (".mov", ".mp4") else {}
    with av.open(str(path), "w", options=options) as container:
        container.metadata.update({name.replace("__", "."): text for name, text in said.items()})
        first = draw(0)
        stream = container.add_stream(codec, rate=Fraction(rate))
        stream.width, stream.height, stream.pix_fmt = first.shape[1], first.shape[0], "yuv420p"
        if codec == "mjpeg":
            stream.pix_fmt = "yuvj420p"
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(frames):
            container.mux(stream.encode(VideoFrame.from_ndarray(draw(number), "rgb24")))
        container.mux(stream.encode())
    return path
