"""A picture's numbers as 512 bits: on which side of as many fixed directions they lie."""

import functools
import hashlib

import numpy as np
from numpy.typing import NDArray

from core.means import mean_of

BITS = 512


def bits_of(model: str, numbers: NDArray[np.float32]) -> NDArray[np.bool_]:
    """A row of bits for each row of numbers, once what all pictures have in common is taken away."""
    return leanings_of(model, numbers) > 0


def leanings_of(model: str, numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each row of numbers lies on the one side or the other of each direction."""
    mean = np.asarray(mean_of(model, numbers.shape[1]), np.float32)
    rest, directions = numbers - mean, _directions(numbers.shape[1])
    # For one row OpenBLAS wakes threads that wait longer than they work.
    found = np.einsum("i,ij->j", rest[0], directions)[None] if len(rest) == 1 else rest @ directions
    return np.asarray(found, np.float32)


@functools.lru_cache(maxsize=2)
def _directions(numbers: int) -> NDArray[np.float32]:
    """Corners of a cube, drawn once for ever: by a hash, since no generator promises the same numbers for ever."""
    drawn = hashlib.shake_256(b"filmroll: similar pictures").digest(numbers * BITS // 8)
    signs = np.unpackbits(np.frombuffer(drawn, np.uint8)).astype(np.float32) * 2 - 1
    return np.ascontiguousarray(signs.reshape(numbers, BITS))
