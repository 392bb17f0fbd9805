"""Fetches the preset that the installation names from its hub, where downloads are allowed; tried again later.

Nobody has pinned its content: what counts is what the hub sends under that handle (name a version in it, where the
hub has versions). The hub's own program fetches it, in a child process, into Filmroll's own folder of models.
"""

import shutil

import structlog
from django.conf import settings

from workers import presets
from workers.children import run_in_child
from workers.errors import JobError, classify
from workers.ml.meaning import fetch
from workers.modeldownloads import DownloadError, patience
from workers.modelplaces import kept_models

_SECONDS = 3600
_MEMORY_MIB = 2048
_log = structlog.get_logger(__name__)


def obtain() -> str:
    """In plain words why no preset can be used, after an attempt to fetch it where that is allowed and due.

    It may take as long as the download: not for an event loop's own thread.
    """
    reason, handle = presets.why_not(), settings.MEANING_PRESET
    if not reason or not is_wanted() or not settings.MODEL_DOWNLOADS or not patience.is_due(handle):
        return reason
    try:
        download()
    except DownloadError as error:
        patience.failed(handle)
        return f"{reason} {error}"
    patience.succeeded(handle)
    return presets.why_not()


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
    try:
        run_in_child("making", fetch, handle, part, seconds=_SECONDS, memory_mib=_MEMORY_MIB)
    except Exception as error:  # whatever the hub's program raises, as it came out of the child
        said = error.reason if isinstance(error, JobError) else str(error) or classify(error).reason
        _log.warning("a preset could not be fetched", handle=handle, error=said)
        raise DownloadError(f"{handle} could not be fetched: {said[:500]}") from error
    fetched = next(presets.presets_in([part]), None)
    if fetched is None or fetched.lacking:
        shutil.rmtree(part, ignore_errors=True)
        raise DownloadError(f"What {handle} holds is no preset of CLIP or SigLIP, or not a whole one.")
    presets.put_in_place(part, target)
    _log.info("preset fetched", handle=handle, path=str(target))
