"""Names the things in a picture, with a box around each."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from workers.errors import PoisonError
from workers.ml.objects import Box, find_objects

LABELS_VERSION = 1


@dataclass(frozen=True, slots=True)
class Label:
    """One thing: its name, how sure the model is (0 to 1), and left, top, right, bottom as fractions."""

    label: str
    score: float
    box: Box


def detect_objects(picture: Path, model: Path) -> list[Label]:
    """The things in a picture file, the surest first; meant for the large preview, in a child process.

    Raises PoisonError when the file is no picture that Pillow can read.
    """
    return [
        Label(found.label, round(found.score, 3), _rounded(found.box))
        for found in find_objects(_pixels(picture), model)
    ]


def _pixels(path: Path) -> Image.Image:
    try:
        with Image.open(path) as picture:
            return ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk's fault, not the file's
            raise
        raise PoisonError(
            "preview-unreadable",
            "The preview of this photo cannot be read, so nothing was looked for in it. "
            "The photo and its original are untouched. Press Retry to make the preview again.",
        ) from error


def _rounded(box: Box) -> Box:
    left, top, right, bottom = (round(edge, 4) for edge in box)
    return left, top, right, bottom
