"""Copies files from anywhere into an account's managed library, with all that holds for uploads."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from core.accounts import Account
from core.domain.libraries import DEFAULT_IGNORE
from core.domain.uploads import Announced, ContentDiffers, NotWanted
from core.readmodels.uploads import already_there
from core.receiving import keep_at_once
from core.storage import original_path, path_to_text
from workers.ignoring import Rules
from workers.scan import walk_files

_CHUNK = 1 << 20
# Who copies whole folders in does not wait for each photo: it takes its turn behind what people upload.
_ACTOR = "cli"


@dataclass(slots=True)
class Copied:
    """What became of the files, by number; `refused` has each one's reason, in words."""

    kept: int = 0
    there: int = 0
    refused: list[tuple[Path, str]] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def copy_in(account: Account, path: Path, result: Copied) -> None:
    """Copy one file, or all files of a folder. Raises NoRoom and QuotaExceeded: then nothing more fits."""
    for file in _files(path, result.unreadable):
        try:
            _copy(account, file, result)
        except (NotWanted, ContentDiffers) as error:  # a file that changed meanwhile is one of the latter
            result.refused.append((file, str(error)))
        except OSError as error:
            result.refused.append((file, f"It cannot be read: {error.strerror or error}."))


def _files(path: Path, unreadable: list[str]) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for found, _, _ in walk_files(path, Rules(list(DEFAULT_IGNORE)), unreadable):
        yield original_path(path_to_text(path), found)


def _copy(account: Account, file: Path, result: Copied) -> None:
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        if digest in already_there(account, [digest]):
            result.there += 1
            return
        facts = file.stat()
        opened.seek(0)
        name = file.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        announced = Announced(name, facts.st_size, digest, facts.st_mtime_ns)
        upload = keep_at_once(account, announced, iter(lambda: opened.read(_CHUNK), b""), actor=_ACTOR)
    result.there += upload.was_there
    result.kept += not upload.was_there
