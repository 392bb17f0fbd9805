"""Model files: found by name, believed by hash, downloaded only where allowed."""

import contextlib
import dataclasses
import hashlib
import http.server
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from workers import modelfiles
from workers.modelfiles import OBJECTS, DownloadError, State

CONTENT = b"a model of very few numbers " * 5000


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch, settings: Any, data_dir: Path) -> modelfiles.ModelFile:
    """The table with one small made-up file, and nothing there yet."""
    settings.MODELS_DIR = None
    settings.MODEL_DOWNLOADS = True
    small = dataclasses.replace(
        modelfiles.MODELS[OBJECTS],
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        size=len(CONTENT),
        url="http://127.0.0.1:9/nobody-listens-here",
    )
    monkeypatch.setitem(modelfiles.MODELS, OBJECTS, small)
    monkeypatch.setattr(modelfiles, "_hashes", {})
    monkeypatch.setattr(modelfiles, "_next_try", {})
    return small


class Server:
    """An HTTP server on loopback that gives one answer, and counts how often it was asked."""

    def __init__(self) -> None:
        self.body, self.status, self.asked = CONTENT, 200, 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                self.send_response(outer.status)
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # who asked has heard enough
                    self.wfile.write(outer.body)

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/model.tflite"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, model: modelfiles.ModelFile) -> Iterator[Server]:
    """The place that the model's address names."""
    one = Server()
    thread = threading.Thread(target=one.http.serve_forever, args=(0.02,))
    thread.start()
    monkeypatch.setitem(modelfiles.MODELS, OBJECTS, dataclasses.replace(model, url=one.url))
    yield one
    one.http.shutdown()
    thread.join()
    one.http.server_close()


def put(folder: Path, content: bytes = CONTENT) -> Path:
    path = folder / modelfiles.MODELS[OBJECTS].file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_model_that_is_nowhere_is_missing_and_the_reason_names_the_file_and_the_folder(data_dir: Path) -> None:
    seen = modelfiles.look(OBJECTS)
    assert (seen.state, seen.path) == (State.MISSING, None)
    assert "yolox_nano_ti_lite_416_int8.tflite" in seen.reason
    assert str(data_dir / "models") in seen.reason
    assert modelfiles.find(OBJECTS) is None


def test_a_model_is_found_at_any_depth_of_the_folder_that_the_installation_names(
    tmp_path: Path, settings: Any
) -> None:
    settings.MODELS_DIR = tmp_path / "mine"
    path = put(tmp_path / "mine" / "deep" / "down")
    assert modelfiles.look(OBJECTS).state is State.READY
    assert modelfiles.find(OBJECTS) == path


def test_a_file_with_other_content_is_damaged_and_not_used(data_dir: Path) -> None:
    path = put(data_dir / "models", CONTENT[:-1] + b"?")
    assert (modelfiles.look(OBJECTS).state, modelfiles.look(OBJECTS).path) == (State.DAMAGED, path)
    assert modelfiles.find(OBJECTS) is None


def test_a_whole_file_is_used_where_a_damaged_one_lies_before_it(
    data_dir: Path, tmp_path: Path, settings: Any
) -> None:
    settings.MODELS_DIR = tmp_path / "mine"
    put(tmp_path / "mine", b"broken")
    whole = put(data_dir / "models")
    assert modelfiles.find(OBJECTS) == whole


def test_a_file_is_hashed_once_and_again_when_it_changed(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = []
    real = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda file, kind: hashed.append(file.name) or real(file, kind))
    path = put(data_dir / "models")
    assert [modelfiles.find(OBJECTS) for _ in range(3)] == [path] * 3
    assert len(hashed) == 1
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(1, 1))
    assert modelfiles.find(OBJECTS) is None
    assert len(hashed) == 2


