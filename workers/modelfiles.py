"""The model files that analyses need: which they are, where they lie, whether they are whole, how to get them.

A file counts only when its SHA-256 is the pinned one. Nothing is downloaded unless the installation allows it.
"""

import contextlib
import enum
import hashlib
import os
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One model: what it is for, the file that holds it and where that comes from. Version goes into events."""

    name: str
    version: str
    purpose: str
    file_name: str
    sha256: str
    size: int  # bytes
    licence: str
    url: str


OBJECTS = "yolox-nano"
MODELS = {
    OBJECTS: ModelFile(
        name=OBJECTS,
        version="ti-lite-416-int8",
        purpose="objects with boxes, 80 COCO classes",
        file_name="yolox_nano_ti_lite_416_int8.tflite",
        sha256="bf41b00aba4f00872430cea4c953b2614a2650a732a5e7c1bd707cd561ced48f",
        size=2_471_384,
        licence="Apache-2.0 (Megvii YOLOX) and BSD-3-Clause (Texas Instruments)",
        url="https://raw.githubusercontent.com/MaxCYCHEN/yolox-ti-lite_tflite_int8/"
        "535f15563dce96fbbce7cbe228bbf2f832c91d47/tflite_yolox_nano_ti/saved_model/"
        "yolox_nano_ti_lite_0510_integer_quant.tflite",
    ),
}

_CONNECT_SECONDS = 20
_CHUNK = 1 << 16
# After a failed download, how long `obtain` waits before it tries again.
_RETRY_SECONDS = 600


class State(enum.StrEnum):
    """How a model stands."""

    READY = "ready"  # there, and the pinned hash is right
    MISSING = "missing"  # no file of its name
    DAMAGED = "damaged"  # a file of its name, with other content


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at the folders found; `path` is the whole file, or the damaged one; `reason` in plain words."""

    state: State
    path: Path | None
    reason: str


class DownloadError(Exception):
    """A model could not be had; the message says why and what to do."""


def look(name: str) -> Look:
    """How the model stands, without downloading anything. Raises KeyError for a name that is not in MODELS."""
    model = MODELS[name]
    damaged = None
    for path in _candidates(model):
        if _is_whole(path, model):
            return Look(State.READY, path, "")
        damaged = damaged or path
    if damaged:
        return Look(State.DAMAGED, damaged, f"{damaged} is not the model {name}: its content differs. Replace it.")
    return Look(State.MISSING, None, f"The model {name} is missing: there is no {model.file_name} in {_places()}.")


def find(name: str) -> Path | None:
    """The model's file when it is ready."""
    seen = look(name)
    return seen.path if seen.state is State.READY else None


def obtain(name: str) -> Look:
    """Like `look`, but downloads a missing or damaged model where that is allowed; never raises for a failure.

    It may take as long as the download: not for an event loop's own thread.
    """
    seen = look(name)
    if seen.state is State.READY or not settings.MODEL_DOWNLOADS or not _is_due(name):
        return seen
    try:
        return Look(State.READY, download(name), "")
    except DownloadError as error:
        log.warning("a model could not be downloaded", model=name, reason=str(error))
        return Look(seen.state, seen.path, f"{seen.reason} {error}")


def download(name: str) -> Path:
    """Fetch the model into DATA_DIR/models, whole or not at all. Raises DownloadError."""
    model = MODELS[name]
    if not settings.MODEL_DOWNLOADS:
        raise DownloadError(
            f"Downloads are switched off. Set FILMROLL_MODEL_DOWNLOADS=on, or put {model.file_name} into "
            f"{_downloads()} or the folder that FILMROLL_MODELS_DIR names."
        )
    target = _downloads() / model.file_name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _becoming(target) as file:
            _fetch(model, file)
    except (OSError, HTTPException) as error:  # urllib's own errors are OSErrors too
        raise DownloadError(f"{name} could not be downloaded from {model.url}: {error}.") from error
    log.info("model downloaded", model=name, path=str(target))
    return target


def _fetch(model: ModelFile, file: BinaryIO) -> None:
    digest, size = hashlib.sha256(), 0
    with urllib.request.urlopen(model.url, timeout=_CONNECT_SECONDS) as answer:
        # One byte more than expected is enough to know that it is another file.
        while size <= model.size and (chunk := answer.read(_CHUNK)):
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    if digest.hexdigest() != model.sha256:
        raise DownloadError(
            f"What {model.url} sent is not the model {model.name}: {size:,} bytes with SHA-256 "
            f"{digest.hexdigest()}, and not {model.size:,} bytes with {model.sha256}. Nothing was kept."
        )


@contextlib.contextmanager
def _becoming(target: Path) -> Iterator[BinaryIO]:
    """A new file that takes its name when it is whole and on the disk."""
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        Path(name).chmod(0o644)
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)


def _downloads() -> Path:
    return Path(settings.DATA_DIR) / "models"


def _places() -> str:
    return " or ".join(str(folder) for folder in (settings.MODELS_DIR, _downloads()) if folder)


def _candidates(model: ModelFile) -> Iterator[Path]:
    """Files of the model's name, the installation's own folder first, at any depth."""
    for folder in (settings.MODELS_DIR, _downloads()):
        if folder:
            yield from sorted(path for path in Path(folder).rglob(model.file_name) if path.is_file())


_hashes: dict[tuple[Path, int, int], str] = {}


def _is_whole(path: Path, model: ModelFile) -> bool:
    """Hashes a file once, and again only when its time or size changed."""
    try:
        stat = path.stat()
        key = (path, stat.st_mtime_ns, stat.st_size)
        if key not in _hashes:
            with path.open("rb") as file:
                _hashes[key] = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        log.warning("a model file cannot be read", path=str(path), error=str(error))
        return False
    return _hashes[key] == model.sha256


_next_try: dict[str, float] = {}
_next_try_lock = threading.Lock()


def _is_due(name: str) -> bool:
    """Whether nobody tried in the last minutes; the asker is then the one who tries."""
    with _next_try_lock:
        now = time.monotonic()
        if now < _next_try.get(name, now):
            return False
        _next_try[name] = now + _RETRY_SECONDS
        return True
