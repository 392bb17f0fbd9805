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

from workers import presets
from workers.catalog import MODELS, ModelFile
from workers.modelplaces import files_named, hash_of, in_words, kept_models, model_folders


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
    if MODELS[name].is_preset:
        return _look_for_preset()
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


def identity(name: str) -> tuple[str, str]:
    """What a model is called in events, and its version; both empty where there is no preset."""
    model = MODELS[name]
    if not model.is_preset:
        return model.name, model.version
    preset = presets.chosen()
    return presets.identity(preset) if preset else ("", "")


def find_file(file: ModelFile) -> Path | None:
    """Where a file lies whole."""
    return next((path for path in _candidates(file) if hash_of(path) == file.sha256), None) or _made(file)


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
    kept_models().mkdir(parents=True, exist_ok=True)
    added = presets.add_from(folder)
    for file in every_file():
        found = next((path for path in _named(folder, file.name) if hash_of(path) == file.sha256), None)
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


def _look_for_preset() -> Look:
    reason, preset = presets.why_not(), presets.chosen()
    if not reason and preset:
        return Look(State.READY, {"preset": preset.folder})
    return Look(State.DAMAGED if preset and preset.lacking else State.MISSING, reason=reason)


def _incomplete(name: str, paths: dict[str, Path], lacking: list[ModelFile]) -> Look:
    damaged = next((path for file in lacking for path in _candidates(file)), None)
    if damaged:
        reason = f"{damaged} is not of the model {name}: its content differs. Replace it."
        return Look(State.DAMAGED, paths, reason, tuple(lacking))
    names = " and ".join(file.name for file in lacking)
    reason = f"The model {name} is missing: there is no {names} in {in_words()}."
    return Look(State.MISSING, paths, reason, tuple(lacking))


def _candidates(file: ModelFile) -> Iterator[Path]:
    """Files of that name: in the package that carries it, then the installation's own folder, at any depth."""
    if file.package and (carried := _in_package(file)):
        yield carried
    for folder in model_folders():
        yield from _named(folder, file.name)


def _named(folder: Path, name: str) -> list[Path]:
    return [path for path in files_named(folder, name) if path.parent.parent.name != "made"]


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
        return made if _seal_of(made).read_text() == hash_of(made) else None
    except OSError:
        return None


def _seal_of(made: Path) -> Path:
    return made.with_name(f"{made.name}.sha256")
