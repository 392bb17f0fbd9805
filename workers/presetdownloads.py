"""Fetches the preset that the installation names from its hub, where downloads are allowed; tried again later.

Nobody has pinned its content: what counts is what the hub sends under that handle (name a version in it, where the
hub has versions). The hub's own program fetches it, in a child process, into Filmroll's own folder of models.
"""

import fcntl
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from django.conf import settings

from workers import presets
from workers.children import run_in_child
from workers.errors import JobError, classify
from workers.ml.meaning import fetch
from workers.modeldownloads import DownloadError, patience
from workers.modelplaces import kept_models

THREAD = "preset"
_SECONDS = 3600
_MEMORY_MIB = 2048
_log = structlog.get_logger(__name__)
# Handle → what came of the latest attempt.
_said: dict[str, str] = {}


def obtain() -> str:
    """In plain words why no preset can be used. Where that is allowed and due, one is being fetched from now on.

    In a thread of its own: it may take an hour, and the other models are not to wait for it.
    """
    reason, handle = presets.why_not(), settings.MEANING_PRESET
    if not reason or not is_wanted() or not settings.MODEL_DOWNLOADS:
        return reason
    if patience.is_due(handle):
        _said[handle] = "It is being fetched."
        threading.Thread(target=_try, args=(handle,), name=THREAD, daemon=True).start()
    return f"{reason} {_said.get(handle, '')}".strip()


def _try(handle: str) -> None:
    try:
        download()
    except DownloadError as error:
        _said[handle] = str(error)
        patience.failed(handle)
    else:
        patience.succeeded(handle)


def is_wanted() -> bool:
    """Whether the installation names a hub's preset, and has the package that reads it."""
    return presets.is_installed() and presets.is_hub(settings.MEANING_PRESET)


def download() -> None:
    """Fetch the preset, whole or not at all. Raises DownloadError."""
    if not settings.MODEL_DOWNLOADS:
        raise DownloadError("Downloads are switched off. Set FILMROLL_MODEL_DOWNLOADS=on.")
    handle: str = settings.MEANING_PRESET
    target = kept_models() / presets.hub_name(handle)
    # What was fetched before it broke off stays for the next time, where the hub's program can go on from there.
    part = target.with_name(f".{target.name}.fetched")
    part.mkdir(parents=True, exist_ok=True)
    with _alone(part):
        _fetch(handle, part)
        fetched = next(presets.presets_in([part]), None)
        if fetched is None or fetched.lacking:
            shutil.rmtree(part, ignore_errors=True)
            raise DownloadError(f"What {handle} holds is no preset of CLIP or SigLIP, or not a whole one.")
        presets.put_in_place(part, target)
    _log.info("preset fetched", handle=handle, path=str(target))


def _fetch(handle: str, part: Path) -> None:
    try:
        run_in_child("fetching", fetch, handle, part, seconds=_SECONDS, memory_mib=_MEMORY_MIB)
    except Exception as error:  # whatever the hub's program raises, as it came out of the child
        said = error.reason if isinstance(error, JobError) else str(error) or classify(error).reason
        _log.warning("a preset could not be fetched", handle=handle, error=said)
        raise DownloadError(f"{handle} could not be fetched: {said[:500]}") from error


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """No other worker fetches into the same folder."""
    with part.with_name(f"{part.name}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DownloadError("Another process is fetching it.") from None
        yield
