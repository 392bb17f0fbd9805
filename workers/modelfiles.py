"""The model files that analyses need: where they lie, and whether they are whole. Nothing is downloaded here.

A file counts only when its SHA-256 is the pinned one, or when it was made here from files whose hashes are.
"""

import enum
import hashlib
import importlib.util
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from django.conf import settings

from workers.catalog import MODELS, ModelFile

log = structlog.get_logger(__name__)


class State(enum.StrEnum):
    """How a model stands."""

    READY = "ready"  # all files are there, and the pinned hashes are right
    TO_MAKE = "to be made"  # a file is still to be made from others, which are there
    MISSING = "missing"  # no file of its name
    DAMAGED = "damaged"  # a file of its name, with other content


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at the folders found: role → whole file; `reason` in plain words; `lacking`: what is not."""

    state: State
    paths: dict[str, Path] = field(default_factory=dict)
    reason: str = ""
    lacking: tuple[ModelFile, ...] = ()


def look(name: str) -> Look:
    """How the model stands. Raises KeyError for a name that is not in the catalogue."""
    paths: dict[str, Path] = {}
    lacking: list[ModelFile] = []
    to_make: list[ModelFile] = []
    for file in MODELS[name].files:
        if path := find_file(file):
            paths[file.role] = path
        elif file.made_from and all(map(find_file, file.made_from)):
            to_make.append(file)
        else:
            lacking += [part for part in file.made_from if not find_file(part)] or [file]
    if lacking:
        return _incomplete(name, paths, lacking)
    if to_make:
        reason = f"The model {name} is complete once {to_make[0].name} has been made, which a worker does."
        return Look(State.TO_MAKE, paths, reason, tuple(to_make))
    return Look(State.READY, paths)


def find(name: str) -> dict[str, Path] | None:
    """The model's files by role when it is ready."""
    seen = look(name)
    return seen.paths if seen.state is State.READY else None


def find_file(file: ModelFile) -> Path | None:
    """Where a file lies whole."""
    return next((path for path in _candidates(file) if _hash_of(path) == file.sha256), None) or _made(file)


def place_of_made(file: ModelFile) -> Path:
    """Where a file goes that is made from others: another place for each content of these."""
    parts = hashlib.sha256("".join(part.sha256 for part in file.made_from).encode()).hexdigest()
    return kept_models() / "made" / parts[:12] / file.name


def seal(made: Path) -> None:
    """Write down the hash of a file that was made here, so that it is believed from now on."""
    with made.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    seal_of = _seal_of(made)
    part = seal_of.with_suffix(".part")
    part.write_text(digest)
    part.replace(seal_of)


def add_from(folder: Path) -> list[Path]:
    """Copy the whole files of any model from a folder, at any depth, into Filmroll's own; where they are now."""
    added = []
    kept_models().mkdir(parents=True, exist_ok=True)
    for file in every_file():
        found = next((path for path in _named(folder, file.name) if _hash_of(path) == file.sha256), None)
        if found and find_file(file) is None:
            part = kept_models() / f".{file.name}.added"
            shutil.copyfile(found, part)
            added.append(part.replace(kept_models() / file.name))
    return added


def every_file() -> Iterator[ModelFile]:
    """Each file of the catalogue, and each that another is made from."""
    for model in MODELS.values():
        for file in model.files:
            yield from (file, *file.made_from)


def kept_models() -> Path:
    """Filmroll's own folder of models."""
    return Path(settings.DATA_DIR) / "models"


def _incomplete(name: str, paths: dict[str, Path], lacking: list[ModelFile]) -> Look:
    damaged = next((path for file in lacking for path in _candidates(file)), None)
    if damaged:
        reason = f"{damaged} is not of the model {name}: its content differs. Replace it."
        return Look(State.DAMAGED, paths, reason, tuple(lacking))
    names = " and ".join(file.name for file in lacking)
    reason = f"The model {name} is missing: there is no {names} in {_places()}."
    return Look(State.MISSING, paths, reason, tuple(lacking))


def _places() -> str:
    return " or ".join(str(folder) for folder in (settings.MODELS_DIR, kept_models()) if folder)


def _candidates(file: ModelFile) -> Iterator[Path]:
    """Files of that name: in the package that carries it, then the installation's own folder, at any depth."""
    if file.package and (carried := _in_package(file)):
        yield carried
    for folder in (settings.MODELS_DIR, kept_models()):
        if folder:
            yield from _named(Path(folder), file.name)


def _named(folder: Path, name: str) -> list[Path]:
    return sorted(path for path in folder.rglob(name) if path.is_file() and path.parent.parent.name != "made")


def _in_package(file: ModelFile) -> Path | None:
    # Found, not imported: importing the package would bring TensorFlow along.
    package, _, folder = file.package.partition("/")
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(found.submodule_search_locations[0]) / folder / file.name
    return path if path.is_file() else None


def _made(file: ModelFile) -> Path | None:
    if not file.made_from:
        return None
    made = place_of_made(file)
    try:
        return made if _seal_of(made).read_text() == _hash_of(made) else None
    except OSError:
        return None


def _seal_of(made: Path) -> Path:
    return made.with_name(f"{made.name}.sha256")


_hashes: dict[tuple[Path, int, int], str] = {}


def _hash_of(path: Path) -> str:
    """Reads a file once, and again only when its time or size changed; "" when it cannot be read."""
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
