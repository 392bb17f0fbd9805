"""Where model files lie, and what their content is: hashed once, and again only when a file changed."""

import hashlib
import os
from pathlib import Path

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)

_hashes: dict[tuple[Path, int, int], str] = {}


def kept_models() -> Path:
    """Filmroll's own folder of models."""
    return Path(settings.DATA_DIR) / "models"


def model_folders() -> list[Path]:
    """The installation's own folder, where one is named, then Filmroll's."""
    return [Path(folder) for folder in (settings.MODELS_DIR, kept_models()) if folder]


def in_words() -> str:
    """Where models are looked for."""
    return " or ".join(f"{folder}{_why_not_read(folder)}" for folder in model_folders())


def _why_not_read(folder: Path) -> str:
    try:
        os.stat(f"{folder}/.")  # noqa: PTH116  # a Path would leave the dot out, which asks who may go in
        os.scandir(folder).close()
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f" (which cannot be read: {error.strerror})"
    return ""


def files_named(folder: Path, name: str) -> list[Path]:
    """Files of that name at any depth; none where nobody may look (`in_words` says so)."""
    try:
        # Not `is_file`, which raises where a folder lists its files and lets nobody at them.
        return sorted(path for path in folder.rglob(name) if os.path.isfile(path))  # noqa: PTH113
    except OSError:
        return []


def hash_of(path: Path) -> str:
    """SHA-256 of a file's content; "" when it cannot be read."""
    try:
        stat = path.stat()
        key = (path, stat.st_mtime_ns, stat.st_size)
        if key not in _hashes:
            with path.open("rb") as file:
                _hashes[key] = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        if os.path.exists(path):  # noqa: PTH110  # it raises nothing
            log.warning("a model file cannot be read", path=str(path), error=str(error))
        return ""
    return _hashes[key]
