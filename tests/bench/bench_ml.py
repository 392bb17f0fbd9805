"""The analyses: right by the labelled truth of the shared set, and what they cost more than the bare models."""

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image, ImageOps

from tests.bench import photoset
from tests.bench.bar import Bar
from workers import children
from workers.children import run_in_child
from workers.ml import faces, objects, runtime, scenes
from workers.ml.alignment import align
from workers.ml.embedding import describe
from workers.pipelines.analysis import Previews, Seen, look_at
from workers.pipelines.files import read_file
from workers.pipelines.previews import render_previews

_FILES = {
    "objects": {"detector": "yolox_nano_ti_lite_416_int8.tflite"},
    "scenes": {"classifier": "mobilenet_v2_1.0_224_quant.tflite"},
    "similar": {"describing": "mobilenet_v1_1.0_224_quant_embedding_extractor.tflite"},
    "faces": {
        "far": "face_detection_full_range.tflite",
        "near": "face_detection_short_range.tflite",
        "describing": "mobileface_v2_fp16.tflite",
    },
}
_TIMED = 24
_MEMORY_MIB = 900
_JOINED = 0.40  # the cosine from which a name is suggested

Models = dict[str, dict[str, Path]]


def run() -> list[Bar]:
    """Agreement, recall, faces, time and memory; nothing where the shared set is not."""
    shared = Path(os.environ.get("FILMROLL_SHARED", Path(__file__).parents[3] / "shared"))
    if not (shared / "models" / "golden.json").exists():
        print("no models and no photos here: skipped")
        return []
    models = _models(shared / "models")
    with tempfile.TemporaryDirectory() as folder:
        looked = _look_at_all(shared / "photos", models, Path(folder))
        return [*_golden(shared, models), *_truth(looked), *_times(models, Path(folder)), _memory(models, looked)]


def _models(folder: Path) -> Models:
    return {
        analysis: {role: next(folder.rglob(name)) for role, name in files.items()}
        for analysis, files in _FILES.items()
    }


# --- right? -------------------------------------------------------------------------------------------------


def _golden(shared: Path, models: Models) -> list[Bar]:
    """The worst of all differences to the reference: of scores, of boxes as a part of the picture."""
    scores, boxes, missed = [0.0], [0.0], 0
    for photo in json.loads((shared / "models" / "golden.json").read_text())["photos"]:
        with Image.open(shared / "photos" / photo["photo"]) as stored:
            picture = ImageOps.exif_transpose(stored).convert("RGB")
        missed += _compare_objects(photo, picture, models, scores, boxes)
        missed += _compare_faces(photo, picture, models, scores, boxes)
        chances = scenes.probabilities(runtime.load(models["scenes"]["classifier"]), scenes.squashed(picture))
        scores += [abs(float(chances[one["index"]]) - one["score"]) for one in photo["classes"]]
    return [
        Bar("ml-golden-missed", missed, "==", 0),
        Bar("ml-golden-scores", max(scores), "<=", 0.05),
        Bar("ml-golden-boxes", max(boxes), "<=", 0.03),
    ]


def _compare_objects(
    photo: dict[str, Any], picture: Image.Image, models: Models, scores: list[float], boxes: list[float]
) -> int:
    found = objects.find_objects(picture, models["objects"]["detector"])
    missed = abs(len(found) - len(photo["objects"]))
    for wanted in photo["objects"]:
        edges = np.clip(np.array(wanted["box"]) / np.tile(picture.size, 2), 0, 1)
        same = [one for one in found if one.label == wanted["label"]]
        if not same:
            missed += 1
            continue
        nearest = min(same, key=lambda one: float(np.abs(np.array(one.box) - edges).max()))
        found.remove(nearest)
        scores.append(abs(nearest.score - wanted["score"]))
        boxes.append(float(np.abs(np.array(nearest.box) - edges).max()))
    return missed


def _compare_faces(
    photo: dict[str, Any],
    picture: Image.Image,
    models: Models,
    scores: list[float],
    boxes: list[float],
) -> int:
    if not photo["faces"]:
        return 0
    far, near = (runtime.load(models["faces"][role]) for role in ("far", "near"))
    detector = faces.far(far) if photo["face_detector"] == "full_range" else faces.near(near)
    found = faces.detect(detector, picture, 0.6)
    missed = abs(len(found.scores) - len(photo["faces"]))
    for wanted in photo["faces"] if len(found.scores) else ():
        apart = np.abs(found.boxes - np.array(wanted["box"])).max(axis=1) / max(picture.size)
        boxes.append(float(apart.min()))
        scores.append(abs(float(found.scores[apart.argmin()]) - wanted["score"]))
    if len(found.scores) and (first := photo.get("face_embedding_first8")):
        numbers = describe(runtime.load(models["faces"]["describing"]), [align(picture, found.points[0])])[0][:8]
        scores.append(float(np.abs(numbers - np.array(first)).max()))
    return missed


def _look_at_all(photos: Path, models: Models, folder: Path) -> dict[str, tuple[dict[str, Any], Previews, Seen]]:
    """Every photo of the set that says what is on it: its truth, its previews, what was seen."""
    looked = {}
    for number, entry in enumerate(json.loads((photos / "MANIFEST.json").read_text())["files"]):
        truth = entry.get("truth", {})
        if not {"objects", "people", "faces"} & truth.keys() or "lfw_gray" in entry["file"]:
            continue
        place, path = folder / str(number), photos / entry["file"]
        place.mkdir()
        made = render_previews(path, read_file(path).kind.name, place)
        previews = Previews(place / made.tile.name, place / made.large.name)
        looked[entry["file"]] = (truth, previews, look_at(previews, models))
    return looked


