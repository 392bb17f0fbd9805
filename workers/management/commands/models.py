"""`manage.py models`: which model files the analyses need, whether they are there, and a download of them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workers import modelfiles
from workers.modelfiles import MODELS, State


class Command(BaseCommand):
    """List, check or download model files."""

    help = "List the model files of the analyses, check that they are whole, or download them."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "action",
            nargs="?",
            default="list",
            choices=["list", "check", "download"],
            help="list (also when nothing is said): what is needed and how it stands; check: the same, and fail "
            "unless all are ready; download: fetch those that are not ready",
        )
        parser.add_argument("names", nargs="*", metavar="NAME", help="only these models; all when none is named")

    def handle(self, *_: Any, action: str, names: list[str], **__: Any) -> None:
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
        self.stdout.write(f"{name} {model.version}: {seen.state} ({model.purpose}; {model.size:,} bytes)")
        self.stdout.write(f"  {seen.reason or seen.path}")
        self.stdout.write(f"  licence: {model.licence}")
        return seen.state is State.READY

    def _download(self, name: str) -> None:
        if modelfiles.find(name):
            return
        try:
            modelfiles.download(name)
        except modelfiles.DownloadError as error:
            raise CommandError(str(error)) from error
