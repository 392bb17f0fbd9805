"""Finds the people in a photo by their faces: each looked at again, described by numbers, judged as a picture."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.ml import faces
from workers.ml.alignment import align, frontality, sharpness
from workers.ml.embedding import describe
from workers.ml.faces import Detector, Faces
from workers.ml.runtime import Model

Floats = NDArray[np.float32]

CANDIDATE = 0.5
# So weak a trace in the whole picture is no face, but reason enough to look closer.
TRACE = 0.3
# The mean of three looks that a face has to reach, and what the two closer ones must say at least. Looked at one
# by one (docs/analysis.md): facades, dogs, hands and the moon stay below, all but profiles and helmets above.
SURE = 0.575
CLOSE_LEAST, CLOSER_LEAST = 0.4, 0.3
# The closer looks see a candidate in its surroundings: so many times as wide.
_AROUND_NEAR, _AROUND_FAR = 2.0, 3.0
# Below, in pixels of the large preview, nobody can be known again.
SMALLEST = 16
# A face that is so many pixels wide is as good as a larger one for all that looks at it: the network that
# describes it sees it some 75 pixels wide.
_FINE = 80
_TINY = 200
_MOST_CANDIDATES, _MOST_FACES = 200, 100


class Detectors(NamedTuple):
    """The three models that it takes."""

    far: Detector
    near: Detector
    describing: Model


class Person(NamedTuple):
    """One face: box and six points as fractions of the picture, how sure, the picture's quality, 256 numbers."""

    box: tuple[float, float, float, float]
    points: tuple[tuple[float, float], ...]
    score: float
    sharp: float
    pose: float
    vector: Floats


def find_people(
    models: Detectors,
    tiny: Image.Image,
    small: Image.Image,
    large: Callable[[], Image.Image],
    persons: int | None,
) -> list[Person]:
    """The faces in a picture, the surest first.

    `tiny` is the picture in a size that will do for the whole (see `made_tiny`), `small` for large faces; `large`
    gives it in the size for small ones: it is called only when there may be any. `persons`: how many
    people the object model saw; None when nobody asked it.
    """
    traces = faces.detect(models.far, tiny, TRACE)
    # Who asked the object model knows better than a trace; who did not has nothing else.
    hints = len(traces.scores) if persons is None else persons
    whole = faces.merge([_above(traces, CANDIDATE), faces.detect(models.near, tiny, CANDIDATE)])
    if not len(whole.scores):
        # A face that fills its picture is not seen without something around it.
        whole = faces.detect_in(models.near, tiny, [_with_margin(tiny.size)], CANDIDATE)
    whole = _scaled(whole, small.width / tiny.width)
    if not hints and not _likely(models.far, small, whole):
        return []
    picture = _fine_enough(small, large, whole)
    found = _looked_at_again(models, picture, _scaled(whole, picture.width / small.width))
    if len(found.scores) < hints and min(small.size) >= 4 * SMALLEST:
        # The model sees a part at 192 pixels, and the small preview has more: the large one would show no others.
        tiles = [*faces.tiles(small.size, 2), *faces.tiles(small.size, 3)]
        more = faces.detect_in(models.far, small, tiles, CANDIDATE)
        finer = picture if picture is not small else _fine_enough(small, large, more)
        others = _looked_at_again(models, finer, _scaled(more, finer.width / small.width))
        found, picture = faces.merge([_scaled(found, finer.width / picture.width), others]), finer
    return _persons(models.describing, picture, _first(found, _MOST_FACES))


def made_tiny(small: Image.Image) -> Image.Image:
    """The models look at 128, 192 and 224 pixels a side: what is finer is not worth making smaller twice."""
    return small.reduce(max(1, min(small.size) // _TINY))


def _likely(far: Detector, picture: Image.Image, candidates: Faces) -> bool:
    """Whether any candidate is one from nearby: before a large picture is read for its sake."""
    return any(_best(far, picture, box, _AROUND_FAR) is not None for box in candidates.boxes)


def _fine_enough(small: Image.Image, large: Callable[[], Image.Image], candidates: Faces) -> Image.Image:
    """The picture in a size in which the smallest candidate has all that is looked at."""
    sides = (candidates.boxes[:, 2:] - candidates.boxes[:, :2]).max(axis=1)
    return large() if (sides < _FINE).any() else small


def _with_margin(size: tuple[int, int]) -> faces.Region:
    margin = max(size) // 2
    return -margin, -margin, size[0] + margin, size[1] + margin


def _looked_at_again(models: Detectors, picture: Image.Image, candidates: Faces) -> Faces:
    """Of these candidates the faces, with the points as the closer look sees them."""
    kept = [
        _close_look(models, picture, candidates, at) for at in range(min(len(candidates.scores), _MOST_CANDIDATES))
    ]
    return faces.merge([one for one in kept if one is not None] or [faces.nothing()])


def _close_look(models: Detectors, picture: Image.Image, candidates: Faces, at: int) -> Faces | None:
    box = candidates.boxes[at]
    if (box[2:] - box[:2]).max() < SMALLEST:
        return None
    close = _best(models.near, picture, box, _AROUND_NEAR)
    if close is None or close.scores[0] < CLOSE_LEAST:
        return None
    closer = _best(models.far, picture, box, _AROUND_FAR)
    if closer is None or closer.scores[0] < CLOSER_LEAST:
        return None
    mean = (candidates.scores[at] + close.scores[0] + closer.scores[0]) / 3
    return Faces(closer.boxes, closer.points, np.array([mean], np.float32)) if mean >= SURE else None


def _best(detector: Detector, picture: Image.Image, box: Floats, around: float) -> Faces | None:
    """The face that a model sees at a place when it looks at the surroundings alone."""
    middle, half = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max()) * around / 2
    low, high = np.floor(middle - half).astype(int), np.ceil(middle + half).astype(int)
    found = faces.detect_in(detector, picture, [(*low.tolist(), *high.tolist())], CLOSER_LEAST)
    at = faces.best_at(found, box)
    return (
        None
        if at is None
        else Faces(found.boxes[at : at + 1], found.points[at : at + 1], found.scores[at : at + 1])
    )


def _persons(model: Model, picture: Image.Image, found: Faces) -> list[Person]:
    cut_out = [align(picture, points) for points in found.points]
    size = np.array(picture.size, np.float32)
    return [
        Person(
            box=_box(box / np.tile(size, 2)),
            points=tuple((float(x), float(y)) for x, y in points / size),
            score=float(score),
            sharp=sharpness(face),
            pose=frontality(points),
            vector=vector,
        )
        for box, points, score, face, vector in zip(
            found.boxes, found.points, found.scores, cut_out, describe(model, cut_out), strict=True
        )
    ]


def _box(edges: Floats) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(edge) for edge in np.clip(edges, 0, 1))
    return left, top, right, bottom


def _above(found: Faces, threshold: float) -> Faces:
    sure = found.scores >= threshold
    return Faces(found.boxes[sure], found.points[sure], found.scores[sure])


def _first(found: Faces, count: int) -> Faces:
    return Faces(found.boxes[:count], found.points[:count], found.scores[:count])


def _scaled(found: Faces, by: float) -> Faces:
    return Faces(found.boxes * np.float32(by), found.points * np.float32(by), found.scores)
