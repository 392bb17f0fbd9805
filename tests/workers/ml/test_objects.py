"""The detector: its arithmetic on made-up arrays, and its results on real photos."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from workers import children
from workers.catalog import BY_ANALYSIS
from workers.children import run_in_child
from workers.errors import PoisonError, ResourceError
from workers.ml import coco, objects, runtime
from workers.ml.objects import Candidates
from workers.pipelines import analysis as pipeline
from workers.pipelines.analysis import Label, Previews, Trouble, look_at
from workers.pipelines.files import read_file
from workers.pipelines.previews import render_previews

CELLS = 52 * 52 + 26 * 26 + 13 * 13


def output(*things: tuple[int, int, float, float]) -> np.ndarray:
    """A model's output with things at (cell, class, objectness, class score), each in the corner of its cell."""
    raw = np.zeros((CELLS, 85), dtype=np.float32)
    for cell, kind, objectness, score in things:
        raw[cell, 4], raw[cell, 5 + kind] = objectness, score
    return raw


def candidates(*rows: tuple[float, float, float, float, int, float]) -> Candidates:
    table = np.array(rows, dtype=np.float32).reshape(-1, 6)
    return Candidates(table[:, :4], table[:, 4].astype(np.intp), table[:, 5])


def test_there_are_eighty_names_and_none_twice() -> None:
    assert len(coco.NAMES) == len(set(coco.NAMES)) == 80
    assert (coco.NAMES[0], coco.NAMES[16], coco.NAMES[79]) == ("person", "dog", "toothbrush")


def test_the_letterbox_keeps_the_shape_top_left_on_grey_with_blue_first() -> None:
    square = objects.letterbox(Image.new("RGB", (2000, 1000), (10, 20, 30)))
    assert square.shape == (1, 416, 416, 3)
    assert square.dtype == np.float32
    assert (square[0, :208] == [30, 20, 10]).all()
    assert (square[0, 208:] == 114).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 9000), (9000, 1), (417, 416), (20, 10)])
def test_the_letterbox_takes_pictures_of_any_shape(size: tuple[int, int]) -> None:
    square = objects.letterbox(Image.new("RGB", size))
    assert square.shape == (1, 416, 416, 3)
    assert (square[0, 0, 0] == 0).all()


@pytest.mark.parametrize(
    ("cell", "corner", "stride"),
    [
        (0, (0, 0), 8),
        (53, (1, 1), 8),
        (52 * 52, (0, 0), 16),
        (52 * 52 + 27, (1, 1), 16),
        (52 * 52 + 26 * 26 + 14, (1, 1), 32),
        (CELLS - 1, (12, 12), 32),
    ],
)
def test_boxes_are_decoded_from_their_cell_of_one_of_three_grids(
    cell: int, corner: tuple[int, int], stride: int
) -> None:
    raw = output((cell, 7, 0.9, 0.9))
    raw[cell, :4] = [0.5, 0.25, np.log(2), np.log(3)]
    found = objects.decode(raw)
    x, y = (corner[0] + 0.5) * stride, (corner[1] + 0.25) * stride
    expected = [x - stride, y - 1.5 * stride, x + stride, y + 1.5 * stride]
    np.testing.assert_allclose(found.boxes, [expected], rtol=1e-5)
    assert found.classes.tolist() == [7]


def test_the_score_is_objectness_times_class_and_weak_ones_are_left_out() -> None:
    found = objects.decode(output((3, 1, 0.5, 0.7), (9, 2, 0.6, 0.7), (30, 3, 1.0, 0.9), (40, 4, 1.0, 0.39)))
    assert found.classes.tolist() == [3, 2]
    np.testing.assert_allclose(found.scores, [0.9, 0.42], rtol=1e-5)


def test_nothing_found_is_an_empty_answer() -> None:
    found = objects.suppress(objects.decode(output()))
    assert found.boxes.shape == (0, 4)
    assert len(found.classes) == len(found.scores) == 0


def test_of_two_boxes_of_one_class_that_overlap_only_the_surer_stays() -> None:
    kept = objects.suppress(candidates((0, 0, 10, 10, 1, 0.9), (1, 0, 11, 10, 1, 0.8), (30, 30, 40, 40, 1, 0.7)))
    np.testing.assert_allclose(kept.scores, [0.9, 0.7])
    assert kept.boxes.tolist() == [[0, 0, 10, 10], [30, 30, 40, 40]]


