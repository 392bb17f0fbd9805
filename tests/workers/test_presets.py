"""Presets of text-image models: known by what is in them, optional in every way, and what they are asked for."""

import hashlib
import http.server
import io
import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from core import meaning
from core.domain.analysis import Analysis
from core.readmodels.analysis import analysis_of
from core.readmodels.photos import Photo
from tests.workers import test_analysing as around
from workers import analyses, analysing, modeldownloads, presetdownloads, presets, reanalysing, requirements
from workers import meaning as work
from workers.errors import PoisonError
from workers.modeldownloads import DownloadError

child, there, photo = around.child, around.there, around.photo
HANDLE = "kaggle://keras/clip/keras/clip_vit_base_patch32/3"


def put(folder: Path, weights: bytes = b"weights") -> Path:
    """What keras-hub writes of a CLIP, with nothing in it."""
    (folder / "assets" / "tokenizer").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"registered_name": "keras_hub>CLIPBackbone"}))
    for name in ("tokenizer.json", "image_converter.json", "assets/tokenizer/vocabulary.json"):
        (folder / name).write_text("{}")
    (folder / "assets" / "tokenizer" / "merges.txt").write_text("")
    (folder / "model.weights.h5").write_bytes(weights)
    return folder


@pytest.fixture(autouse=True)
def models(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with the package, and an empty folder of models."""
    monkeypatch.setattr(presets, "is_installed", lambda: True)
    monkeypatch.setattr(presetdownloads, "patience", modeldownloads._Patience())
    settings.MODELS_DIR = tmp_path / "models"
    settings.MODELS_DIR.mkdir()
    return tmp_path / "models"


def obtained() -> str:
    """What is said of the preset, once nothing is being fetched any more."""
    said = presetdownloads.obtain()
    for thread in threading.enumerate():
        if thread.name == presetdownloads.THREAD:
            thread.join()
    return said


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("models", *arguments, stdout=out)
    return out.getvalue()


def test_a_preset_is_known_by_its_content_and_called_after_it(models: Path, settings: Any) -> None:
    assert "there is no preset in" in presets.why_not()
    (models / "other").mkdir()
    (models / "other" / "config.json").write_text('{"registered_name": "keras_hub>BertBackbone"}')
    (models / "config.json").write_text("not json")
    assert presets.chosen() is None
    folder = put(models / "deep" / "b")
    preset = presets.chosen()
    assert preset == presets.Preset(folder, "clip")
    assert presets.why_not() == ""
    kind, version = presets.identity(preset)
    assert (kind, len(version)) == ("clip", 12)
    # Neither its name nor when it was saved makes another model of it; its content does.
    (folder / "metadata.json").write_text('{"date_saved": "today"}')
    folder = folder.rename(models / "a")
    assert presets.identity(presets.Preset(folder, "clip")) == (kind, version)
    (folder / "assets" / "tokenizer" / "merges.txt").write_text("a b")
    assert presets.identity(presets.Preset(folder, "clip"))[1] != version
    # The first by name that is whole, unless one is named.
    (folder / "tokenizer.json").unlink()
    assert "is not whole: there is no tokenizer.json" in presets.why_not()
    second = put(models / "b")
    assert presets.chosen() == presets.Preset(second, "clip")
    settings.MEANING_PRESET = "a"
    assert "is not whole" in presets.why_not()
    settings.MEANING_PRESET = "c"
    assert "there is no preset called c" in presets.why_not()


def test_the_command_says_that_it_is_not_installed_which_lacks_nothing_and_adds_a_preset(
    models: Path, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "text-image: not installed" in command("check", "text-image")
    source = put(tmp_path / "disk" / "sub" / "tiny")
    assert "added tiny" in command("add", str(tmp_path / "disk"))
    assert "text-image clip " in command("check", "text-image")
    assert (data_dir / "models" / "tiny" / "assets" / "tokenizer" / "merges.txt").exists()
    assert "added" not in command("add", str(source))
    (source / "model.weights.h5").write_bytes(b"newer weights")
    assert "added tiny" in command("add", str(source))
    assert (data_dir / "models" / "tiny" / "model.weights.h5").read_bytes() == b"newer weights"
    (data_dir / "models" / "tiny" / "model.weights.h5").unlink()
    with pytest.raises(CommandError, match="Not every model is ready"):
        command("check", "text-image")
    monkeypatch.setattr(presets, "is_installed", lambda: False)
    shutil.rmtree(data_dir / "models" / "tiny")
    assert "the package keras-hub is not there" in command("check", "text-image")


def test_a_queue_waits_for_it_only_where_its_package_is(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no preset" in requirements.unmet_requirements()[work.QUEUE]
    assert "no preset" in str(requirements.REQUIREMENTS[work.QUEUE]())
    put(models / "tiny")
    assert work.QUEUE not in requirements.unmet_requirements()
    assert requirements.REQUIREMENTS[work.QUEUE]() is None
    # A photo can be looked at with this model alone.
    assert requirements.REQUIREMENTS["labels"]() is None
    monkeypatch.setattr(presets, "is_installed", lambda: False)
    assert work.QUEUE not in requirements.unmet_requirements()


@pytest.mark.django_db
def test_photos_are_looked_at_with_it_in_the_same_look_and_again_when_it_is_another(
    photo: Photo, child: around.Child, there: set[str], models: Path
) -> None:
    folder = put(models / "tiny")
    assert analyses.memory_mib() > 1024
    assert analysing.analyse(photo.id) == "objects, scenes, faces, similar, meaning done"
    assert child.asked == [{"objects", "scenes", "faces", "similar", "meaning"}]
    by = analyses.made_by(Analysis.MEANING)
    assert by.startswith("clip ")
    assert analysis_of(photo.id).made["meaning"] == by
    with connection.cursor() as cursor:
        cursor.execute("SELECT model, vector::text FROM core_photo_meaning WHERE photo_id = %s", [photo.id])
        [(model, numbers)] = cursor.fetchall()
    assert (model, json.loads(numbers)) == (by, pytest.approx([0.6, 0.8], abs=1e-3))
    assert reanalysing.analyse_library(photo.library_id, older=True) == 0
    (folder / "model.weights.h5").write_bytes(b"newer weights")
    assert reanalysing.analyse_library(photo.library_id, older=False) == 0
    assert reanalysing.analyse_library(photo.library_id, older=True) == 1
    # To another one, back, and forth again: each time it is news.
    for weights in (b"newer weights", b"weights", b"newer weights"):
        (folder / "model.weights.h5").write_bytes(weights)
        assert analysing.analyse(photo.id, ["meaning"]) == "meaning done"
        assert analysis_of(photo.id).made["meaning"] == analyses.made_by(Analysis.MEANING)
    # Numbers that could not be kept are made again, and say nothing new.
    events = around.types(photo)
    assert events.count("meaning_made") == 4
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_photo_meaning; DELETE FROM procrastinate_jobs")
    assert reanalysing.analyse_library(photo.library_id, older=False) == 1
    assert analysing.analyse(photo.id, ["meaning"]) == "meaning done"
    assert meaning.without_numbers([photo.id]) == set()
    assert around.types(photo) == events
    shutil.rmtree(folder)
    assert analyses.memory_mib() == 1024
    assert analysing.analyse(photo.id) == "nothing was to be done"


@pytest.mark.django_db
def test_words_are_described_once_by_a_worker_and_trouble_is_told_to_who_waits(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, told = put(models / "tiny"), []

    def run(lane: str, _function: object, preset: Path, text: str, **_: Any) -> list[float]:
        told.append((lane, preset, text))
        if text == "nonsense":
            raise PoisonError("model-unusable", "It is of no use.")
        return [1.0, 0.0]

    monkeypatch.setattr(work, "run_in_child", run)
    text = meaning.ask("  A Boat ")
    assert work.describe(text.id).startswith("clip ")
    assert work.describe(text.id) == "nothing was to be done"
    assert told == [("analysis", folder, "a boat")]
    assert meaning.ask("a boat").vector == (1.0, 0.0)
    with pytest.raises(PoisonError):
        work.describe(meaning.ask("nonsense").id)
    known = meaning.text_of(meaning.ask("other").id)
    assert known is not None and not known.settled
    with connection.cursor() as cursor:
        cursor.execute("SELECT trouble FROM core_text_meaning WHERE text = 'nonsense'")
        assert cursor.fetchall() == [("It is of no use.",)]
    assert work.describe(UUID(int=0)) == "nothing was to be done"


class _Hub(http.server.BaseHTTPRequestHandler):
    """As much of Hugging Face as its program asks for: one repository, at one commit."""

    folder: Path
    asked: ClassVar[list[str]] = []
    commit = "a" * 40

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        self.asked.append(self.path)
        files = {
            path.relative_to(self.folder).as_posix(): path for path in self.folder.rglob("*") if path.is_file()
        }
        tree = [{"type": "file", "path": name, "size": 1, "oid": "0" * 40} for name in files]
        here = "/api/models/keras/tiny"
        answers = {
            f"{here}/revision/v1": {"id": "keras/tiny", "sha": self.commit, "siblings": []},
            f"{here}/tree/{self.commit}": [{**one, "size": files[one["path"]].stat().st_size} for one in tree],
        }
        known = answers.get(self.path.split("?")[0])
        name = self.path.partition(f"/keras/tiny/resolve/{self.commit}/")[2]
        if known is None and name not in files:
            self.send_error(404)
            return
        body = files[name].read_bytes() if known is None else json.dumps(known).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Repo-Commit", self.commit)
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.mark.slow
def test_a_preset_comes_from_a_hub_by_the_hubs_own_program_and_can_be_pinned(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _Hub.folder = put(tmp_path / "published", b"the weights")
    (_Hub.folder / "pytorch_model.bin").write_bytes(b"what nobody wants")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hub) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        settings.MODEL_DOWNLOADS = True
        settings.MEANING_PRESET = "hf://keras/tiny@v1"
        assert "It is being fetched" in obtained()
        assert obtained() == ""
        server.shutdown()
    preset = presets.chosen()
    assert preset is not None
    assert (preset.folder / "model.weights.h5").read_bytes() == b"the weights"
    assert presets.identity(preset) == presets.identity(presets.Preset(_Hub.folder, "clip"))
    assert not (preset.folder / "pytorch_model.bin").exists()


def test_a_hubs_preset_is_fetched_only_where_that_is_allowed_whole_or_not_at_all(
    settings: Any, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    make: list[Callable[[Path], object]] = [put]

    def fetch(_lane: str, _function: object, handle: str, target: Path, **_: Any) -> None:
        asked.append(handle)
        shutil.rmtree(target)
        make[0](target)

    monkeypatch.setattr(presetdownloads, "run_in_child", fetch)
    settings.MEANING_PRESET = HANDLE
    assert f"there is no preset called {HANDLE}" in obtained()
    with pytest.raises(CommandError, match="Downloads are switched off"):
        command("download", "text-image")
    assert asked == []
    settings.MODEL_DOWNLOADS = True
    make[0] = lambda target: put(target).joinpath("tokenizer.json").unlink()
    assert "It is being fetched" in obtained()
    # Tried again later, not at once.
    assert "is no preset of CLIP or SigLIP, or not a whole one" in obtained()
    assert len(asked) == 1
    make[0] = put
    assert "text-image clip " in command("download", "text-image")
    [folder] = (path for path in (data_dir / "models").iterdir() if path.is_dir())
    assert folder.name == "kaggle-keras-clip-keras-clip_vit_base_patch32-3"
    assert obtained() == ""
    assert asked == [HANDLE, HANDLE]

    def away(*_: Any, **__: Any) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(presetdownloads, "run_in_child", away)
    settings.MEANING_PRESET = "hf://keras/clip_vit_base_patch16"
    with pytest.raises(DownloadError, match="could not be fetched: no route to host"):
        presetdownloads.download()
