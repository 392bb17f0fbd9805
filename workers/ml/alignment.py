"""Turns a found face upright, cuts it out, and says how good a picture of a face it is."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.ml.mobileface import SIDE

Floats = NDArray[np.float32]

# Where the network wants right eye, left eye, nose tip and mouth centre: as in the pictures that it learned from.
_PLACES = np.array([[38.29, 51.70], [73.53, 51.50], [56.03, 71.74], [56.14, 92.28]])
_ALIGNED_BY = 4
# Mean steps between neighbouring pixels of the cut-out face: below the first it is a blur, above the second crisp.
_BLURRED, _CRISP = 2.0, 9.0


def align(picture: Image.Image, points: Floats) -> Image.Image:
    """The face, upright, 112 pixels a side. `points`: (6, 2) in pixels of the picture, as `faces` gives them."""
    matrix = _similarity(_PLACES, points[:_ALIGNED_BY].astype(np.float64))
    # A face larger than its cut-out is made smaller first: taking every tenth pixel would leave a grid of noise.
    shrink = max(1, int(np.hypot(matrix[0, 0], matrix[1, 0]) / 1.5))
    if shrink > 1:
        picture, matrix = _shrunk(picture, matrix, shrink)
    # Pillow counts from a pixel's corner, the places from its middle.
    shifted = matrix[:, :2] @ np.array([-0.5, -0.5]) + matrix[:, 2] + 0.5
    data = (*matrix[0, :2], shifted[0], *matrix[1, :2], shifted[1])
    return picture.transform((SIDE, SIDE), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR)


def sharpness(face: Image.Image) -> float:
    """0 for a blur to 1 for a crisp face, of one that `align` cut out."""
    grey = np.asarray(face.convert("L"), np.float32)[16:-16, 16:-16]
    steps = (np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean()) / 2
    return float(np.clip((steps - _BLURRED) / (_CRISP - _BLURRED), 0, 1))


def frontality(points: Floats) -> float:
    """1 for a face seen from the front to 0 for one in profile: how far the nose is from between the eyes."""
    right, left, nose = (points[at].astype(np.float64) for at in range(3))
    across = left - right
    length = float(across @ across)
    if length < 1:
        return 0.0
    along = float((nose - right) @ across) / length
    return float(np.clip(1 - 2 * abs(along - 0.5), 0, 1))


def _similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The turn, scale and shift that bring `source` nearest to `target` (least squares), as 2 rows of 3."""
    middle, wanted = source.mean(axis=0), target.mean(axis=0)
    one, other = source - middle, target - wanted
    spread = (one**2).sum()
    a = (one * other).sum() / spread
    b = (one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]).sum() / spread
    turn = np.array([[a, -b], [b, a]])
    return np.column_stack([turn, wanted - turn @ middle])


def _shrunk(picture: Image.Image, matrix: NDArray[np.float64], by: int) -> tuple[Image.Image, NDArray[np.float64]]:
    """The part of the picture that holds the face, so many times smaller, and the matrix into it."""
    corners = matrix @ np.array([[0, SIDE, 0, SIDE], [0, 0, SIDE, SIDE], [1, 1, 1, 1]], np.float64)
    left, top = (max(0, int(edge)) for edge in np.floor(corners.min(axis=1)))
    right, bottom = (int(edge) for edge in np.ceil(corners.max(axis=1)))
    right, bottom = max(left + by, min(picture.width, right)), max(top + by, min(picture.height, bottom))
    part = picture.crop((left, top, right, bottom)).reduce(by)
    moved = matrix.copy()
    moved[:, 2] -= (left, top)
    return part, moved / by
