"""manage.py import: a folder becomes a library; a folder or file inside one is looked at again."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.commands.libraries import add_library
from core.domain.libraries import NotAFolder
from core.readmodels.libraries import Folder, all_folders, library_by_id
from core.storage import path_to_text
from workers.ignoring import Rules
from workers.scan import found_at, queue_scans, take_up


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
        folder = _folder_with(path)
        if folder is not None:
            return self._import_again(path, folder)
        try:
            add_library(path, actor="cli")
        except NotAFolder as error:
            raise CommandError(f"{error} A single file is imported only from a folder that is known.") from error
        return f"{path}: registered, and looked through now"

    def _import_again(self, path: Path, folder: Folder) -> str:
        library = library_by_id(folder.library_id)
        if path.is_dir():
            queue_scans([library.id])
            return f"{path}: lies in the library {library.name}, which is looked through now"
        inside = path_to_text(path.relative_to(folder.place))
        found = found_at(folder.place, inside, Rules(library.ignore_rules))
        queued, back = take_up(folder, [found] if found else [])
        return f"{path}: {'queued' if queued or back else 'known already, or ignored'}"


def _folder_with(path: Path) -> Folder | None:
    return next((one for one in all_folders() if path.is_relative_to(one.place)), None)
