"""The one place that scales pictures: libvips does it, from memory to memory, in a third of Pillow's time."""

import logging

import numpy as np
import pyvips
from PIL import Image

# libvips tells of every step that it takes.
logging.getLogger("pyvips").setLevel(logging.WARNING)
# Work is spread over processes, one picture each; threads and a cache of results in each would only cost memory.
pyvips.concurrency_set(1)
pyvips.cache_set_max(0)
pyvips.cache_set_max_mem(0)

# Others (alpha, ink, Lab) are rare: Pillow weighs alpha rightly and knows how Lab is laid out.
_BANDS = {"L": 1, "RGB": 3}


def fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    """The picture inside the box, never larger than it is, never less than one pixel high or wide."""
    scale = min(width / image.width, height / image.height)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if image.mode not in _BANDS or min(image.size) < 2:
        return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    # Averaging whole blocks first, down to twice the size, saves the packed copy of a giant's pixels.
    blocks = int(1 / scale / 2)
    return _scaled(image.reduce(blocks) if blocks > 1 else image, size)


def _scaled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    pixels = np.ascontiguousarray(image)
    source = pyvips.Image.new_from_memory(pixels.data, image.width, image.height, _BANDS[image.mode], "uchar")
    made = source.resize(size[0] / image.width, vscale=size[1] / image.height, kernel="lanczos3")
    assert (made.width, made.height) == size, (made.width, made.height, size)
    return Image.frombuffer(image.mode, size, made.write_to_memory(), "raw", image.mode, 0, 1)
