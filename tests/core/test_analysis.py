"""Results of analyses are recorded once, with their vectors, and found again by words."""

import math
import struct
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from core import vectors
from core.commands import analysis as commands
from core.commands import photos as photo_commands
from core.commands.libraries import add_library, switch_analyses
from core.domain import photos
from core.domain.analysis import Analysis, FacesFound, PhotoAnalysed, Scene, ScenesFound, VectorMade
from core.domain.codec import decode
from core.domain.photos import Label, LabelsFound
from core.domain.streams import photo_stream
from core.readmodels.analysis import analysis_of, photos_with_label, photos_with_scene, scenes_of
from core.readmodels.libraries import Library
from core.readmodels.photos import Photo
from events.store import read_stream
from tests.core.test_analysis_rules import face

pytestmark = pytest.mark.django_db

CAT = Scene("Egyptian cat", 0.8, ("cat", "feline", "animal"))


@pytest.fixture
def library(tmp_path: object) -> UUID:
    return add_library(tmp_path, actor="test")  # type: ignore[arg-type]


@pytest.fixture
def photo(library: UUID) -> Photo:
    file = photos.OriginalFile(uuid4(), f"{uuid4()}.jpg", 1, 1)
    found = photos.PhotoImported(library, file, uuid4().hex * 2, "jpeg", "image", "image/jpeg")
    identity = photo_commands.import_photo(found, photos.MetadataRead(1, {}), actor="test")
    made = photos.Rendition(4, 3, 99)
    rendered = photos.PreviewsRendered(1, "r1", 40, 30, made, made, "aGk=", "decoded")
    photo_commands.record_previews(identity, rendered, actor="test")
    return Photo.objects.get(id=identity)


def edit(photo: Photo) -> Photo:
    """The photo after its file was edited."""
    known = read_stream(photo_stream(photo.id))[0].data["file"]
    file = photos.OriginalFile(UUID(known["id"]), known["path"], 2, 2)
    found = photos.PhotoImported(photo.library_id, file, uuid4().hex * 2, "jpeg", "image", "image/jpeg")
    photo_commands.replace_content(photo.id, found, photos.MetadataRead(1, {}), actor="test")
    return Photo.objects.get(id=photo.id)


def unit(*numbers: float) -> list[float]:
    """A vector of unit length that begins with these numbers."""
    length = math.sqrt(sum(number * number for number in numbers))
    return [number / length for number in numbers] + [0.0] * (vectors.FACE_NUMBERS - len(numbers))


def record(photo: Photo, found: ScenesFound | FacesFound | VectorMade, /, **numbers: Any) -> None:
    given = commands.Numbers(**numbers)
    commands.record_seen(photo.id, [found], given, content=found.content, actor="test")


def faces_of(photo: Photo) -> list[UUID]:
    """The ids of the faces as they were found last."""
    found = [event for event in read_stream(photo_stream(photo.id)) if event.type == "photo.faces_found"]
    fact = decode(found[-1])
    assert isinstance(fact, FacesFound)
    return [one.id for one in fact.faces]


def types(photo: Photo) -> list[str]:
    return [event.type.removeprefix("photo.") for event in read_stream(photo_stream(photo.id))][3:]


def test_one_look_is_recorded_together_once_and_the_photo_is_complete(photo: Photo) -> None:
    seen = [
        ScenesFound(photo.sha256, "mobilenet", "2", (CAT,)),
        FacesFound(photo.sha256, "blazeface", "1", (face(0.1, 0.1),)),
        VectorMade(photo.sha256, "embedding", "1"),
        LabelsFound(1, "yolox", "1", (Label("dog", 0.9, (0.0, 0.0, 1.0, 1.0)),)),
    ]
    numbers = commands.Numbers([unit(1)], [0.5] * vectors.PHOTO_NUMBERS)
    for _ in range(2):
        commands.record_seen(photo.id, seen, numbers, content=photo.sha256, actor="test")
    assert types(photo) == ["scenes_found", "faces_found", "vector_made", "labels_found", "processed"]
    known = analysis_of(photo.id)
    assert known.made == {
        "objects": "yolox 1",
        "scenes": "mobilenet 2",
        "faces": "blazeface 1",
        "similar": "embedding 1",
    }
    assert [scene.label for scene in scenes_of(known)] == ["Egyptian cat"]
    assert known.faces == 1
    assert list(photos_with_scene(["Animal"])) == list(photos_with_label(["animal", "dog"])) == [photo.id]
    assert list(photos_with_scene(["dog"])) == list(photos_with_label(["cat"])) == []


