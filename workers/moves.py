"""Files and folders that were renamed or moved: their photos go along, and nothing is read anew."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from core.commands.files import record_moved
from core.readmodels.files import FileState, PhotoFile, files_below
from core.readmodels.libraries import Folder
from core.storage import original_path
from workers.disks import is_gone
from workers.ignoring import Rules
from workers.knownfiles import known_file

_ACTOR = "worker:watch"


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
        rows = list(files_below(folder.id, before))
        targets = {row.id: after + row.path[len(before) :] for row in rows}
        taken = set(
            PhotoFile.objects.filter(folder_id=folder.id, path__in=list(targets.values()), photo_id__isnull=False)
            .values_list("path", flat=True)
            .iterator()
        )
        plain = [row for row in rows if _is_plain(folder, rules, row, targets[row.id], taken)]
        record_moved([(known_file(row), folder.id, targets[row.id]) for row in plain], actor=_ACTOR)
        followed = {row.id for row in plain}
        _leave_over(rest, [row for row in rows if row.id not in followed], targets, after, plain)
    return rest


def _is_plain(folder: Folder, rules: Rules, row: PhotoFile, to: str, taken: set[str]) -> bool:
    if row.photo_id is None or row.state != FileState.INDEXED or to in taken or rules.leaves_out(to):
        return False
    return is_gone(original_path(folder.root, row.path)) and not is_gone(original_path(folder.root, to))


def _leave_over(
    rest: Rest, rows: Sequence[PhotoFile], targets: dict[UUID, str], after: str, plain: Sequence[PhotoFile]
) -> None:
    rest.gone |= {row.path for row in rows}
    rest.found |= {targets[row.id] for row in rows} | {row.path for row in rows}
    if not rows and not plain:
        rest.found.add(after)  # nothing was known of it
