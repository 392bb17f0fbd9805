"""Faces: what the reference finds is found, what is no face stays out; what a picture shows; models made."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from workers import children, modelfiles
from workers.catalog import BY_ANALYSIS
from workers.children import run_in_child
from workers.ml import alignment, faces, mxnet, scenes
from workers.ml.faces import Detector, Faces
from workers.pipelines.analysis import Previews, Seen, look_at
from workers.requirements import _made

EMPTY = np.zeros((1, 48 * 48, 16), np.float32), np.full((1, 48 * 48, 1), -20, np.float32)


class Scripted:
    """A model that sees one face in the middle of whatever it is shown."""

    def __init__(self) -> None:
        self.shown: list[np.ndarray] = []

    def __call__(self, batch: np.ndarray) -> list[np.ndarray]:
        self.shown.append(batch)
        boxes, logits = (part.copy() for part in EMPTY)
        middle = 24 * 48 + 24
        boxes[0, middle, 2:4] = 48  # a quarter of 192
        boxes[0, middle, :2] = -2  # from the cell's middle to the square's
        logits[0, middle] = 3
        return [boxes, logits]


def found(*rows: tuple[float, float, float, float, float]) -> Faces:
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Faces(table[:, :4], np.zeros((len(table), 6, 2), np.float32), table[:, 4])


def test_a_part_of_a_picture_is_fitted_on_black_and_its_face_comes_back_in_pixels_of_the_whole() -> None:
    model = Scripted()
    seen = faces.detect_in(
        Detector(model, 192, ((48, 1),)), Image.new("RGB", (400, 300)), [(100, 50, 300, 150)], 0.5
    )
    np.testing.assert_allclose(seen.boxes, [[175, 75, 225, 125]], atol=1)
    assert seen.scores[0] == pytest.approx(0.953, abs=0.001)
    whole = Image.new("RGB", (200, 100), (255, 255, 255))
    seen = faces.detect(Detector(model, 192, ((48, 1),)), whole, 0.5)
    np.testing.assert_allclose(seen.boxes, [[75, 25, 125, 75]], atol=1)
    assert model.shown[-1][0, 47].max() == -1  # black above
    assert model.shown[-1][0, 96].min() == 1  # white in the middle
    beyond = faces.detect_in(Detector(model, 192, ((48, 1),)), whole, [(-100, -150, 300, 250)], 0.5)
    np.testing.assert_allclose(beyond.boxes, [[50, 0, 150, 100]], atol=2)


def test_boxes_of_one_face_become_one_and_those_of_two_stay_two() -> None:
    one = faces.merge([found((0, 0, 10, 10, 0.6)), found((2, 0, 12, 10, 0.9), (50, 50, 60, 60, 0.5))])
    assert one.scores.tolist() == pytest.approx([0.9, 0.5])
    assert one.boxes[0].tolist() == pytest.approx([1.2, 0, 11.2, 10])
    inside = faces.merge([found((0, 0, 40, 40, 0.9), (10, 10, 25, 25, 0.8))])
    assert len(inside.scores) == 1
    assert len(faces.merge([faces.nothing()]).scores) == 0


def test_tiles_cover_the_picture_and_overlap_by_a_third() -> None:
    parts = list(faces.tiles((900, 600), 3))
    assert len(parts) == 9
    assert parts[0][:2] == (0, 0)
    assert parts[-1][2:] == (900, 600)
    assert parts[0][2] - parts[1][0] == pytest.approx((parts[0][2] - parts[0][0]) / 3, abs=2)


def test_a_face_is_turned_upright_and_made_to_fit() -> None:
    picture = Image.new("RGB", (3000, 2000), (10, 10, 10))
    places = alignment._PLACES
    angle = np.deg2rad(30)
    turn = 8 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (places @ turn.T + (900, 300)).astype(np.float32)
    for at, (x, y) in enumerate(points):
        colour = [0, 0, 0]
        colour[at % 3] = 255
        picture.paste(tuple(colour), (int(x) - 12, int(y) - 12, int(x) + 12, int(y) + 12))
    face = np.asarray(alignment.align(picture, np.concatenate([points, points[:2]])), np.int32)
    for at, (x, y) in enumerate(places):
        around = face[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2, at % 3]
        assert around.mean() > 150, at


def test_a_blur_and_a_profile_are_told_from_a_crisp_face_from_the_front() -> None:
    noise = Image.effect_noise((112, 112), 90).convert("RGB")
    assert alignment.sharpness(noise) == 1
    assert alignment.sharpness(noise.resize((6, 6)).resize((112, 112))) < 0.3
    front = np.array([(0, 0), (10, 0), (5, 5), (5, 8), (-3, 2), (13, 2)], np.float32)
    assert alignment.frontality(front) == 1
    assert alignment.frontality(front + np.array([[0, 0], [0, 0], [6, 0], [0, 0], [0, 0], [0, 0]])) == 0
    assert alignment.frontality(np.zeros((6, 2), np.float32)) == 0


def test_a_name_is_given_when_it_is_sure_and_a_kind_when_only_that_is() -> None:
    known = scenes.classes()
    assert len(known) == 1000
    assert (known[281].label, "animal" in known[281].kinds) == ("tabby", True)
    chances = np.zeros(1001, np.float32)
    chances[282] = 0.72
    assert [one.label for one in scenes.name_all(chances)] == ["tabby"]
    dogs = [at for at, one in enumerate(known, 1) if "dog" in one.kinds][:10]
    chances[:] = 0
    chances[dogs] = 0.09
    [shown] = scenes.name_all(chances)
    assert "animal" in shown.kinds
    assert shown.score == pytest.approx(0.9, abs=0.01)
    chances[:] = 1 / 1001
    assert scenes.name_all(chances) == []
    chances[:] = 0
    chances[0] = 1  # background
    assert scenes.name_all(chances) == []


def an_array(values: list[float], magic: int = 0xF993FAC9) -> bytes:
    return struct.pack("<IiIqiii", magic, 0, 1, len(values), 1, 0, 0) + struct.pack(f"<{len(values)}f", *values)


def weights_file(path: Path, *arrays: bytes, head: int = 0x112) -> Path:
    names = b"".join(struct.pack("<Q", 5) + f"arg:{at}".encode() for at in range(len(arrays)))
    path.write_bytes(
        struct.pack("<QQQ", head, 0, len(arrays)) + b"".join(arrays) + struct.pack("<Q", len(arrays)) + names
    )
    return path


def test_published_weights_are_read_and_other_files_are_refused(tmp_path: Path) -> None:
    path = weights_file(tmp_path / "w.params", an_array([1, 2, 3]), an_array([4]))
    read = mxnet.read_weights(path)
    assert {name: values.tolist() for name, values in read.items()} == {"0": [1, 2, 3], "1": [4]}
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match="ends in the middle"):
        mxnet.read_weights(path)
    with pytest.raises(ValueError, match="no list"):
        mxnet.read_weights(weights_file(path, head=1))
    with pytest.raises(ValueError, match="of a kind"):
        mxnet.read_weights(weights_file(path, an_array([1], magic=7)))


# From here on with the real models.


@pytest.fixture(scope="module")
def models(shared: Path) -> dict[str, dict[str, Path]]:
    return {
        analysis: {file.role: next((shared / "models").rglob(file.name)) for file in model.files}
        for analysis, model in BY_ANALYSIS.items()
    }


@pytest.fixture(scope="module", autouse=True)
def children_end() -> Any:
    yield
    children.stop()


def look(photo: Path, models: dict[str, dict[str, Path]], *only: str) -> Seen:
    wanted = {name: files for name, files in models.items() if not only or name in only}
    seen: Seen = run_in_child("analysis", look_at, Previews(photo, photo), wanted, seconds=300, memory_mib=900)
    return seen


@pytest.mark.slow
def test_faces_are_found_in_a_group_and_on_grey_pictures_and_not_in_dogs_and_facades(
    shared: Path, models: dict[str, dict[str, Path]], tmp_path: Path
) -> None:
    photos = shared / "photos"
    group = look(photos / "faces" / "solvay1927.jpg", models)
    assert isinstance(group.faces, list)
    assert len(group.faces) >= 24
    for name in ("good/pets.jpg", "good/prairie_falcon.jpg", "geo/FujiFilm FinePixS1Pro (5).jpg"):
        assert look(photos / name, models).faces == [], name
    with Image.open(photos / "faces" / "obama.jpg") as picture:
        for mode in ("L", "P", "RGBA"):  # row J29
            path = tmp_path / f"{mode}.png"
            picture.convert(mode).save(path)
            seen = look(path, models)
            assert isinstance(seen.faces, list)
            assert len(seen.faces) == 1, mode
            assert isinstance(seen.similar, list)
            assert len(seen.similar) == 1024


@pytest.mark.slow
def test_one_person_is_told_from_another(shared: Path, models: dict[str, dict[str, Path]]) -> None:
    def vector(name: str) -> np.ndarray:
        seen = look(shared / "photos" / "faces" / name, models, "faces")
        assert isinstance(seen.faces, list)
        return np.array(seen.faces[0].vector)

    obama, again, biden = vector("obama.jpg"), vector("obama2.jpg"), vector("biden.jpg")
    assert np.linalg.norm(obama) == pytest.approx(1, abs=1e-5)
    assert obama @ again > 0.5
    assert obama @ biden < 0.2


@pytest.mark.slow
def test_a_broken_model_is_trouble_of_its_own_analysis_alone(
    shared: Path, models: dict[str, dict[str, Path]], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"not a model at all")
    mixed = {**models, "scenes": {"classifier": broken}}
    seen = look(shared / "photos" / "good" / "cat_720p.jpg", mixed)
    assert getattr(seen.scenes, "kind", "") in ("ValueError", "RuntimeError")
    assert isinstance(seen.objects, list)
    assert "cat" in {one.label for one in seen.objects}
    assert isinstance(seen.faces, list)


@pytest.mark.slow
def test_classes_are_those_of_the_reference(shared: Path, models: dict[str, dict[str, Path]]) -> None:
    wrong = run_in_child("analysis", _differences, shared, models, seconds=300, memory_mib=2048)
    assert wrong == []


def _differences(shared: Path, models: dict[str, dict[str, Path]]) -> list[tuple[str, str, float]]:
    from workers.ml import runtime

    wrong = []
    for photo in json.loads((shared / "models" / "golden.json").read_text())["photos"]:
        with Image.open(shared / "photos" / photo["photo"]) as stored:
            square = scenes.squashed(ImageOps.exif_transpose(stored).convert("RGB"))
        chances = scenes.probabilities(runtime.load(models["scenes"]["classifier"]), square)
        wrong += [
            (photo["photo"], one["label"], one["score"])
            for one in photo["classes"]
            if abs(float(chances[one["index"]]) - one["score"]) > 0.05
        ]
    return wrong


@pytest.mark.slow
def test_the_network_for_faces_is_made_from_its_published_weights(
    shared: Path, models: dict[str, dict[str, Path]], settings: Any, data_dir: Path, tmp_path: Path
) -> None:
    settings.MODELS_DIR = tmp_path / "published"
    settings.MODELS_DIR.mkdir()
    for path in (shared / "models" / "face_embedding" / "source").iterdir():
        (settings.MODELS_DIR / path.name).write_bytes(path.read_bytes())
    name = BY_ANALYSIS["faces"].name
    seen = _made(name, modelfiles.look(name))
    assert seen.state is modelfiles.State.READY, seen.reason
    assert seen.paths["describing"].is_relative_to(data_dir)
    photo = shared / "photos" / "faces" / "biden.jpg"
    [mine] = look(photo, {"faces": seen.paths}).faces or []
    [theirs] = look(photo, models, "faces").faces or []
    assert np.dot(mine.vector, theirs.vector) > 0.999


@pytest.mark.slow
def test_a_keras_model_runs_behind_the_same_interface_and_is_let_go(tmp_path: Path) -> None:
    assert run_in_child("analysis", _through_keras, tmp_path / "sum.keras", seconds=300, memory_mib=900) == [
        6.0,
        1,
        0,
    ]


def _through_keras(path: Path) -> list[float]:
    from workers.ml import runtime

    runtime.unload()
    keras = runtime.tensorflow().keras
    picture = keras.Input((3,))
    ones = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(picture)
    keras.Model(picture, ones).save(path)
    [made] = runtime.load(path)(np.array([[1, 2, 3]], np.float32))
    held = runtime.loaded()
    runtime.unload()
    return [float(made[0, 0]), held, runtime.loaded()]
