"""Files and folders that were renamed or moved: their photos go along, and nothing is read anew."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction

from core.commands.files import record_moved
from core.readmodels.files import FileState, PhotoFile, files_below
from core.readmodels.libraries import Folder
from core.storage import original_path
from workers.disks import is_gone
from workers.ignoring import Rules
from workers.knownfiles import hold_places, known_file

_ACTOR = "worker:watch"
# Files of one transaction.
_TOGETHER = 500


@dataclass(slots=True)
class Rest:
    """What a list of moves leaves to do: paths that have to be looked at, and ones where nothing is any more."""

    found: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)


def follow_moves(folder: Folder, rules: Rules, moves: Iterable[tuple[str, str]]) -> Rest:
    """Record moves (path before, path after) as far as they are plain ones.

    No plain move is one onto another photo's file (programs save by writing beside and renaming: that is an edit),
    or one whose old name holds a file again (a program that keeps a backup). Their files are looked at instead.
    """
    rest = Rest()
    for before, after in moves:
        ids = list(files_below(folder.id, before).values_list("id", flat=True))
        # In parts: who appends holds up those who read the log for as long as the transaction lasts.
        for start in range(0, len(ids), _TOGETHER):
            with transaction.atomic():
                hold_places(folder.id, alone=True)
                _follow(folder, rules, ids[start : start + _TOGETHER], (before, after), rest)
        if not ids:
            rest.found.add(after)  # nothing was known of it
    return rest


def _follow(folder: Folder, rules: Rules, ids: Sequence[UUID], move: tuple[str, str], rest: Rest) -> None:
    """Record what is plain of a part of a move, and leave over the rest of it."""
    before, after = move
    rows = list(PhotoFile.objects.filter(id__in=ids).order_by("path"))
    targets = {row.id: after + row.path[len(before) :] for row in rows}
    taken = set(
        PhotoFile.objects.filter(folder_id=folder.id, path__in=list(targets.values()), photo_id__isnull=False)
        .values_list("path", flat=True)
        .iterator()
    )
    plain = {row.id: row for row in rows if _is_plain(folder, rules, row, targets[row.id], taken)}
    record_moved([(known_file(row), folder.id, targets[row.id]) for row in plain.values()], actor=_ACTOR)
    left = [row for row in rows if row.id not in plain]
    rest.gone |= {row.path for row in left}
    rest.found |= {targets[row.id] for row in left} | {row.path for row in left}
    if len(rows) < len(ids):  # somebody else has taken one of them elsewhere
        rest.found.add(after)


def _is_plain(folder: Folder, rules: Rules, row: PhotoFile, to: str, taken: set[str]) -> bool:
    if row.photo_id is None or row.state != FileState.INDEXED or to in taken or rules.leaves_out(to):
        return False
    return is_gone(original_path(folder.root, row.path)) and not is_gone(original_path(folder.root, to))
