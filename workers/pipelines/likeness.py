"""What a picture looks like in 192 bits, so that the same picture is known again in another size, format or tone.

Three hashes of 64 bits, each from the grey picture alone: which of two neighbours is lighter (difference hash),
which of 64 fields are lighter than half of them (block hash), and which of the 64 coarsest waves are strong (the
hash by cosines that is known as pHash). Together they find more than any one of them (docs/duplicates.md).
"""

import numpy as np
from PIL import Image

# With less contrast than this the bits are noise: walls, fog, black frames, blank pages.
_FLAT = 4.0
_EDGE, _WAVES = 32, 8
_STEPS = np.arange(_EDGE)
_DCT = np.cos(np.pi * (2 * _STEPS + 1)[None, :] * np.arange(_WAVES)[:, None] / (2 * _EDGE))


def likeness_of(image: Image.Image) -> str:
    """48 hexadecimal digits: difference, block and DCT hash; "" for a picture with nothing in it to go by."""
    grey = image.convert("L")
    fine = _scaled(grey, _EDGE, _EDGE)
    if fine.std() < _FLAT:
        return ""
    across, fields = _scaled(grey, 9, 8), _scaled(grey, 8, 8)
    waves = _DCT @ fine @ _DCT.T
    bits = [across[:, 1:] > across[:, :-1], fields > np.median(fields), waves > np.median(waves)]
    return np.packbits(np.concatenate([part.ravel() for part in bits])).tobytes().hex()


def _scaled(grey: Image.Image, width: int, height: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    return np.asarray(grey.resize((width, height), Image.Resampling.LANCZOS), np.float64)
