"""Says what a picture shows as a whole, in the 1,000 classes of ImageNet and their kinds."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.ml.runtime import Model

# Looked at one by one (docs/analysis.md): above, most names are right; below come odd ones for rooms and people.
THRESHOLD = 0.7
# Where no single name is sure, a kind may be: of ten breeds of dog each has a tenth. Only kinds that people
# speak of.
KIND_THRESHOLD = 0.85
SPOKEN_OF = frozenset(
    ("animal", "vehicle", "food", "musical instrument", "furniture", "building", "landscape", "plant", "flower")
)
_SIDE = 224
_CLASSES = Path(__file__).with_name("imagenet.txt")


class Shown(NamedTuple):
    """What a picture shows: its name, how sure the model is (0 to 1), other names and kinds, the nearest first."""

    label: str
    score: float
    kinds: tuple[str, ...]


class Class(NamedTuple):
    """One thing that the model knows."""

    label: str
    kinds: tuple[str, ...]


def recognise(model: Model, square: NDArray[np.uint8]) -> list[Shown]:
    """What a `squashed` picture shows, the surest first; mostly one thing or nothing."""
    return name_all(probabilities(model, square))


def name_all(chances: NDArray[np.float32]) -> list[Shown]:
    """The names that are sure enough, else the nearest kind of the likeliest that is."""
    known = classes()
    # The model's first class is "background".
    likely = np.flatnonzero(chances >= THRESHOLD)
    if sure := [int(at) for at in likely[np.argsort(-chances[likely], kind="stable")] if at]:
        return [Shown(known[at - 1].label, float(chances[at]), known[at - 1].kinds) for at in sure]
    likeliest = known[int(np.argmax(chances[1:]))]
    if not SPOKEN_OF.intersection(likeliest.kinds):
        return []
    for at, kind in enumerate(likeliest.kinds):
        chance = float(chances[_members(kind)].sum())
        if chance >= KIND_THRESHOLD:
            return [Shown(kind, chance, likeliest.kinds[at + 1 :])]
    return []


def probabilities(model: Model, square: NDArray[np.uint8]) -> NDArray[np.float32]:
    """One for each of the model's 1,001 classes."""
    made = model(square)[0][0]
    return np.asarray(made / np.float32(256), np.float32)


def squashed(picture: Image.Image) -> NDArray[np.uint8]:
    """The whole RGB picture as the model's square, (1, 224, 224, 3)."""
    small = picture.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    return np.asarray(small, np.uint8)[None]


@lru_cache(maxsize=1)
def classes() -> tuple[Class, ...]:
    """The model's classes in order, without its first, "background"."""
    lines = [line for line in _CLASSES.read_text().splitlines() if not line.startswith("#")]
    pairs = [line.partition(":") for line in lines]
    return tuple(Class(label, tuple(filter(None, kinds.strip().split(", ")))) for label, _, kinds in pairs)


@lru_cache(maxsize=1)
def class_names() -> frozenset[str]:
    """The names of single classes, as opposed to kinds."""
    return frozenset(one.label for one in classes())


@lru_cache(maxsize=256)
def _members(kind: str) -> list[int]:
    """The numbers of the model's classes that are of a kind."""
    return [at for at, one in enumerate(classes(), 1) if kind in one.kinds]
