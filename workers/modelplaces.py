"""Where model files lie, and what their content is: hashed once, and again only when a file changed."""

import hashlib
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
    return " or ".join(str(folder) for folder in model_folders())


def hash_of(path: Path) -> str:
    """SHA-256 of a file's content; "" when it cannot be read."""
    try:
        stat = path.stat()
        key = (path, stat.st_mtime_ns, stat.st_size)
        if key not in _hashes:
            with path.open("rb") as file:
                _hashes[key] = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        if path.exists():
            log.warning("a model file cannot be read", path=str(path), error=str(error))
        return ""
    return _hashes[key]
