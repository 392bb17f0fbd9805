"""Presets of text-image models, as keras-hub writes them: folders that are known by what is in them.

Nobody has pinned their hashes, so any preset of a known kind counts. What it is called in the events follows from
its content: another content is another version, whatever the folder's name.
"""

import hashlib
import importlib.util
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from workers.modelplaces import files_named, hash_of, in_words, kept_models, model_folders

PACKAGE = "keras_hub"
# What keras-hub calls the network of a preset → what it is called here, and the files of its vocabulary.
_KINDS = {
    "keras_hub>CLIPBackbone": ("clip", ("vocabulary.json", "merges.txt")),
    "keras_hub>SigLIPBackbone": ("siglip", ("vocabulary.spm",)),
}
_CONFIG = "config.json"
_PARTS = ("tokenizer.json", "image_converter.json")
# What a preset says of itself besides, as when it was saved, makes no other model of it.
_COUNTS = (_CONFIG, *_PARTS, "preprocessor.json", "model*.weights.*", "assets/**/*")
_VERSION_LETTERS = 12


@dataclass(frozen=True, slots=True)
class Preset:
    """A preset in a folder; `lacking` names the files that belong to it and are not there."""

    folder: Path
    kind: str
    lacking: tuple[str, ...] = ()


def is_installed() -> bool:
    """Whether the package is there that reads presets. Found, not imported: it would bring TensorFlow along."""
    return importlib.util.find_spec(PACKAGE) is not None


def chosen() -> Preset | None:
    """The preset that is used: the one that the installation names, else the first by name that is whole."""
    wanted: str = settings.MEANING_PRESET
    name = hub_name(wanted) if is_hub(wanted) else wanted
    found = [one for one in _all() if not name or one.folder.name == name]
    return min(found, key=lambda one: (bool(one.lacking), one.folder.name), default=None)


def why_not() -> str:
    """In plain words why no preset can be used; "" when one can."""
    if not is_installed():
        return "Search by meaning is not installed: the package keras-hub is not there (docs/search.md)."
    preset = chosen()
    if preset is None:
        named = f" called {settings.MEANING_PRESET}" if settings.MEANING_PRESET else ""
        return (
            f"Search by meaning has no model: there is no preset{named} in {in_words()}. "
            "Put one there, or copy it with ./manage.py models add FOLDER (docs/search.md)."
        )
    if preset.lacking:
        return f"The preset in {preset.folder} is not whole: there is no {' and no '.join(preset.lacking)}."
    return ""


def identity(preset: Preset) -> tuple[str, str]:
    """What a preset is called in events: its kind, and a hash of all that makes it what it is, read once."""
    files = sorted({path for pattern in _COUNTS for path in preset.folder.glob(pattern) if path.is_file()})
    said = "".join(f"{path.relative_to(preset.folder).as_posix()} {hash_of(path)}\n" for path in files)
    return preset.kind, hashlib.sha256(said.encode()).hexdigest()[:_VERSION_LETTERS]


def size_of(preset: Preset) -> int:
    """Bytes of its weights."""
    return sum(path.stat().st_size for path in preset.folder.glob("model*.weights.*"))


def add_from(folder: Path) -> list[Path]:
    """Copy the whole presets in a folder, itself or at any depth, into Filmroll's own; where they are now."""
    added = []
    for preset in presets_in([folder]):
        target = kept_models() / preset.folder.resolve().name
        if preset.lacking or _holds_same(target, preset):
            continue
        part = kept_models() / f".{target.name}.added"
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(preset.folder, part)
        put_in_place(part, target)
        added.append(target)
    return added


def put_in_place(part: Path, target: Path) -> None:
    """What was copied or fetched is there from now on, in place of what had its name before."""
    former = target.with_name(f".{target.name}.former")
    shutil.rmtree(former, ignore_errors=True)
    if target.exists():
        target.replace(former)
    part.replace(target)
    shutil.rmtree(former, ignore_errors=True)


def _holds_same(target: Path, preset: Preset) -> bool:
    there = next(presets_in([target]), None)
    return there is not None and not there.lacking and identity(there) == identity(preset)


def presets_in(folders: Iterable[Path]) -> Iterator[Preset]:
    """Every preset in these folders, themselves or at any depth."""
    for folder in folders:
        for config in files_named(folder, _CONFIG):
            # What is being copied or fetched has a name with a dot before it.
            if any(part.startswith(".") for part in config.relative_to(folder).parts):
                continue
            if preset := _preset(config):
                yield preset


def is_hub(name: str) -> bool:
    """Whether this is a hub's handle and no folder's name."""
    return "://" in name


def hub_name(handle: str) -> str:
    """The folder's name of what comes from a hub: kaggle://keras/clip/keras/clip_vit_base_patch32/3."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", handle).strip("-.")


def _all() -> Iterator[Preset]:
    return presets_in(model_folders())


def _preset(config: Path) -> Preset | None:
    try:
        said = json.loads(config.read_bytes())
    except (OSError, ValueError):
        return None
    known = _KINDS.get(said.get("registered_name", "")) if isinstance(said, dict) else None
    if known is None:
        return None
    folder, (kind, words) = config.parent, known
    wanted = [*_PARTS, *(f"assets/tokenizer/{word}" for word in words)]
    lacking = [name for name in wanted if not os.path.isfile(folder / name)]  # noqa: PTH113
    if not any(folder.glob("model*.weights.*")):
        lacking.append("model.weights.h5")
    return Preset(folder, kind, tuple(lacking))
