"""How much of the detector's speed is left when a picture is read and analysed in a child."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tests.bench.bar import Bar
from workers import children
from workers.children import run_in_child
from workers.ml import objects
from workers.modelfiles import MODELS, OBJECTS
from workers.pipelines.labels import detect_objects
from workers.pipelines.previews import render_previews

_PICTURES = 60


def run() -> list[Bar]:
    """Pictures per second by way of a child, as a part of those in this process, and of the model's alone."""
    shared = Path(os.environ.get("FILMROLL_SHARED", Path(__file__).parents[3] / "shared"))
    found = sorted((shared / "models").rglob(MODELS[OBJECTS].file_name))
    photo = shared / "photos" / "good" / "Canon EOS D60.jpg"
    if not found or not photo.exists():
        print("no model or no photo here: skipped")
        return []
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / render_previews(photo, "jpeg", Path(folder)).large.name
        return _bars(picture, found[0])


def _bars(picture: Path, model: Path) -> list[Bar]:
    in_child = _rate(lambda: run_in_child("analysis", detect_objects, picture, model, seconds=60, memory_mib=2048))
    children.stop()
    in_process = _rate(lambda: detect_objects(picture, model))
    loaded, square = objects._model(str(model), model.stat().st_mtime_ns), objects.letterbox(_pixels(picture))
    bare = _rate(lambda: loaded(square))
    print(
        f"pictures a second: {in_child:.0f} by way of a child, {in_process:.0f} here, {bare:.0f} the model alone"
    )
    return [
        Bar("labels-child-to-process", in_child / in_process, ">=", 0.9),
        Bar("labels-child-to-model", in_child / bare, ">=", 0.05),
    ]


def _pixels(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def _rate(work: Callable[[], object]) -> float:
    """Calls per second, after a first one that loads what there is to load."""
    work()
    begun = time.perf_counter()
    for _ in range(_PICTURES):
        work()
    return _PICTURES / (time.perf_counter() - begun)