def test_what_was_seen_in_former_content_comes_too_late_and_is_forgotten(photo: Photo) -> None:
    record(photo, ScenesFound(photo.sha256, "m", "1", (CAT,)))
    now = edit(photo)
    assert analysis_of(photo.id).made == {}
    record(photo, ScenesFound(photo.sha256, "m", "2", (CAT,)))
    assert list(photos_with_scene(["cat"])) == []
    record(photo, ScenesFound(now.sha256, "m", "1", (CAT,)))
    assert list(photos_with_scene(["cat"])) == [photo.id]


def test_vectors_lie_beside_the_log_as_they_were_given(photo: Photo) -> None:
    numbers = [0.0235 * (at % 256) for at in range(vectors.PHOTO_NUMBERS)]
    record(photo, VectorMade(photo.sha256, "embedding", "1"), photo=numbers)
    kept = vectors.photo_vector(photo.id, "embedding 1")
    assert kept is not None
    assert struct.unpack(f">{len(numbers)}e", kept) == pytest.approx(numbers, abs=0.003)
    assert vectors.photo_vector(photo.id, "embedding 2") is None


def test_j16_a_face_keeps_its_id_through_a_new_model_and_a_turned_file(photo: Photo) -> None:
    first = FacesFound(photo.sha256, "blazeface", "1", (face(0.1, 0.1), face(0.6, 0.5)))
    record(photo, first, faces=[unit(1, 0.1), unit(0, 1)])
    anna, bert = faces_of(photo)
    newer = FacesFound(photo.sha256, "blazeface", "2", (face(0.6, 0.52), face(0.11, 0.1)))
    record(photo, newer, faces=[unit(0, 1), unit(1)])
    assert faces_of(photo) == [bert, anna]
    assert {key: model for key, (model, _) in vectors.face_vectors([anna, bert]).items()} == {
        anna: "blazeface 2",
        bert: "blazeface 2",
    }
    assert vectors.likeness_of(vectors.face_vectors([anna])[anna][1], unit(1)) == pytest.approx(1)
    # The file is turned to the right: what was at the left is at the top.
    now = edit(photo)
    turned = FacesFound(now.sha256, "blazeface", "2", (face(0.7, 0.1), face(0.3, 0.6)))
    record(photo, turned, faces=[unit(1), unit(0, 1)])
    assert faces_of(photo) == [anna, bert]


def test_another_person_at_the_same_place_in_new_content_is_not_taken_for_the_former_one(photo: Photo) -> None:
    first = FacesFound(photo.sha256, "blazeface", "1", (face(0.1, 0.1),))
    record(photo, first, faces=[unit(1)])
    [anna] = faces_of(photo)
    now = edit(photo)
    stranger = FacesFound(now.sha256, "blazeface", "1", (face(0.1, 0.1),))
    record(photo, stranger, faces=[unit(0.1, 1)])
    assert faces_of(photo) != [anna]


def test_without_pgvector_faces_are_recorded_all_the_same(photo: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "has_vectors", lambda: False)
    found = FacesFound(photo.sha256, "blazeface", "1", (face(0.1, 0.1),))
    record(photo, found, faces=[unit(1)])
    record(photo, VectorMade(photo.sha256, "e", "1"), photo=[0.0] * 1024)
    assert len(faces_of(photo)) == 1
    assert vectors.face_vectors(faces_of(photo)) == {}
    assert vectors.photo_vector(photo.id, "e 1") is None


def test_the_tables_of_vectors_are_made_where_pgvector_comes_later() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE core_face_vector, core_photo_vector")
        vectors._seen.clear()
        assert not vectors.has_vectors()
        assert vectors.make_tables()
        assert vectors.has_vectors()


def test_j9_a_photo_whose_analyses_are_all_switched_off_is_complete(photo: Photo) -> None:
    off = (Analysis.OBJECTS, Analysis.SCENES, Analysis.FACES, Analysis.SIMILAR)
    looked = PhotoAnalysed(photo.sha256, (), off)
    for _ in range(2):
        commands.record_seen(photo.id, [looked], content=photo.sha256, actor="test")
    assert types(photo) == ["analysed", "processed"]


def test_a_library_does_without_what_is_switched_off(library: UUID) -> None:
    for _ in range(2):
        switch_analyses(library, [Analysis.DATES, Analysis.FACES], actor="test")
    assert Library.objects.get(id=library).analyses_off == ["faces", "dates"]
    events = [event for event in read_stream(f"library-{library}") if event.type == "library.analyses_switched"]
    assert len(events) == 1
    switch_analyses(library, [], actor="test")
    assert Library.objects.get(id=library).analyses_off == []
