"""Finds things in a picture with the YOLOX detector: what, where, how sure.

Pre- and post-processing are the model's own: BGR values of 0 to 255, the picture scaled into the top left
corner of a grey square; out of the model come grid cells whose boxes are not yet decoded.
"""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.ml.coco import NAMES
from workers.ml.runtime import load

# Weak guesses (a moon as an apple) lie below; 55 of 56 things named by hand lie above.
THRESHOLD = 0.40
OVERLAP = 0.5
_SIDE = 416
_STRIDES = (8, 16, 32)
_GREY = 114
# More than this many boxes above the threshold are noise, and comparing all pairs would cost too much.
_MOST = 1000

Array = NDArray[np.float32]
Box = tuple[float, float, float, float]


class Found(NamedTuple):
    """One thing: its name, how sure the model is (0 to 1), and left, top, right, bottom as fractions."""

    label: str
    score: float
    box: Box


class Candidates(NamedTuple):
    """Boxes (N rows of left, top, right, bottom in pixels of the square), their classes and scores, N each."""

    boxes: Array
    classes: NDArray[np.intp]
    scores: Array


def find_objects(picture: Image.Image, model: Path) -> list[Found]:
    """Everything found in an RGB picture, the surest first."""
    raw = load(model)(letterbox(picture))[0][0]
    return _as_fractions(suppress(decode(raw)), picture.size)


def letterbox(picture: Image.Image) -> Array:
    """The picture as the model wants it, of shape (1, 416, 416, 3), blue first."""
    scale = _SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    # Pillow turns the colours round, and only the margins are filled: a quarter of the time that numpy takes.
    pixels = picture.resize(size, Image.Resampling.BILINEAR).tobytes("raw", "BGR")
    square = np.empty((1, _SIDE, _SIDE, 3), np.float32)
    square[0, : size[1], : size[0]] = np.frombuffer(pixels, np.uint8).reshape(size[1], size[0], 3)
    square[0, size[1] :] = _GREY
    square[0, :, size[0] :] = _GREY
    return square


def decode(raw: Array) -> Candidates:
    """Candidates above the threshold, from the model's output: per cell x, y, w, h, object, 80 classes."""
    likely = np.nonzero(raw[:, 4] >= THRESHOLD)[0]  # a score is a part of this
    scores = raw[likely, 4:5] * raw[likely, 5:]
    rows, classes = np.nonzero(scores >= THRESHOLD)
    surest = np.argsort(-scores[rows, classes], kind="stable")[:_MOST]
    rows, classes = rows[surest], classes[surest]
    cells = likely[rows]
    return Candidates(_boxes(raw[cells, :4], *_grid(), cells), classes, scores[rows, classes])


def _boxes(raw: Array, corners: Array, strides: Array, cells: NDArray[np.intp]) -> Array:
    centres = (raw[:, :2] + corners[cells]) * strides[cells]
    halves = np.exp(raw[:, 2:]) * strides[cells] / 2
    return np.concatenate([centres - halves, centres + halves], axis=1)


@lru_cache(maxsize=1)
def _grid() -> tuple[Array, Array]:
    """Column and row of each cell, and the pixels from one cell to the next."""
    corners, strides = [], []
    for stride in _STRIDES:
        cells = _SIDE // stride
        rows, columns = np.divmod(np.arange(cells * cells), cells)
        corners.append(np.stack([columns, rows], axis=1))
        strides.append(np.full((cells * cells, 1), stride))
    return np.concatenate(corners).astype(np.float32), np.concatenate(strides).astype(np.float32)


def suppress(found: Candidates) -> Candidates:
    """Of boxes of one class that overlap by more than half of their union, only the surest.

    The candidates come with the surest first. The model's scores come in 256 steps, so several boxes for one
    thing are often equally sure; the mean of these is nearer to the thing than the one that comes first.
    """
    rivals = (_overlaps(found.boxes) > OVERLAP) & (found.classes[:, None] == found.classes[None, :])
    equals = rivals & (found.scores[:, None] == found.scores[None, :])
    alive = np.ones(len(found.scores), dtype=bool)
    boxes = found.boxes.copy()
    for index in range(len(alive)):
        if alive[index]:
            boxes[index] = found.boxes[equals[index] & alive].mean(axis=0)
            alive[index + 1 :] &= ~rivals[index, index + 1 :]
    return Candidates(boxes[alive], found.classes[alive], found.scores[alive])


def _overlaps(boxes: Array) -> Array:
    """Intersection over union of each box with each other one."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    overlaps: Array = shared / np.maximum(areas[:, None] + areas[None, :] - shared, np.float32(1e-9))
    return overlaps


def _as_fractions(found: Candidates, size: tuple[int, int]) -> list[Found]:
    """Boxes as parts of the picture, cut off at its edges."""
    scale = _SIDE / max(size)
    edges = np.array([*size, *size], dtype=np.float32) * np.float32(scale)
    boxes = np.clip(found.boxes / edges, 0, 1)
    return [
        Found(NAMES[index], float(score), (float(box[0]), float(box[1]), float(box[2]), float(box[3])))
        for box, index, score in zip(boxes, found.classes, found.scores, strict=True)
    ]
