"""Pictures out of cameras' RAW files: the camera's own JPEG where it is large enough, else a development."""

import contextlib
import io
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rawpy
from numpy.typing import NDArray
from PIL import Image

from workers.errors import PoisonError
from workers.pipelines import refusals
from workers.pipelines.decoding import Decoded, decode_bytes
from workers.pipelines.embedded import find_embedded
from workers.pipelines.quiet import quiet_decoding

# The camera's own JPEG will do from this length on, or when it is nearly as long as the RAW picture itself.
_ENOUGH = 1600
_NEARLY = 0.8
# LibRaw "succeeds" on some files that end after the headers and gives noise. No camera packs a pixel into less.
_LEAST_BITS_PER_PIXEL = 0.25
_LIMIT = 300_000_000
_LIBRAW_ERRORS = (rawpy.LibRawError, rawpy.NotSupportedError, ValueError, RuntimeError, TypeError)
# LibRaw's numbers for turning → Exif orientation.
_ORIENTATION_OF_FLIP = {0: 1, 3: 3, 5: 8, 6: 6}


def decode_raw(path: Path, edge: int) -> Decoded:
    """The picture of a RAW file, at least `edge` pixels long where it has as many. Raises PoisonError, OSError."""
    with path.open("rb") as file:
        try:
            with _opened(file.fileno()) as raw:
                return _from_raw(raw, os.fstat(file.fileno()).st_size, edge)
        except _LIBRAW_ERRORS as error:
            found = _largest_jpeg(file.fileno(), edge)
            if found is None:
                raise refusals.raw_unreadable() from error
            return found


@contextlib.contextmanager
def _opened(descriptor: int) -> Iterator[Any]:
    """By descriptor: rawpy takes only paths that are UTF-8, and file names need not be."""
    with quiet_decoding(), rawpy.RawPy() as raw:
        raw.open_file(f"/dev/fd/{descriptor}")
        yield raw


def _from_raw(raw: Any, size: int, edge: int) -> Decoded:
    sizes = raw.sizes
    if sizes.raw_width * sizes.raw_height > _LIMIT:
        raise refusals.too_large(sizes.raw_width, sizes.raw_height, _LIMIT)
    if preview := _camera_jpeg(raw, edge):
        return preview
    if size * 8 < sizes.raw_width * sizes.raw_height * _LEAST_BITS_PER_PIXEL:
        raise refusals.raw_truncated()
    raw.unpack()
    _check_sensor(raw.raw_image_visible, raw.white_level)
    long_edge = max(sizes.width, sizes.height)
    pixels = raw.postprocess(
        use_camera_wb=True, half_size=long_edge >= 2 * edge, gamma=(2.4, 12.92), output_color=rawpy.ColorSpace.sRGB
    )
    return Decoded(Image.fromarray(pixels), _upright(sizes), method="raw")


def _upright(sizes: Any) -> tuple[int, int]:
    return (sizes.iheight, sizes.iwidth) if sizes.flip in (5, 6) else (sizes.iwidth, sizes.iheight)


def _camera_jpeg(raw: Any, edge: int) -> Decoded | None:
    """The JPEG that the camera put beside the RAW data, when it is large enough and whole."""
    try:
        thumb = raw.extract_thumb()
    except _LIBRAW_ERRORS:
        return None
    if thumb.format != rawpy.ThumbFormat.JPEG:
        return None
    width, height = find_embedded(io.BytesIO(thumb.data), "jpeg").size or (0, 0)
    if max(width, height) < min(_ENOUGH, _NEARLY * max(raw.sizes.width, raw.sizes.height)):
        return None
    try:
        decoded = decode_bytes(thumb.data, "jpeg", edge)
    except PoisonError:
        return None
    # Most of these JPEGs lie as the sensor does and leave the turning to the RAW file; some are upright already.
    turned = _ORIENTATION_OF_FLIP.get(raw.sizes.flip, 1)
    upright_already = turned in (6, 8) and (width < height) == (raw.sizes.width >= raw.sizes.height)
    decoded.orientation = 1 if upright_already else turned
    stored = (raw.sizes.iwidth, raw.sizes.iheight)
    decoded.stored = stored[::-1] if upright_already else stored
    decoded.method = "embedded jpeg"
    decoded.notes.append("Shown by the picture that the camera put into the RAW file.")
    return decoded


def _check_sensor(sensor: NDArray[Any], white: int) -> None:
    """Refuse what is no picture though LibRaw read it: data that end early, or data of something else."""
    rows = sensor if sensor.ndim == 2 else sensor[..., 0]
    varied = np.flatnonzero(rows.max(axis=1) != rows.min(axis=1))
    # Rows of one single value never come from a sensor, which has its noise.
    share = (varied[-1] + 1) / rows.shape[0] if varied.size else 0.0
    if share < 0.95:
        raise refusals.truncated(share)
    if _is_noise(rows[::2, ::2].astype(np.float32), white):
        raise refusals.raw_unreadable()


def _is_noise(values: NDArray[np.float32], white: int) -> bool:
    """Whether neighbours of one colour have nothing in common, with too much contrast for a dark photo."""
    height, width = (length // 4 * 4 for length in values.shape)
    if min(height, width) < 16 or values.std() < 0.1 * white:
        return False
    means = values[:height, :width].reshape(height // 4, 4, width // 4, 4).mean(axis=(1, 3))
    left, right = means[:, :-1].ravel(), means[:, 1:].ravel()
    return bool(np.corrcoef(left, right)[0, 1] < 0.3)


def _largest_jpeg(descriptor: int, edge: int) -> Decoded | None:
    """The largest whole JPEG somewhere in the file, for RAW files that LibRaw cannot read."""
    if os.fstat(descriptor).st_size == 0:
        return None
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as data:
        places = sorted(_jpeg_places(data), reverse=True)
        for length, at in places:
            if length < _ENOUGH:
                break
            try:
                decoded = decode_bytes(data[at:], "jpeg", edge)
            except PoisonError:
                continue
            decoded.method = "embedded jpeg"
            decoded.notes.append(
                "The RAW data cannot be read; shown is the picture that the camera put into the file."
            )
            return decoded
    return None


def _jpeg_places(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Long edge and place of each JPEG."""
    at = data.find(b"\xff\xd8\xff")
    while at >= 0:
        size = find_embedded(io.BytesIO(data[at : at + (1 << 20)]), "jpeg").size
        if size:
            yield max(size), at
        at = data.find(b"\xff\xd8\xff", at + 3)
