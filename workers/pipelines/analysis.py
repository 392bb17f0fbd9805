"""Looks at a photo's previews with every model that is wanted: things, what it shows, faces, likeness, meaning."""

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, ImageStat

from workers.errors import PoisonError
from workers.ml import agreement, faces, meaning, objects, people, runtime, scenes, similar

LABELS_VERSION = 1
PERSON = "person"
# Of a smaller or plainer picture no word is true: a purple square of 16 pixels was a theatre's curtain, at 0.99.
_SMALLEST, _PLAIN = 48, 3.0
# Role → file, of one analysis.
Files = Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Previews:
    """What is looked at: the tile is enough for the whole picture, the large preview is for faces."""

    tile: Path
    large: Path


@dataclass(frozen=True, slots=True)
class Label:
    """One thing: its name, how sure the model is (0 to 1), and left, top, right, bottom as fractions."""

    label: str
    score: float
    box: objects.Box


@dataclass(frozen=True, slots=True)
class Scene:
    """What the whole picture shows, how sure the model is (0 to 1), other names and kinds."""

    label: str
    score: float
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Face:
    """A face: places as fractions of the picture, how sure (0 to 1), how good a picture it is, its 256 numbers."""

    box: tuple[float, float, float, float]
    points: tuple[tuple[float, float], ...]
    score: float
    sharp: float
    pose: float
    vector: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """An analysis that broke down, and how; the others went on."""

    kind: str
    message: str
    traceback: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What each analysis gave; None for one that nobody asked for."""

    objects: list[Label] | Trouble | None = None
    scenes: list[Scene] | Trouble | None = None
    faces: list[Face] | Trouble | None = None
    similar: list[float] | Trouble | None = None
    meaning: list[float] | Trouble | None = None


def look_at(previews: Previews, models: Mapping[str, Files], persons: int | None = None) -> Seen:
    """Every analysis that has its files in `models`; meant for a child process.

    `persons`: how many people were seen among the objects before, where these are not looked for now: a group is
    looked through more closely than a landscape.

    Raises PoisonError when the previews are no pictures that Pillow can read.
    """
    small = _pixels(previews.tile)
    large = cache(lambda: _pixels(previews.large))
    tiny = cache(lambda: people.made_tiny(small))
    square = cache(lambda: scenes.squashed(tiny()))
    shows = _shows_something(small)
    labels = _attempt(models, "objects", lambda files: _labels(small, files) if shows else [])
    persons = sum(one.label == PERSON for one in labels) if isinstance(labels, list) else persons
    shown = _attempt(models, "scenes", lambda files: _scenes(square(), files) if shows else [])
    if isinstance(labels, list):
        labels, shown = _settled(labels, shown)
    return Seen(
        objects=labels,
        scenes=shown,
        faces=_attempt(models, "faces", lambda files: _faces(tiny(), small, large, files, persons)),
        similar=_attempt(models, "similar", lambda files: _similar(square(), files)),
        meaning=_attempt(models, "meaning", lambda files: _meaning(small, large, files)),
    )


def _attempt(models: Mapping[str, Files], analysis: str, work: Callable[[Files], Any]) -> Any:
    """One analysis: where it breaks down, the others go on."""
    if analysis not in models:
        return None
    try:
        return work(models[analysis])
    except (PoisonError, OSError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001  # the outermost edge of one analysis: TensorFlow raises what it likes
        return Trouble(type(error).__name__, str(error), traceback.format_exc())


def _shows_something(picture: Image.Image) -> bool:
    """Whether there is enough in a picture for its things to be named."""
    if min(picture.size) < _SMALLEST:
        return False
    sampled = picture.resize((64, 64), Image.Resampling.NEAREST)
    return max(ImageStat.Stat(sampled).stddev) >= _PLAIN


def _labels(picture: Image.Image, files: Files) -> list[Label]:
    found = objects.find_objects(picture, files["detector"])
    return [Label(one.label, round(one.score, 3), _rounded(one.box)) for one in found]


def _scenes(square: NDArray[np.uint8], files: Files) -> list[Scene]:
    shown = scenes.recognise(runtime.load(files["classifier"]), square)
    return [Scene(one.label, round(one.score, 3), one.kinds) for one in shown]


def _settled(labels: list[Label], shown: Any) -> tuple[list[Label], Any]:
    """Things and names once each model has heard the other, where the other was asked and answered."""
    heard = shown if isinstance(shown, list) else []
    things, names = agreement.settled(
        [objects.Found(one.label, one.score, one.box) for one in labels],
        [scenes.Shown(one.label, one.score, one.kinds) for one in heard],
    )
    settled = [Scene(one.label, one.score, one.kinds) for one in names]
    return [Label(one.label, one.score, one.box) for one in things], settled if heard else shown


def _similar(square: NDArray[np.uint8], files: Files) -> list[float]:
    numbers: list[float] = similar.describe_picture(runtime.load(files["describing"]), square).tolist()
    return numbers


def _meaning(small: Image.Image, large: Callable[[], Image.Image], files: Files) -> list[float]:
    model = meaning.load(files["preset"])
    # Some presets see more than the tile holds.
    picture = small if min(small.size) >= model.side else large()
    numbers: list[float] = model.describe_picture(picture).tolist()
    return numbers


def _faces(
    tiny: Image.Image,
    small: Image.Image,
    large: Callable[[], Image.Image],
    files: Files,
    persons: int | None,
) -> list[Face]:
    models = people.Detectors(
        faces.far(runtime.load(files["far"])),
        faces.near(runtime.load(files["near"])),
        runtime.load(files["describing"]),
    )
    return [
        Face(
            _rounded(one.box),
            tuple((round(x, 4), round(y, 4)) for x, y in one.points),
            round(one.score, 3),
            round(one.sharp, 3),
            round(one.pose, 3),
            tuple(one.vector.tolist()),
        )
        for one in people.find_people(models, tiny, small, large, persons)
    ]


def _pixels(path: Path) -> Image.Image:
    """An upright RGB picture. Pillow reads WebP as a film of one frame, which takes half as long again."""
    try:
        if path.suffix == ".webp":
            picture = Image.fromarray(imagecodecs.webp_decode(path.read_bytes()))
            return picture if picture.mode == "RGB" else picture.convert("RGB")
        with Image.open(path) as stored:
            ImageOps.exif_transpose(stored, in_place=True)
            stored.load()
            return stored if stored.mode == "RGB" else stored.convert("RGB")
    except (OSError, SyntaxError, ValueError, imagecodecs.WebpError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk's fault, not the file's
            raise
        raise PoisonError(
            "preview-unreadable",
            "The preview of this photo cannot be read, so nothing was looked for in it. "
            "The photo and its original are untouched, but no better preview comes of it.",
        ) from error


def _rounded(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = (round(edge, 4) for edge in box)
    return left, top, right, bottom
