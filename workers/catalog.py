"""Reads the catalogue of models (`ml/catalog.toml`): what each is for, and which files it takes."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CATALOGUE = Path(__file__).with_name("ml") / "catalog.toml"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file: its part in the model, its name, size in bytes and hash; where it is had from.

    `package`: the folder of an installed package that may carry it. Without an address it is never downloaded;
    it may be made from others.
    """

    role: str
    name: str
    size: int
    sha256: str
    url: str = ""
    package: str = ""
    made_from: tuple["ModelFile", ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """What one analysis needs; its name and version go into the events."""

    name: str
    analysis: str
    version: str
    kind: str
    purpose: str
    licence: str
    input: str
    output: str
    files: tuple[ModelFile, ...]

    @property
    def is_preset(self) -> bool:
        """Whether it is any preset of its kind that the installation has, and not files that are pinned."""
        return self.kind == "text_image"

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)


def read_catalogue(path: Path = _CATALOGUE) -> dict[str, Model]:
    """The models by name. Raises TypeError or KeyError when an entry is not complete."""
    return {name: _model(name, entry) for name, entry in tomllib.loads(path.read_text()).items()}


def _model(name: str, entry: Mapping[str, Any]) -> Model:
    return Model(name=name, **{**entry, "files": tuple(_file(file) for file in entry.get("files", ()))})


def _file(entry: Mapping[str, Any]) -> ModelFile:
    return ModelFile(**{**entry, "made_from": tuple(_file(part) for part in entry.get("made_from", ()))})


MODELS = read_catalogue()
# Analysis → the model that does it.
BY_ANALYSIS = {model.analysis: model for model in MODELS.values()}