def _truth(looked: dict[str, tuple[dict[str, Any], Previews, Seen]]) -> list[Bar]:
    named = [
        label in {one.label for one in seen.objects}
        for truth, _, seen in looked.values()
        for label in truth.get("objects", ())
    ]
    alone = [
        (truth["people"][0], seen.faces[0].vector)
        for truth, _, seen in looked.values()
        if len(truth.get("people", ())) == 1 and seen.faces
    ]
    same = [_cosine(a, b) for (one, a), (other, b) in combinations(alone, 2) if one == other]
    different = [_cosine(a, b) for (one, a), (other, b) in combinations(alone, 2) if one != other]
    print(f"pairs of one person {min(same):.2f} to {max(same):.2f}, of two at most {max(different):.2f}")
    group = next(seen for name, (_, _, seen) in looked.items() if "solvay" in name)
    return [
        Bar("ml-labels-recall", sum(named) / len(named), ">=", 0.95),
        Bar("ml-faces-same", statistics.mean(cosine >= _JOINED for cosine in same), ">=", 0.95),
        Bar("ml-faces-different", statistics.mean(cosine < _JOINED for cosine in different), ">=", 0.999),
        Bar("ml-group-of-29", len(group.faces), ">=", 24),
    ]


def _cosine(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return float(np.dot(one, other))


# --- quick? -------------------------------------------------------------------------------------------------


def _times(models: Models, folder: Path) -> list[Bar]:
    """By processor time, in this process: what others do on the machine does not count."""
    pairs = [_previews_of(path, folder / f"timed{at}") for at, path in enumerate(_cameras_photos(folder))]
    ran: list[tuple[runtime.Model, np.ndarray]] = []
    with _recording(ran):
        for previews in pairs:
            look_at(previews, models)
    bare = _seconds(lambda: [model(tensor) for model, tensor in ran])
    job = _seconds(lambda: [look_at(previews, models) for previews in pairs])
    jpegs = _cameras_photos(folder)[::2]
    decode = _seconds(lambda: [_decoded(path) for path in jpegs]) / len(jpegs)
    in_child = _wall_in_child(pairs, models)
    count = len(pairs)
    print(
        f"per photo: {1000 * job / count:.1f} ms of processor, the bare models {1000 * bare / count:.1f} "
        f"({len(ran) / count:.1f} runs), a 12-megapixel JPEG {1000 * decode:.1f}; "
        f"by way of a child {1000 * in_child:.1f} ms by the clock"
    )
    return [
        Bar("ml-job-to-models", job / bare, "<=", 1.25),
        Bar("ml-job-to-decode", job / count / decode, "<=", 1.5),
    ]


class _recording:
    """Writes down every run of a model with what it was given."""

    def __init__(self, ran: list[tuple[runtime.Model, np.ndarray]]) -> None:
        self._ran, self._call = ran, runtime._TFLite.__call__

    def __enter__(self) -> None:
        def call(model: Any, batch: np.ndarray) -> Any:
            self._ran.append((model, batch.copy()))
            return self._call(model, batch)

        runtime._TFLite.__call__ = call

    def __exit__(self, *_: object) -> None:
        runtime._TFLite.__call__ = self._call


def _cameras_photos(folder: Path) -> list[Path]:
    """Half of 12, half of 24 megapixels."""
    place = folder / "cameras"
    return sorted(place.glob("*.jpg")) if place.exists() else photoset.make(place, _TIMED)


def _previews_of(path: Path, folder: Path) -> Previews:
    folder.mkdir()
    made = render_previews(path, "jpeg", folder)
    return Previews(folder / made.tile.name, folder / made.large.name)


def _decoded(path: Path) -> None:
    with Image.open(path) as picture:
        picture.load()


def _seconds(work: Callable[[], object]) -> float:
    """Processor time; the best of three, after a first one that loads what there is to load."""
    work()
    taken = []
    for _ in range(3):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken)


def _wall_in_child(pairs: list[Previews], models: Models) -> float:
    def look(previews: Previews) -> None:
        run_in_child("analysis", look_at, previews, models, seconds=60, memory_mib=_MEMORY_MIB)

    look(pairs[0])
    begun = time.perf_counter()
    for previews in pairs:
        look(previews)
    taken = (time.perf_counter() - begun) / len(pairs)
    children.stop()
    return taken


def _memory(models: Models, looked: dict[str, tuple[dict[str, Any], Previews, Seen]]) -> Bar:
    """Of a child that has looked at every photo of the set with every model."""
    for _, previews, _ in looked.values():
        run_in_child("analysis", look_at, previews, models, seconds=60, memory_mib=2 * _MEMORY_MIB)
    pid = run_in_child("analysis", os.getpid, seconds=10, memory_mib=2 * _MEMORY_MIB)
    resident = psutil.Process(pid).memory_info().rss / (1 << 20)
    children.stop()
    return Bar("ml-child-memory", round(resident), "<=", _MEMORY_MIB, "MiB")
