"""The analysis job: what is wanted and possible is done, the rest waits or is left out, each by itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from core import vectors
from core.commands import libraries as library_commands
from core.commands import photos as photo_commands
from core.domain import photos
from core.domain.analysis import BY_MODEL, Analysis
from core.domain.streams import photo_stream
from core.readmodels.analysis import PhotoAnalysis, analysis_of
from core.readmodels.failures import failures_of_photo
from core.readmodels.photos import Photo
from core.storage import preview_path
from events.store import read_stream
from workers import analyses, analysing, modelfiles, reactions, reanalysing, tasks
from workers.catalog import BY_ANALYSIS
from workers.errors import ResourceError, TransientError
from workers.pipelines.analysis import Face, Label, Scene, Seen, Trouble

pytestmark = pytest.mark.django_db

POINTS = tuple((0.3 + at / 100, 0.3) for at in range(6))
WHOLE = Seen(
    objects=[Label("cat", 0.9, (0.0, 0.0, 0.5, 0.5))],
    scenes=[Scene("Egyptian cat", 0.8, ("cat", "animal"))],
    faces=[Face((0.2, 0.2, 0.4, 0.4), POINTS, 0.9, 0.5, 1.0, (1.0,) + (0.0,) * 255)],
    similar=[0.5] * 1024,
    meaning=[0.6, 0.8],
)


class Child:
    """Stands for the child process: says what it was asked for, and answers with what the test wants."""

    def __init__(self) -> None:
        self.asked: list[set[str]] = []
        self.told: list[object] = []
        self.answer: Callable[[str], Any] = lambda analysis: getattr(WHOLE, analysis)
        self.crashes_on = ""

    def run(
        self, _lane: str, _function: object, _previews: object, models: dict[str, Any], persons: object, **_: Any
    ) -> Seen:
        self.asked.append(set(models))
        self.told.append(persons)
        if self.crashes_on in models:
            raise ResourceError("crashed", "The program broke down.")
        return Seen(**{analysis: self.answer(analysis) for analysis in models})


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Child:
    made = Child()
    monkeypatch.setattr(analysing, "run_in_child", made.run)
    return made


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The analyses whose models are there."""
    known = {str(one) for one in BY_MODEL}
    by_name = {model.name: model.analysis for model in BY_ANALYSIS.values()}
    monkeypatch.setattr(
        modelfiles, "find", lambda name: {"detector": Path("x")} if by_name[name] in known else None
    )
    return known


@pytest.fixture
def photo(tmp_path: Path, child: Child, there: set[str]) -> Photo:
    return make_photo(library_commands.add_library(tmp_path, actor="test"))