def test_boxes_of_two_classes_may_overlap() -> None:
    kept = objects.suppress(candidates((0, 0, 10, 10, 1, 0.9), (0, 0, 10, 10, 2, 0.8)))
    assert kept.classes.tolist() == [1, 2]


def test_boxes_that_overlap_by_half_or_less_both_stay() -> None:
    kept = objects.suppress(candidates((0, 0, 10, 30, 1, 0.9), (0, 10, 10, 40, 1, 0.8)))
    assert len(kept.scores) == 2


def test_a_box_that_was_left_out_leaves_no_other_out() -> None:
    kept = objects.suppress(candidates((0, 0, 10, 10, 1, 0.9), (3, 0, 13, 10, 1, 0.8), (6, 0, 16, 10, 1, 0.7)))
    np.testing.assert_allclose(kept.scores, [0.9, 0.7])


def test_of_equally_sure_boxes_for_one_thing_the_mean_is_taken() -> None:
    kept = objects.suppress(candidates((0, 0, 10, 10, 1, 0.9), (2, 0, 12, 10, 1, 0.9), (1, 0, 14, 10, 1, 0.8)))
    assert kept.boxes.tolist() == [[1, 0, 11, 10]]


def test_a_flood_of_candidates_is_cut_to_the_surest() -> None:
    raw = output(*((cell, cell % 80, 1.0, 0.5 + cell / (4 * CELLS)) for cell in range(CELLS)))
    found = objects.decode(raw)
    assert len(found.scores) == 1000
    assert found.scores.min() > 0.5 + (CELLS - 1002) / (4 * CELLS)
    objects.suppress(found)


def test_boxes_come_as_fractions_and_end_at_the_edges_of_the_picture() -> None:
    [found] = objects._as_fractions(candidates((-20, 52, 208, 999, 0, 0.8)), (2000, 1000))
    assert found.label == "person"
    assert found.box == pytest.approx((0, 0.25, 0.5, 1))


def test_a_file_that_is_no_picture_is_poison_with_a_plain_reason(tmp_path: Path) -> None:
    path = tmp_path / "large.webp"
    path.write_bytes(b"RIFF, or so")
    with pytest.raises(PoisonError) as caught:
        look_at(Previews(path, path), {"objects": {"detector": tmp_path / "no.tflite"}})
    assert caught.value.code == "preview-unreadable"


def test_a_picture_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        look_at(Previews(tmp_path / "tile.webp", tmp_path / "large.webp"), {})


@pytest.mark.parametrize(
    "entry", ["workers.children", "workers.modelfiles", "workers.pipelines.analysis", "core.asgi", "core.urls"]
)
def test_tensorflow_is_not_imported_by(entry: str) -> None:
    setup = "import django; django.setup(); " if entry == "core.urls" else ""
    code = f"{setup}import sys, {entry}; sys.exit('tensorflow' in sys.modules)"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "core.settings"}
    root = Path(children.__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, check=False).returncode == 0


# From here on with the real model.


@pytest.fixture(scope="module")
def model(shared: Path) -> Path:
    found = sorted((shared / "models").rglob(BY_ANALYSIS["objects"].files[0].name))
    if not found:
        pytest.skip("the detector's model is not here")
    return found[0]


@pytest.fixture(scope="module", autouse=True)
def children_end() -> Iterator[None]:
    yield
    children.stop()


def analyse(picture: Path, model: Path) -> list[Label]:
    models = {"objects": {"detector": model}}
    seen = run_in_child("analysis", look_at, Previews(picture, picture), models, seconds=300, memory_mib=2048)
    if isinstance(seen.objects, Trouble):
        raise ValueError(seen.objects.message)
    assert seen.objects is not None
    return seen.objects


def by_the_model_alone(picture: Path, model: Path) -> list[Label]:
    """What is found before other models have a say (`test_agreement.py`): the reference is of this one."""
    pixels = pipeline._pixels(picture)
    found: list[objects.Found] = run_in_child(
        "analysis", objects.find_objects, pixels, model, seconds=300, memory_mib=2048
    )
    return [Label(one.label, one.score, one.box) for one in found]


