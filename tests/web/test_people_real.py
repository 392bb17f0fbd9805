"""Real faces in colour, from the file to the group: those of one person together, those of two apart."""

import json
from itertools import combinations
from pathlib import Path
from uuid import UUID

import pytest

from core.commands.analysis import Numbers, record_seen
from core.domain.analysis import FacesFound
from core.domain.faces import NAMELESS, Face
from core.readmodels.photos import Photo
from tests.web.conftest import Shelf
from tests.web.peopling import person_of
from workers import children
from workers.children import run_in_child
from workers.grouping import group_photo
from workers.pipelines.analysis import Previews, look_at
from workers.pipelines.files import read_file
from workers.pipelines.previews import render_previews
from workers.regrouping import regroup_all

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
_FILES = {
    "far": "face_detection_full_range.tflite",
    "near": "face_detection_short_range.tflite",
    "describing": "mobileface_v2_fp16.tflite",
}


def found_in(path: Path, models: dict[str, Path], folder: Path) -> tuple[list[Face], list[list[float]]]:
    """The faces of a picture as the analysis finds them, and their numbers."""
    folder.mkdir()
    made = render_previews(path, read_file(path).kind.name, folder)
    previews = Previews(folder / made.tile.name, folder / made.large.name)
    seen = run_in_child("analysis", look_at, previews, {"faces": models}, seconds=300, memory_mib=2048).faces
    assert isinstance(seen, list)
    faces = [
        Face(NAMELESS, one.box, one.points, one.score, made.width * (one.box[2] - one.box[0]), one.sharp, one.pose)
        for one in seen
    ]
    return faces, [list(one.vector) for one in seen]


def record(shelf: Shelf, name: str, faces: list[Face], vectors: list[list[float]]) -> list[UUID]:
    photo = shelf.photo(name)
    content = Photo.objects.values_list("sha256", flat=True).get(id=photo)
    found = FacesFound(content, "mobileface", "2", tuple(faces))
    record_seen(photo, [found], Numbers(faces=vectors), content=content, actor="worker:analysis")
    group_photo(photo)
    from core.readmodels.faces import Face as Row

    return [face.id for face in sorted(Row.objects.filter(photo_id=photo), key=lambda face: face.box[0])]


def right(people: list[tuple[str, UUID]]) -> tuple[float, float]:
    """Of the pairs of one person those together, of the others those apart."""
    same, apart = [], []
    for (one, face), (other, another) in combinations(people, 2):
        together = person_of(face) is not None and person_of(face) == person_of(another)
        (same if one == other else apart).append(together if one == other else not together)
    return sum(same) / len(same), sum(apart) / len(apart)


def test_real_faces_of_one_person_are_together_and_those_of_others_apart(
    shelf: Shelf, shared: Path, tmp_path: Path
) -> None:
    models = {role: next((shared / "models").rglob(name)) for role, name in _FILES.items()}
    people: list[tuple[str, UUID]] = []
    for number, entry in enumerate(json.loads((shared / "photos" / "MANIFEST.json").read_text())["files"]):
        names = entry.get("truth", {}).get("people", [])
        if "lfw_gray" in entry["file"] or not entry["file"].startswith("faces/") or not names:
            continue
        faces, vectors = found_in(shared / "photos" / entry["file"], models, tmp_path / f"previews{number}")
        ids = record(shelf, Path(entry["file"]).name, faces, vectors)
        if len(names) == 1 and len(ids) == 1:
            people.append((names[0], ids[0]))
    children.stop()
    assert len(people) >= 13
    for how in ("as they come", "anew"):
        together, apart = right(people)
        print(f"{how}: {together:.3f} together, {apart:.4f} apart")
        assert together >= 0.95 and apart >= 0.999, how
        regroup_all(shelf.owner.pk)