def make_photo(library: UUID) -> Photo:
    file = photos.OriginalFile(uuid4(), f"{uuid4()}.jpg", 1, 1)
    found = photos.PhotoImported(library, file, uuid4().hex * 2, "jpeg", "image", "image/jpeg")
    identity = photo_commands.import_photo(found, photos.MetadataRead(1, {}), actor="test")
    made = photos.Rendition(4, 3, 99)
    rendered = photos.PreviewsRendered(1, "r1", 4000, 3000, made, made, "aGk=", "decoded")
    photo_commands.record_previews(identity, rendered, actor="test")
    for name in ("tile", "large"):
        path = preview_path(identity, "r1", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with connection.cursor() as cursor:  # what these tests ask for is what comes after
        cursor.execute("DELETE FROM procrastinate_jobs")
    return Photo.objects.get(id=identity)


def jobs() -> list[tuple[str, list[str]]]:
    """Queue and analyses of the jobs that wait."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT queue_name, args -> 'only' FROM procrastinate_jobs WHERE task_name = 'analyse_photo'"
            " AND status = 'todo' ORDER BY id"
        )
        return [(queue, json.loads(only)) for queue, only in cursor.fetchall()]


def types(photo: Photo) -> list[str]:
    return [event.type.removeprefix("photo.") for event in read_stream(photo_stream(photo.id))][3:]


def test_one_job_does_all_that_is_wanted_in_one_look(photo: Photo, child: Child) -> None:
    assert analysing.analyse(photo.id) == "objects, scenes, faces, similar done"
    assert child.asked == [{"objects", "scenes", "faces", "similar"}]
    assert types(photo) == ["scenes_found", "faces_found", "vector_made", "labels_found", "processed"]
    face = read_stream(photo_stream(photo.id))[4].data["faces"][0]
    assert face["size"] == 800  # a fifth of 4,000 pixels
    # Search by meaning is not installed: nothing of it is done, and nothing waits for it.
    done = [one for one in BY_MODEL if one is not Analysis.MEANING]
    assert analysis_of(photo.id).made == {str(one): analyses.made_by(one) for one in done}
    assert jobs() == []
    assert analysing.analyse(photo.id) == "nothing was to be done"
    assert len(child.asked) == 1


def test_j18_what_has_no_model_waits_for_it_and_the_rest_is_done(
    photo: Photo, child: Child, there: set[str]
) -> None:
    there -= {"faces", "scenes"}
    for _ in range(2):  # a job that runs twice leaves one that waits
        assert "scenes, faces model missing" in analysing.analyse(photo.id)
    assert jobs() == [("labels-scenes", ["scenes"]), ("labels-faces", ["faces"])]
    assert types(photo) == ["vector_made", "labels_found", "processed"]
    # Asked for where it is still missing, it waits too, and burns no attempt.
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE queue_name = 'labels-faces'")
    assert analysing.analyse(photo.id, ["faces"]) == "faces model missing"
    assert jobs() == [("labels-scenes", ["scenes"]), ("labels-faces", ["faces"])]
    there.add("faces")
    assert analysing.analyse(photo.id, ["faces"]) == "faces done"
    assert child.asked[-1] == {"faces"}


def test_j9_switched_off_is_skipped_the_photo_is_complete_and_what_waits_is_let_go(
    photo: Photo, child: Child, there: set[str]
) -> None:
    there.clear()
    analyses.wait_for_models(photo.id, [Analysis.FACES, Analysis.SCENES])
    library_commands.switch_analyses(photo.library_id, BY_MODEL, actor="test")
    assert jobs() == []
    assert "skipped: switched off" in analysing.analyse(photo.id)
    assert child.asked == []
    assert types(photo) == ["analysed", "processed"]
    # Switched on again, what was left out is made up for.
    there.update({"faces", "objects"})
    library_commands.switch_analyses(photo.library_id, [Analysis.SCENES, Analysis.SIMILAR], actor="test")
    reanalysing.analyse_library(photo.library_id, older=False)
    assert jobs() == [("labels", ["objects", "faces"])]
    analysing.analyse(photo.id, ["objects", "faces"])
    assert child.asked == [{"objects", "faces"}]


def test_j30_an_analysis_that_breaks_down_holds_up_no_other(photo: Photo, child: Child) -> None:
    broken = Trouble("ValueError", "not a model", "Traceback …")
    child.answer = lambda one: broken if one == "faces" else getattr(WHOLE, one)
    with pytest.raises(TransientError, match=r"The model for faces could not be used \(ValueError"):
        analysing.analyse(photo.id)
    assert types(photo) == ["scenes_found", "vector_made", "labels_found", "processed"]
    child.answer = lambda one: getattr(WHOLE, one)
    assert analysing.analyse(photo.id) == "faces done"


def test_j12_a_model_that_kills_the_child_costs_its_own_analysis_alone(photo: Photo, child: Child) -> None:
    child.crashes_on = "scenes"
    with pytest.raises(ResourceError):
        analysing.analyse(photo.id)
    assert child.asked[1:] == [{"objects"}, {"scenes"}, {"faces"}, {"similar"}]
    assert types(photo) == ["faces_found", "vector_made", "labels_found", "processed"]
    child.crashes_on = "nothing"
    assert analysing.analyse(photo.id) == "scenes done"


def test_faces_that_are_looked_for_alone_are_looked_for_among_as_many_people(photo: Photo, child: Child) -> None:
    people = [Label("person", 0.9, (0.1 * n, 0.0, 0.1 * n + 0.1, 0.5)) for n in range(5)]
    child.answer = lambda one: people if one == "objects" else getattr(WHOLE, one)
    child.crashes_on = "similar"
    with pytest.raises(ResourceError):
        analysing.analyse(photo.id)
    assert child.asked[0] == {"objects", "scenes", "faces", "similar"} and child.told[0] is None
    assert dict(zip(map(str, map(sorted, child.asked)), child.told, strict=True))["['faces']"] == 5
    PhotoAnalysis.objects.update(made={})
    analysing.analyse(photo.id, ["faces"])
    assert (child.asked[-1], child.told[-1]) == ({"faces"}, 5)


def test_what_an_older_model_saw_is_looked_at_again_only_when_asked_for(photo: Photo, child: Child) -> None:
    analysing.analyse(photo.id)
    row = PhotoAnalysis.objects.get(photo_id=photo.id)
    row.made["faces"] = "mobileface of before"
    row.save()
    assert reanalysing.analyse_library(photo.library_id, older=False) == 0
    assert reanalysing.analyse_library(photo.library_id, older=True) == 1
    assert reanalysing.analyse_library(photo.library_id, older=True) == 0  # it waits already
    assert jobs() == [("labels", ["faces"])]
    with connection.cursor() as cursor:  # what waits for its model is not asked for again, the rest is
        cursor.execute("UPDATE procrastinate_jobs SET queue_name = 'labels-faces'")
    row.made["scenes"] = "mobilenet of before"
    row.save()
    assert reanalysing.analyse_library(photo.library_id, older=True) == 1
    assert jobs()[1:] == [("labels", ["scenes"])]


def test_a_person_who_asks_for_it_has_a_job_of_the_library_queued(photo: Photo) -> None:
    library_commands.ask_for_analysis(photo.library_id, actor="account:x")
    with connection.cursor() as cursor:
        cursor.execute("SELECT args ->> 'older' FROM procrastinate_jobs WHERE task_name = 'analyse_library'")
        assert cursor.fetchall() == [("true",)]


def test_a_step_that_failed_is_mended_by_any_result_of_its_retry(photo: Photo, child: Child) -> None:
    failure = photos.StepFailed(photos.Step.LABELS, "analysis-failed", "It broke.", 7, "TransientError")
    photo_commands.record_step_failed(photo.id, failure, 1, actor="test")
    analysing.analyse(photo.id, ["faces"])
    assert failures_of_photo(photo.id) == []


def test_every_former_name_of_the_task_still_runs() -> None:
    assert tasks.detect_objects.name == "detect_objects"
    assert set(reactions._ALL_STEPS) == {"render_previews", "analyse_photo", "detect_objects"}


def test_what_was_seen_before_pgvector_came_is_looked_at_again_for_its_numbers(photo: Photo, child: Child) -> None:
    analysing.analyse(photo.id)
    events = types(photo)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_face_vector; DELETE FROM core_photo_vector; DELETE FROM core_photo_code")
    assert reanalysing.analyse_library(photo.library_id, older=False) == 1
    assert jobs() == [("labels", ["faces", "similar"])]
    assert analysing.analyse(photo.id, ["faces", "similar"]) == "faces, similar done"
    assert vectors.without_numbers([photo.id]) == (set(), set())
    [face] = read_stream(photo_stream(photo.id))[4].data["faces"]
    assert list(vectors.face_vectors([UUID(face["id"])]))
    assert types(photo) == events
    assert reanalysing.analyse_library(photo.library_id, older=True) == 0