def golden(shared: Path) -> list[tuple[Path, list[Label]]]:
    """Photos with what the reference pipeline found in them."""
    photos = json.loads((shared / "models" / "golden.json").read_text())["photos"]
    return [
        (shared / "photos" / photo["photo"], [_expected(thing, photo) for thing in photo["objects"]])
        for photo in photos
    ]


def _expected(thing: dict[str, Any], photo: dict[str, Any]) -> Label:
    edges = np.array(thing["box"]) / np.tile(photo["size_after_orientation"], 2)
    left, top, right, bottom = np.clip(edges, 0, 1).tolist()
    return Label(thing["label"], thing["score"], (left, top, right, bottom))


def distance(one: Label, other: Label) -> float:
    return float(np.abs(np.subtract(one.box, other.box)).max())


def match(expected: list[Label], found: list[Label]) -> list[tuple[Label, Label | None]]:
    """Each expected thing with the nearest found one of its name, none used twice."""
    left, pairs = list(found), []
    for wanted in expected:
        nearest = min(
            (one for one in left if one.label == wanted.label), key=lambda one: distance(one, wanted), default=None
        )
        if nearest:
            left.remove(nearest)
        pairs.append((wanted, nearest))
    return pairs


@pytest.mark.slow
def test_real_photos_give_what_the_reference_gives(shared: Path, model: Path) -> None:
    wrong: list[object] = []
    for photo, expected in golden(shared):
        found = by_the_model_alone(photo, model)
        if len(found) != len(expected):
            wrong.append((photo.name, expected, found))
        for wanted, got in match(expected, found):
            if got is None or abs(got.score - wanted.score) > 0.05 or distance(got, wanted) > 0.03:
                wrong.append((photo.name, wanted, got))
    assert wrong == []


@pytest.mark.slow
def test_the_large_preview_gives_nearly_the_same_things_as_the_original(
    shared: Path, model: Path, tmp_path: Path
) -> None:
    """Lossy compression moves an eight-bit model's scores by up to 0.2; of what was clear nearly all stays."""
    pairs = [
        pair
        for photo, expected in golden(shared)
        for pair in match(expected, by_the_model_alone(large_preview(photo, tmp_path), model))
    ]
    clear = [(wanted, got) for wanted, got in pairs if wanted.score >= 0.5]
    moved = [(wanted, got) for wanted, got in clear if got is None or overlap(got, wanted) < 0.5]
    assert len(clear) > 70
    assert len(moved) <= 0.03 * len(clear), moved
    assert sum(got is not None for _, got in pairs) >= 0.9 * len(pairs)


def large_preview(photo: Path, folder: Path) -> Path:
    made = render_previews(photo, read_file(photo).kind.name, folder)
    return folder / made.large.name


def overlap(one: Label, other: Label) -> float:
    return float(objects._overlaps(np.array([one.box, other.box], dtype=np.float32))[0, 1])


@pytest.mark.slow
def test_grey_palette_and_transparent_pictures_are_analysed_too(shared: Path, model: Path, tmp_path: Path) -> None:
    with Image.open(shared / "photos" / "good" / "cat_720p.jpg") as cat:
        for mode in ("L", "P", "RGBA", "CMYK"):
            path = tmp_path / f"{mode}.{'tiff' if mode == 'CMYK' else 'png'}"
            cat.convert(mode).save(path)
            assert "cat" in {label.label for label in analyse(path, model)}, mode


@pytest.mark.slow
def test_the_child_keeps_the_model_and_a_killed_one_is_replaced(shared: Path, model: Path) -> None:
    photo = shared / "photos" / "good" / "owl.jpg"
    before = analyse(photo, model)
    assert [label.label for label in before] == ["bird"]
    assert run_in_child("analysis", models_loaded, seconds=60, memory_mib=2048) == 1
    os.kill(run_in_child("analysis", os.getpid, seconds=60, memory_mib=2048), signal.SIGKILL)
    assert analyse(photo, model) == before


def models_loaded() -> int:
    return runtime.loaded()


@pytest.mark.slow
def test_a_damaged_model_that_makes_tensorflow_crash_costs_this_one_try(shared: Path, tmp_path: Path) -> None:
    """TensorFlow does not check a file before it believes it: that is why only hashed files are given to it."""
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"TFL3" * 1000)
    with pytest.raises((ResourceError, ValueError)):
        analyse(shared / "photos" / "good" / "owl.jpg", broken)
    assert "tensorflow" not in sys.modules