def test_a_download_arrives_whole_in_the_data_folder(server: Server, data_dir: Path) -> None:
    path = modelfiles.download(OBJECTS)
    assert path == data_dir / "models" / modelfiles.MODELS[OBJECTS].file_name
    assert path.read_bytes() == CONTENT
    assert modelfiles.find(OBJECTS) == path
    assert [path] == list(path.parent.iterdir())


def test_a_download_replaces_a_damaged_file(server: Server, data_dir: Path) -> None:
    put(data_dir / "models", b"broken")
    assert modelfiles.obtain(OBJECTS).state is State.READY


@pytest.mark.parametrize("body", [CONTENT[:-1], CONTENT + b"more", b"<html>not here</html>", b""])
def test_a_download_with_the_wrong_hash_is_refused_and_nothing_is_kept(
    server: Server, data_dir: Path, body: bytes
) -> None:
    server.body = body
    with pytest.raises(DownloadError, match=r"is not the model yolox-nano.*Nothing was kept"):
        modelfiles.download(OBJECTS)
    assert list((data_dir / "models").iterdir()) == []


def test_a_download_that_never_ends_is_cut_off(server: Server) -> None:
    server.body = CONTENT * 400
    with pytest.raises(DownloadError) as caught:
        modelfiles.download(OBJECTS)
    told = int(str(caught.value).split(": ")[1].split(" bytes")[0].replace(",", ""))
    assert told < len(CONTENT) + (1 << 17)


def test_a_server_that_refuses_or_is_not_there_is_a_clear_error(
    server: Server, monkeypatch: pytest.MonkeyPatch, model: modelfiles.ModelFile
) -> None:
    server.status = 404
    with pytest.raises(DownloadError, match=r"could not be downloaded.*404"):
        modelfiles.download(OBJECTS)
    monkeypatch.setitem(modelfiles.MODELS, OBJECTS, model)
    with pytest.raises(DownloadError, match=r"could not be downloaded.*refused"):
        modelfiles.download(OBJECTS)


def test_nothing_is_downloaded_while_downloads_are_switched_off(server: Server, settings: Any) -> None:
    settings.MODEL_DOWNLOADS = False
    with pytest.raises(DownloadError, match="FILMROLL_MODEL_DOWNLOADS"):
        modelfiles.download(OBJECTS)
    assert modelfiles.obtain(OBJECTS).state is State.MISSING
    assert server.asked == 0


def test_j18_without_network_the_model_is_missing_with_a_reason_and_the_network_is_left_alone_for_a_while(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.status = 503
    looks = [modelfiles.obtain(OBJECTS) for _ in range(5)]
    assert {look.state for look in looks} == {State.MISSING}
    assert "503" in looks[0].reason
    assert server.asked == 1
    server.status = 200
    monkeypatch.setattr(modelfiles, "_RETRY_SECONDS", 0)
    monkeypatch.setattr(modelfiles, "_next_try", {})
    assert modelfiles.obtain(OBJECTS).state is State.READY


def test_the_pinned_file_is_the_one_that_lies_beside_the_real_photos(
    shared: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.undo()
    settings.MODELS_DIR = shared / "models"
    for name, model in modelfiles.MODELS.items():
        path = modelfiles.find(name)
        assert path is not None
        assert path.stat().st_size == model.size


def models(*arguments: str) -> str:
    out = io.StringIO()
    call_command("models", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_lists_checks_and_downloads(server: Server) -> None:
    assert "yolox-nano ti-lite-416-int8: missing" in models("list")
    assert models() == models("list")
    with pytest.raises(CommandError, match="Not every model is ready"):
        models("check")
    assert "yolox-nano ti-lite-416-int8: ready" in models("download")
    assert "licence: Apache-2.0" in models("check", OBJECTS)
    models("download")
    assert server.asked == 1


def test_the_command_says_what_is_wrong_in_one_line(server: Server, settings: Any) -> None:
    with pytest.raises(CommandError, match="No model is called nobody"):
        models("list", "nobody")
    settings.MODEL_DOWNLOADS = False
    with pytest.raises(CommandError, match="switched off"):
        models("download")
