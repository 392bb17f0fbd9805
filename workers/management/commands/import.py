"""manage.py import: a folder becomes a library; a folder or file inside one is looked at again."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.commands.libraries import add_library
from core.domain.libraries import NotAFolder
from core.readmodels.libraries import Library, all_libraries
from core.storage import text_to_path
from workers.scan import found_at, queue_files, queue_scans


class Command(BaseCommand):
    """Queues photos for import; the workers do the rest."""

    help = "Index a folder in place (its files are never touched), or look again at a part of a known folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", nargs="+", type=Path, help="a folder, or a file in a folder that is known")

    def handle(self, *_args: Any, **options: Any) -> None:
        for path in options["path"]:
            self.stdout.write(self._import(path.expanduser().resolve()))

    def _import(self, path: Path) -> str:
        if not path.exists():
            raise CommandError(f"{path} does not exist.")
        known = _library_with(path)
        if known is not None and path.is_file():
            found = found_at(path, Path(text_to_path(known.root)))
            queued = queue_files(known.id, [found] if found else [])
            return f"{path}: {'queued' if queued else 'known already, or ignored'}"
        if known is not None:
            queue_scans([known.id])
            return f"{path}: lies in the library {known.name}, which is looked through now"
        try:
            add_library(path, actor="cli")
        except NotAFolder as error:
            raise CommandError(f"{error} A single file is imported only from a folder that is known.") from error
        return f"{path}: registered, and looked through now"


def _library_with(path: Path) -> Library | None:
    return next((one for one in all_libraries() if path.is_relative_to(text_to_path(one.root))), None)
