"""What may be done with a library, and what was seen of its folders."""

import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from uuid import UUID

from core.commands.decisions import Decision, noting, settle
from core.commands.log import library_of, named, write
from core.domain import libraries
from core.domain.analysis import AnalysesSwitched, Analysis, AnalysisAsked
from core.domain.libraries import Library, LibraryEvent, LibraryNotFound, NotAFolder, library_id
from core.domain.streams import library_stream
from core.storage import folder_path, managed_root, path_to_text
from events.event import Event
from events.store import NO_STREAM, VersionConflict


def add_library(folder: Path, *, name: str = "", owner: UUID | None = None, actor: str) -> UUID:
    """Register a folder as a library that is indexed in place; one that is registered already stays as it is.

    Raises NotAFolder.
    """
    resolved = readable_folder(folder)
    root = path_to_text(resolved)
    identity = library_id(root)
    added = libraries.LibraryAdded(name or path_to_text(resolved.name) or root, root, owner)
    try:
        write(library_stream(identity), [added], actor=actor, expected=NO_STREAM)
    except VersionConflict:  # it is there already, which is what was asked for
        _decide(identity, lambda library: [libraries.LibraryRestored()] if library.removed else [], actor)
    return identity


def managed_library(owner: UUID, name: str, *, actor: str) -> UUID:
    """The library that an account's uploads go to, made on first use and brought back when it was taken out."""
    root = managed_root(owner)
    folder_path(root).mkdir(parents=True, exist_ok=True)
    identity = library_id(root)
    added = libraries.LibraryAdded(name, root, owner, in_place=False)
    # Nobody but Filmroll puts files there, and it knows of those.
    begun: list[LibraryEvent] = [added, libraries.WatchSwitched(False)]
    try:
        write(library_stream(identity), begun, actor=actor, expected=NO_STREAM)
    except VersionConflict:  # it is there already
        _decide(identity, lambda library: [libraries.LibraryRestored()] if library.removed else [], actor)
    return identity


def rename_library(identity: UUID, name: str, *, actor: str) -> None:
    """Give a library another name; an empty one changes nothing."""
    wanted = name.strip()
    _decide(
        identity,
        lambda library: [libraries.LibraryRenamed(wanted)] if wanted not in ("", library.name) else [],
        actor,
    )


def give_library(identity: UUID, owner: UUID | None, *, actor: str) -> UUID | None:
    """Make a library somebody else's; the event that takes it back, None where it is theirs already.

    What follows from it, `core.handover` sees to. Raises UploadsStay, LibraryNotFound.
    """
    return _hand_over(identity, lambda stored: libraries.decide_owner(library_of(identity, stored), owner), actor)


def take_back_library(identity: UUID, event: UUID, *, actor: str) -> UUID | None:
    """Give a library back to whose it was before. Raises NotUndoable, LibraryNotFound."""

    def decide(stored: Sequence[Event]) -> Sequence[LibraryEvent]:
        return libraries.decide_taken_back(identity, named(stored), event)  # type: ignore[arg-type]  # no others

    return _hand_over(identity, decide, actor)


def remove_library(identity: UUID, *, actor: str) -> None:
    """Take a library out: its photos are no longer shown. Nothing is deleted; registered again, all is back."""
    _decide(identity, lambda library: [] if library.removed else [libraries.LibraryRemoved()], actor)


def add_folder(identity: UUID, folder: Path, *, actor: str) -> None:
    """One more folder for a library. Raises NotAFolder, FolderTaken, LibraryNotFound."""
    root = path_to_text(readable_folder(folder))
    _decide(identity, lambda library: libraries.decide_folder(identity, library, root), actor)


def remove_folder(identity: UUID, folder: UUID, *, actor: str) -> None:
    """Take a folder out of a library. Raises LastFolder, LibraryNotFound."""
    _decide(identity, lambda library: libraries.decide_removal(library, folder), actor)


def change_ignore_rules(identity: UUID, rules: Sequence[str], *, actor: str) -> None:
    """Leave out other files from now on; lines as in a .gitignore."""
    wanted = tuple(line.rstrip() for line in rules if line.strip())
    changed = libraries.IgnoreRulesChanged(wanted)
    _decide(identity, lambda library: [changed] if wanted != library.rules else [], actor)


def switch_watch(identity: UUID, *, on: bool, actor: str) -> None:
    """Take up changes on disk at once, or only by a rescan."""
    _decide(identity, lambda library: [libraries.WatchSwitched(on)] if on != library.watching else [], actor)


def switch_sidecars(identity: UUID, *, on: bool, actor: str) -> None:
    """Write what people say of a photo into an XMP sidecar beside its original, or nothing beside originals."""
    _decide(identity, lambda lib: [libraries.SidecarsSwitched(on)] if on != lib.write_sidecars else [], actor)


def switch_analyses(identity: UUID, off: Collection[Analysis], *, actor: str) -> None:
    """Do without these analyses from now on, and with all others."""
    switched = AnalysesSwitched(tuple(one for one in Analysis if one in off))
    _decide(identity, lambda lib: [switched] if frozenset(off) != lib.analyses_off else [], actor)


def ask_for_rescan(identity: UUID, *, actor: str) -> None:
    """Have a library's folders looked through now."""
    _decide(identity, lambda _: [libraries.RescanAsked()], actor)


def ask_to_remake(identity: UUID, *, actor: str) -> None:
    """Have previews and facts of an earlier version made again, in the background, behind all other work."""
    _decide(identity, lambda _: [libraries.RemakeAsked()], actor)


def ask_for_analysis(identity: UUID, *, actor: str) -> None:
    """Have a library's photos looked at again where nobody has looked yet, or an older model has."""
    _decide(identity, lambda _: [AnalysisAsked()], actor)


def record_folder(identity: UUID, fact: libraries.HealthEvent, *, actor: str) -> bool:
    """Record what was seen of a folder; whether that was news."""
    return _decide(identity, lambda library: [fact] if libraries.decide_health(library, fact) else [], actor)


def readable_folder(folder: Path) -> Path:
    """The folder's full path. Raises NotAFolder, with words for whoever asked."""
    try:
        resolved = folder.expanduser().resolve()
        os.scandir(resolved).close()
    except PermissionError as error:
        raise NotAFolder(f"{folder} cannot be read: Filmroll's user has no right to.") from error
    except (OSError, ValueError, RuntimeError) as error:  # a NUL in the name; a home that nobody has
        raise NotAFolder(f"{folder} is not a folder that can be read.") from error
    return resolved


def _hand_over(
    identity: UUID, decide: Callable[[Sequence[Event]], Sequence[LibraryEvent]], actor: str
) -> UUID | None:
    made: list[UUID] = []
    missing = LibraryNotFound(str(identity))
    settle(Decision(library_stream(identity), decide, missing, noting(made)), actor=actor)
    return made[0] if made else None


def _decide(identity: UUID, decide: Callable[[Library], Sequence[LibraryEvent]], actor: str) -> bool:
    """Whether there was something new. Raises LibraryNotFound."""
    decision = Decision(
        library_stream(identity),
        lambda stored: decide(library_of(identity, stored)),
        missing=LibraryNotFound(str(identity)),
    )
    return settle(decision, actor=actor)
