"""manage.py import: a folder becomes a library, or is copied in; inside a known one it is looked at again."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.commands.accounts import UnknownAccount, account_named
from core.commands.libraries import add_library
from core.domain.libraries import NotAFolder
from core.domain.uploads import UploadRefused
from core.readmodels.libraries import Folder, all_folders, library_by_id
from core.storage import path_to_text
from workers.copying import Copied, copy_in
from workers.ignoring import Rules
from workers.scan import found_at, queue_scans, take_up


class Command(BaseCommand):
    """Queues photos for import; the workers do the rest."""

    help = "Index a folder in place (its files are never touched), or look again at a part of a known folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", nargs="+", type=Path, help="a folder, or a file in a folder that is known")
        parser.add_argument(
            "--copy", action="store_true", help="copy the files into Filmroll's own folder, as uploads are"
        )
        parser.add_argument(
            "--user",
            default="",
            help="whose copies they are (the first administrator's if not said), or whose library a new folder is "
            "(seen by administrators alone if not said)",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        paths = [path.expanduser().resolve() for path in options["path"]]
        if options["copy"]:
            self._copy(paths, options["user"])
            return
        for path in paths:
            self.stdout.write(self._import(path, options["user"]))

    def _copy(self, paths: list[Path], user: str) -> None:
        copied = Copied()
        try:
            account = account_named(user)
            for path in paths:
                if not path.exists():
                    raise CommandError(f"{path} does not exist.")
                copy_in(account, path, copied)
        except (UnknownAccount, UploadRefused) as error:
            raise CommandError(str(error)) from error
        finally:
            self._tell(copied)

    def _tell(self, copied: Copied) -> None:
        for path, reason in copied.refused:
            self.stderr.write(f"{readable(path)}: {reason}")
        for folder in copied.unreadable:
            self.stderr.write(f"{folder}: this folder cannot be entered.")
        told = f"{copied.kept:,} copied, {copied.there:,} there already, {len(copied.refused):,} not taken"
        self.stdout.write(told)

    def _import(self, path: Path, user: str) -> str:
        if not path.exists():
            raise CommandError(f"{path} does not exist.")
        folder = _folder_with(path)
        if folder is not None:
            return self._import_again(path, folder)
        try:
            add_library(path, owner=account_named(user).pk if user else None, actor="cli")
        except UnknownAccount as error:
            raise CommandError(str(error)) from error
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


def readable(path: Path) -> str:
    """A path for a terminal: bytes that are no text become signs of replacement, and no sign moves the cursor."""
    shown = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in shown)


def _folder_with(path: Path) -> Folder | None:
    return next((one for one in all_folders() if path.is_relative_to(one.place)), None)
