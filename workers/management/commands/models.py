"""`manage.py models`: which model files the analyses need, whether they are there; to add or download them."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.domain.analysis import maker
from workers import modeldownloads, modelfiles, presetdownloads, presets
from workers.catalog import MODELS
from workers.modelfiles import State


class Command(BaseCommand):
    """List, check, add or download model files."""

    help = "List the analyses' model files, check that they are whole, add them from a folder, or download them."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "action",
            nargs="?",
            default="list",
            choices=["list", "check", "add", "download"],
            help="list (also when nothing is said): what is needed and how it stands; check: the same, and fail "
            "unless all are ready; add FOLDER: copy those in a folder into Filmroll's own; download: fetch those "
            "that are not ready",
        )
        parser.add_argument(
            "names", nargs="*", metavar="NAME", help="only these models, all when none is named; for add: folders"
        )

    def handle(self, *_: Any, action: str, names: list[str], **__: Any) -> None:
        if action == "add":
            self._add(names)
            names = []
        if unknown := set(names) - set(MODELS):
            raise CommandError(f"No model is called {', '.join(sorted(unknown))}. There is: {', '.join(MODELS)}.")
        chosen = names or list(MODELS)
        if action == "download":
            for name in chosen:
                self._download(name)
        ready = [self._show(name) for name in chosen]
        if action == "check" and not all(ready):
            raise CommandError("Not every model is ready.")

    def _show(self, name: str) -> bool:
        model, seen = MODELS[name], modelfiles.look(name)
        if model.is_preset:
            return self._show_preset(name)
        self.stdout.write(f"{name} {model.version}: {seen.state} ({model.purpose}; {model.size:,} bytes)")
        for line in [seen.reason] if seen.reason else map(str, seen.paths.values()):
            self.stdout.write(f"  {line}")
        self.stdout.write(f"  licence: {model.licence}")
        return seen.state in (State.READY, State.TO_MAKE)

    def _show_preset(self, name: str) -> bool:
        """What needs no preset is complete without one; one that is there has to be whole."""
        seen, preset = modelfiles.look(name), presets.chosen()
        if preset and seen.state is State.READY:
            version, size = maker(*presets.identity(preset)), presets.size_of(preset)
            self.stdout.write(f"{name} {version}: {seen.state} ({MODELS[name].purpose}; {size:,} bytes)")
            self.stdout.write(f"  {preset.folder}")
        else:
            state = seen.state if seen.state is State.DAMAGED else "not installed"
            self.stdout.write(f"{name}: {state} ({MODELS[name].purpose}; nothing else needs it)")
            self.stdout.write(f"  {seen.reason}")
        return seen.state is not State.DAMAGED

    def _add(self, folders: list[str]) -> None:
        if not folders:
            raise CommandError("Say which folder: manage.py models add FOLDER")
        for folder in map(Path, folders):
            if not folder.is_dir():
                raise CommandError(f"{folder} is no folder.")
            for path in modelfiles.add_from(folder):
                self.stdout.write(f"added {path.name}")

    def _download(self, name: str) -> None:
        try:
            if not MODELS[name].is_preset:
                modeldownloads.download(name)
            elif presets.why_not() and presetdownloads.is_wanted():
                presetdownloads.download()
        except modeldownloads.DownloadError as error:
            raise CommandError(str(error)) from error
