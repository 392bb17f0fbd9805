"""Finds faces with MediaPipe's two detectors: boxes and six points, on the whole picture and in tiles.

Pre- and post-processing are the models' own: RGB values from -1 to 1, the picture scaled to fit and centred on
black; out come, per anchor, a box and points relative to it, and how sure the model is.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.ml.runtime import Model

Floats = NDArray[np.float32]
Region = tuple[int, int, int, int]

# Boxes that overlap by more than this part of their union are of one face.
OVERLAP = 0.3
# So are those of which the smaller lies by this part in the larger: the two models draw their boxes differently.
WITHIN = 0.7
_POINTS = 6


class Detector(NamedTuple):
    """A face model with what it takes: the side of its square, and its grids as (cells a side, anchors a cell)."""

    model: Model
    side: int
    grids: tuple[tuple[int, int], ...]


class Faces(NamedTuple):
    """N faces in pixels of the picture: boxes (N, 4), points (N, 6, 2), scores (N,), the surest first."""

    boxes: Floats
    points: Floats
    scores: Floats


def far(model: Model) -> Detector:
    """The full-range model: faces down to a sixteenth of the picture."""
    return Detector(model, 192, ((48, 1),))


def near(model: Model) -> Detector:
    """The short-range model: faces of a fifth of the picture and more, also in odd poses."""
    return Detector(model, 128, ((16, 2), (8, 6)))


def detect(detector: Detector, picture: Image.Image, threshold: float) -> Faces:
    """The faces in an RGB picture, each once."""
    return merge([_look(detector, picture, (0, 0, *picture.size), threshold)])


def detect_in(detector: Detector, picture: Image.Image, regions: Iterable[Region], threshold: float) -> Faces:
    """The faces in parts of a picture (left, top, right, bottom), each once."""
    return merge([_look(detector, picture, region, threshold) for region in regions])


def tiles(size: tuple[int, int], across: int) -> Iterator[Region]:
    """A picture's parts, so many in each direction; each overlaps the next by a third of its side."""
    width, height = size
    columns, rows = _cuts(width, across), _cuts(height, across)
    for top, bottom in rows:
        for left, right in columns:
            yield left, top, right, bottom


def merge(found: Sequence[Faces]) -> Faces:
    """All of these, and where boxes overlap their mean, weighted by how sure each is."""
    boxes = np.concatenate([one.boxes for one in found])
    points = np.concatenate([one.points for one in found])
    scores = np.concatenate([one.scores for one in found])
    order = np.argsort(-scores, kind="stable")
    kept: list[tuple[Floats, Floats, np.float32]] = []
    while len(order):
        first = order[0]
        same = (_shared(boxes[first], boxes[order]) > OVERLAP) | (_within(boxes[first], boxes[order]) > WITHIN)
        group = order[same]
        weights = scores[group] / scores[group].sum()
        kept.append(
            (np.tensordot(weights, boxes[group], 1), np.tensordot(weights, points[group], 1), scores[first])
        )
        order = order[~same]
    if not kept:
        return nothing()
    return Faces(*(np.array(column, dtype=np.float32) for column in zip(*kept, strict=True)))


def nothing() -> Faces:
    """No faces."""
    return Faces(np.zeros((0, 4), np.float32), np.zeros((0, _POINTS, 2), np.float32), np.zeros((0,), np.float32))


def _look(detector: Detector, picture: Image.Image, region: Region, threshold: float) -> Faces:
    """The candidates in one part of the picture, in pixels of the whole; what lies beyond its edges is black."""
    side = detector.side
    left, top, right, bottom = region
    scale = side / max(right - left, bottom - top, 1)
    # Whole pixels, as the models were tried with: half a pixel moves a score by a tenth.
    margin = (side - np.round(np.array([right - left, bottom - top]) * scale)) // 2
    origin = margin - np.array([left, top]) * scale  # where the picture's corner is in the square
    seen = (max(0, left), max(0, top), min(picture.width, right), min(picture.height, bottom))
    square = np.full((1, side, side, 3), -1.0, dtype=np.float32)
    at = np.clip(np.round(origin + np.array(seen[:2]) * scale).astype(int), 0, side - 1)
    fitted = [max(1, min(side - int(at[axis]), round((seen[axis + 2] - seen[axis]) * scale))) for axis in (0, 1)]
    small = picture.resize((fitted[0], fitted[1]), Image.Resampling.BILINEAR, box=seen, reducing_gap=2.0)
    square[0, at[1] : at[1] + fitted[1], at[0] : at[0] + fitted[0]] = np.asarray(small, np.float32) / 127.5 - 1
    raw, logits = sorted(detector.model(square), key=lambda one: -one.shape[-1])
    found = _decode(raw[0], logits[0, :, 0], detector, threshold)
    shift, grow = (-origin / scale).astype(np.float32), np.float32(side / scale)
    return Faces(found.boxes * grow + np.tile(shift, 2), found.points * grow + shift, found.scores)


def _decode(raw: Floats, logits: Floats, detector: Detector, threshold: float) -> Faces:
    """Faces as fractions of the square."""
    scores = (1 / (1 + np.exp(-np.clip(logits, -80, 80)))).astype(np.float32)
    sure = np.nonzero(scores >= threshold)[0]
    anchors = _anchors(detector.grids)[sure]
    part = raw[sure] / np.float32(detector.side)
    centres, halves = part[:, :2] + anchors, part[:, 2:4] / 2
    points = part[:, 4 : 4 + 2 * _POINTS].reshape(-1, _POINTS, 2) + anchors[:, None, :]
    return Faces(np.concatenate([centres - halves, centres + halves], axis=1), points, scores[sure])


@lru_cache(maxsize=4)
def _anchors(grids: tuple[tuple[int, int], ...]) -> Floats:
    """The middle of each anchor's cell, as fractions of the square."""
    made = []
    for cells, each in grids:
        rows, columns = np.divmod(np.arange(cells * cells), cells)
        middles = (np.stack([columns, rows], axis=1) + 0.5) / cells
        made.append(np.repeat(middles, each, axis=0))
    return np.concatenate(made).astype(np.float32)


def best_at(found: Faces, box: Floats) -> int | None:
    """The number of the surest face at a place, if there is one."""
    same = np.nonzero(_shared(box, found.boxes) > OVERLAP)[0]
    return int(same[0]) if len(same) else None


def _shared(box: Floats, boxes: Floats) -> Floats:
    """Intersection over union of a box with each of others."""
    inside = _inside(box, boxes)
    area = (box[2:] - box[:2]).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) - inside
    return np.asarray(inside / np.maximum(area, np.float32(1e-9)), np.float32)


def _within(box: Floats, boxes: Floats) -> Floats:
    """The part of the smaller of each two that lies in the other."""
    least = np.minimum((box[2:] - box[:2]).prod(), (boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
    return np.asarray(_inside(box, boxes) / np.maximum(least, np.float32(1e-9)), np.float32)


def _inside(box: Floats, boxes: Floats) -> Floats:
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    return np.asarray(np.clip(high - low, 0, None).prod(axis=1), np.float32)


def _cuts(length: int, across: int) -> list[tuple[int, int]]:
    part = length / (1 + (across - 1) * 2 / 3)
    return [(round(at * part * 2 / 3), min(length, round(at * part * 2 / 3 + part))) for at in range(across)]
