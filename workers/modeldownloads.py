"""Downloads model files, where the installation allows it: resumed, verified, tried again later."""

import fcntl
import hashlib
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from io import BufferedRandom
from pathlib import Path

import structlog
from django.conf import settings

from workers.catalog import ModelFile
from workers.modelfiles import Look, State, find_file, look
from workers.modelplaces import kept_models

log = structlog.get_logger(__name__)

_CONNECT_SECONDS = 20
_CHUNK = 1 << 16
# After a failed download: so long until the next try, then twice as long each time, up to the second.
_RETRY_SECONDS, _LONGEST_SECONDS = 60.0, 3600.0
_RANGE_NOT_SATISFIABLE = 416


class DownloadError(Exception):
    """A model could not be had; the message says why and what to do."""


def obtain(name: str) -> Look:
    """Like `look`, but downloads what is missing where that is allowed; never raises for a failure.

    It may take as long as the download: not for an event loop's own thread.
    """
    seen = look(name)
    if seen.state in (State.READY, State.TO_MAKE) or not settings.MODEL_DOWNLOADS or not patience.is_due(name):
        return seen
    try:
        download(name)
    except DownloadError as error:
        log.warning("a model could not be downloaded", model=name, reason=str(error))
        patience.failed(name)
        return Look(seen.state, seen.paths, f"{seen.reason} {error}", seen.lacking)
    patience.succeeded(name)
    return look(name)


def download(name: str) -> None:
    """Fetch what a model lacks into DATA_DIR/models, each file whole or not at all. Raises DownloadError."""
    for file in look(name).lacking:
        if find_file(file) is None:
            _download(file)


def _download(file: ModelFile) -> None:
    if not settings.MODEL_DOWNLOADS:
        raise DownloadError(
            f"Downloads are switched off. Set FILMROLL_MODEL_DOWNLOADS=on, or put {file.name} into "
            f"{kept_models()} or the folder that FILMROLL_MODELS_DIR names."
        )
    if not file.url:
        raise DownloadError(f"{file.name} cannot be downloaded; put it into {kept_models()}.")
    target = kept_models() / file.name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _part_of(target) as part:
            _fetch(file, part)
            Path(part.name).chmod(0o644)
            Path(part.name).replace(target)
    except (OSError, HTTPException) as error:  # urllib's own errors are OSErrors too
        raise DownloadError(f"{file.name} could not be downloaded from {file.url}: {error}.") from error
    log.info("model downloaded", path=str(target))


@contextmanager
def _part_of(target: Path) -> Iterator[BufferedRandom]:
    """What is there of a file so far; it stays for the next try when this one breaks off."""
    with target.with_name(f".{target.name}.part").open("a+b") as part:
        try:
            fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DownloadError(f"{target.name} is being downloaded by another process.") from None
        yield part


def _fetch(file: ModelFile, part: BufferedRandom) -> None:
    had = part.seek(0, 2)
    if had < file.size:
        _receive(file, part, had)
    part.seek(0)
    digest = hashlib.file_digest(part, "sha256").hexdigest()
    size = part.tell()
    if size < file.size:
        raise OSError(f"it broke off after {size:,} of {file.size:,} bytes, and goes on from there")
    if digest != file.sha256:
        Path(part.name).unlink()
        raise DownloadError(
            f"What {file.url} sent is not {file.name}: {size:,} bytes with SHA-256 {digest}, "
            f"and not {file.size:,} bytes with {file.sha256}. Nothing was kept."
        )
    part.flush()


def _receive(file: ModelFile, part: BufferedRandom, had: int) -> None:
    with _opened(file.url, had) as answer:
        if had and answer.status != 206:  # it does not resume: all of it comes again
            part.truncate(0)
        # One byte more than expected is enough to know that it is another file.
        while part.tell() <= file.size and (chunk := answer.read(_CHUNK)):
            part.write(chunk)
            part.flush()


def _opened(url: str, had: int) -> "urllib.request._UrlopenRet":
    headers = {"Range": f"bytes={had}-"} if had else {}
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_CONNECT_SECONDS)
    except urllib.error.HTTPError as error:
        if had and error.code == _RANGE_NOT_SATISFIABLE:
            return _opened(url, 0)
        raise


class _Patience:
    """When each model may be tried again: soon at first, later and later, not at the same moment everywhere."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: dict[str, int] = {}
        self._next: dict[str, float] = {}

    def is_due(self, name: str) -> bool:
        """Whether it is time; the asker is then the one who tries."""
        with self._lock:
            now = time.monotonic()
            if now < self._next.get(name, now):
                return False
            self._next[name] = now + _LONGEST_SECONDS
            return True

    def failed(self, name: str) -> None:
        with self._lock:
            count = self._failures.get(name, 0)
            wait = min(_LONGEST_SECONDS, _RETRY_SECONDS * 2**count) * random.uniform(0.8, 1.2)
            self._failures[name], self._next[name] = count + 1, time.monotonic() + wait

    def succeeded(self, name: str) -> None:
        with self._lock:
            self._failures.pop(name, None)
            self._next.pop(name, None)


patience = _Patience()
