"""What can happen to a library: folders of originals that are indexed in place, and how."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar
from uuid import UUID, uuid5

from core.domain.analysis import AnalysesSwitched, Analysis, AnalysisAsked
from core.domain.edits import NotUndoable
from core.domain.personal import Personal

K = TypeVar("K")
V = TypeVar("V")

_NAMESPACE = UUID("5b1f5f0e-8a54-4e0e-9c62-6d1b8e3a7f10")

# What is left out until somebody says otherwise, written as in a .gitignore: hidden files (copying programs name
# their half-made files so), other programs' thumbnails, rubbish bins and sync state, and half-made files.
DEFAULT_IGNORE = (
    *(".*", "@eaDir/", "@Recycle/", "@Recently-Snapshot/", "[#]recycle/", "[#]snapshot/", "$RECYCLE.BIN/"),
    *("System Volume Information/", "lost+found/", "__MACOSX/", ".stfolder/", ".stversions/"),
    *("Thumbs.db", "desktop.ini", "*~", "*.tmp", "*.part", "*.partial", "*.crdownload", "*_exiftool_tmp"),
)


@dataclass(frozen=True, slots=True)
class LibraryAdded:
    """A folder was registered. `root` is text as `core.storage` makes it; the folder has the library's id."""

    name: Personal[str]
    root: Personal[str]
    owner: Personal[UUID | None] = None
    in_place: bool = True


@dataclass(frozen=True, slots=True)
class LibraryRenamed:
    """A person gave it another name."""

    name: Personal[str]


@dataclass(frozen=True, slots=True)
class OwnerChanged:
    """The library is somebody else's from now on; absent: nobody's but the administrators'."""

    owner: Personal[UUID | None]


@dataclass(frozen=True, slots=True)
class LibraryRemoved:
    """A person took the library out. Its photos are no longer shown; nothing is deleted."""


@dataclass(frozen=True, slots=True)
class LibraryRestored:
    """A library that had been taken out was registered again: its photos are back, with all that is known."""


@dataclass(frozen=True, slots=True)
class FolderAdded:
    """One more folder belongs to the library, or one that had been taken out does again."""

    folder: UUID
    root: Personal[str]


@dataclass(frozen=True, slots=True)
class FolderRemoved:
    """A person took a folder out. Photos that lie nowhere else are no longer shown; nothing is deleted."""

    folder: UUID


@dataclass(frozen=True, slots=True)
class IgnoreRulesChanged:
    """Other files are left out from now on; the rules are lines of a .gitignore."""

    rules: Personal[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class WatchSwitched:
    """Whether changes on disk are taken up at once, or only by a rescan."""

    on: bool


@dataclass(frozen=True, slots=True)
class SidecarsSwitched:
    """Whether what people say of a photo is written into an XMP sidecar beside its original."""

    on: bool


@dataclass(frozen=True, slots=True)
class RescanAsked:
    """A person wants the folders to be looked through now."""


@dataclass(frozen=True, slots=True)
class RemakeAsked:
    """A person wants previews and facts that an earlier version of Filmroll made to be made again."""


@dataclass(frozen=True, slots=True)
class FolderOffline:
    """The folder cannot be reached (a disk that is not mounted), so nothing can be said of the files in it.

    `below` names the place inside the folder where that disk was mounted; "" means the whole folder.
    """

    folder: UUID
    code: str
    reason: str
    below: Personal[str] = ""


@dataclass(frozen=True, slots=True)
class FolderOnline:
    """The folder is there, on this device; said when it comes, comes `back`, or lies on another device.

    `below` names a place inside the folder where another disk is mounted; "" means the folder itself.
    """

    folder: UUID
    device: int
    back: bool = False
    below: Personal[str] = ""


@dataclass(frozen=True, slots=True)
class MountForgotten:
    """No disk is mounted at this place inside the folder any more, and no photo's file is waited for there."""

    folder: UUID
    below: Personal[str]


@dataclass(frozen=True, slots=True)
class FolderWatchFailed:
    """Changes in the folder are not told by the system; it is looked through now and then instead."""

    folder: UUID
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class FolderWatched:
    """Changes in the folder are told again."""

    folder: UUID


LibraryEvent = (
    LibraryAdded
    | LibraryRenamed
    | OwnerChanged
    | LibraryRemoved
    | LibraryRestored
    | FolderAdded
    | FolderRemoved
    | IgnoreRulesChanged
    | WatchSwitched
    | SidecarsSwitched
    | AnalysesSwitched
    | AnalysisAsked
    | RescanAsked
    | RemakeAsked
    | FolderOffline
    | FolderOnline
    | MountForgotten
    | FolderWatchFailed
    | FolderWatched
)


class LibraryNotFound(LookupError):
    """There is no such library, or not for this account."""


class NotAFolder(ValueError):
    """A library needs a folder that exists and can be read."""


class FolderTaken(ValueError):
    """A folder lies in one that is indexed already, or around one: its files would be found twice."""


class UploadsStay(ValueError):
    """The library of what an account uploads is that account's."""


class LastFolder(ValueError):
    """A library keeps one folder at least."""


@dataclass(frozen=True, slots=True)
class Library:
    """A library's state, folded from its events, as far as decisions need it."""

    version: int = 0
    name: str = ""
    owner: UUID | None = None
    in_place: bool = True
    removed: bool = False
    folders: dict[UUID, str] = field(default_factory=dict)
    rules: tuple[str, ...] = DEFAULT_IGNORE
    watching: bool = True
    write_sidecars: bool = False
    analyses_off: frozenset[Analysis] = frozenset()
    # By folder and place below it ("": the folder itself), where a disk of its own is mounted.
    devices: dict[tuple[UUID, str], int] = field(default_factory=dict)
    offline: dict[tuple[UUID, str], str] = field(default_factory=dict)
    unwatched: dict[UUID, str] = field(default_factory=dict)

    @property
    def exists(self) -> bool:
        return self.version > 0


def library_id(root: str) -> UUID:
    """A library's id follows from its first folder, so registering it twice is harmless."""
    return uuid5(_NAMESPACE, root)


def folder_id(library: UUID, root: str) -> UUID:
    """The id of a further folder: taken out and added again it is the same one."""
    return library if library == library_id(root) else uuid5(library, f"folder:{root}")


def fold(library: UUID, events: Iterable[LibraryEvent]) -> Library:
    """The state after these events."""
    state = Library()
    for event in events:
        state = replace(evolve(library, state, event), version=state.version + 1)
    return state


def evolve(identity: UUID, library: Library, event: LibraryEvent) -> Library:  # noqa: C901  # a flat table
    """The state after one more event."""
    match event:
        case LibraryAdded(name=name, root=root, owner=owner, in_place=in_place):
            return replace(library, name=name, folders={identity: root}, owner=owner, in_place=in_place)
        case LibraryRenamed(name=name):
            return replace(library, name=name)
        case OwnerChanged(owner=owner):
            return replace(library, owner=owner)
        case LibraryRemoved():
            return replace(library, removed=True)
        case LibraryRestored():
            return replace(library, removed=False)
        case FolderAdded(folder=folder, root=root):
            return replace(library, folders={**library.folders, folder: root})
        case FolderRemoved(folder=folder):
            return replace(library, folders=_without(library.folders, folder))
        case IgnoreRulesChanged(rules=rules):
            return replace(library, rules=tuple(rules))
        case WatchSwitched(on=on):
            return replace(library, watching=on)
        case SidecarsSwitched(on=on):
            return replace(library, write_sidecars=on)
        case AnalysesSwitched(off=off):
            return replace(library, analyses_off=frozenset(off))
        case FolderOffline(folder=folder, reason=reason, below=below):
            return replace(library, offline={**library.offline, (folder, below): reason})
        case FolderOnline(folder=folder, device=device, below=below):
            there = {**library.devices, (folder, below): device}
            return replace(library, offline=_without(library.offline, (folder, below)), devices=there)
        case MountForgotten(folder=folder, below=below):
            devices = _without(library.devices, (folder, below))
            return replace(library, offline=_without(library.offline, (folder, below)), devices=devices)
        case FolderWatchFailed(folder=folder, reason=reason):
            return replace(library, unwatched={**library.unwatched, folder: reason})
        case FolderWatched(folder=folder):
            return replace(library, unwatched=_without(library.unwatched, folder))
        case RescanAsked() | RemakeAsked() | AnalysisAsked():
            return library


def decide_owner(library: Library, owner: UUID | None) -> list[LibraryEvent]:
    """Give a library to somebody. Raises UploadsStay."""
    if not library.in_place:
        raise UploadsStay("This is where an account's uploads go: it stays that account's.")
    return [] if owner == library.owner else [OwnerChanged(owner)]


def decide_taken_back(
    library: UUID, history: Sequence[tuple[UUID, LibraryEvent]], event: UUID
) -> list[LibraryEvent]:
    """Give a library back to whose it was before an event. Raises NotUndoable."""
    changes = [at for at, (_, fact) in enumerate(history) if isinstance(fact, OwnerChanged)]
    at = next((at for at in changes if history[at][0] == event), None)
    if at is None:
        raise NotUndoable("This is not a change that can be undone")
    if at != changes[-1]:
        raise NotUndoable("The library has changed hands again since then")
    return [OwnerChanged(fold(library, [fact for _, fact in history[:at]]).owner)]


def decide_folder(identity: UUID, library: Library, root: str) -> list[LibraryEvent]:
    """One more folder. Raises FolderTaken when it lies in one of the library's own, or around one."""
    if root in library.folders.values():
        return []
    for other in library.folders.values():
        refuse_overlap(root, other)
    return [FolderAdded(folder_id(identity, root), root)]


def refuse_overlap(root: str, other: str) -> None:
    """Raises FolderTaken when one of two folders lies in the other."""
    if _is_inside(root, other) or _is_inside(other, root):
        raise FolderTaken(f"{root} overlaps with {other}, which is indexed already.")


def decide_removal(library: Library, folder: UUID) -> list[LibraryEvent]:
    """Take a folder out. Raises LastFolder."""
    if folder not in library.folders:
        return []
    if len(library.folders) == 1:
        raise LastFolder("This is the library's only folder. Remove the library instead.")
    return [FolderRemoved(folder)]


HealthEvent = FolderOffline | FolderOnline | MountForgotten | FolderWatchFailed | FolderWatched


def decide_health(library: Library, fact: HealthEvent) -> bool:
    """Whether what was seen of a folder is news."""
    folder = fact.folder
    if folder not in library.folders:
        return False
    match fact:
        case FolderOffline(below=below):
            return library.offline.get((folder, below)) != fact.reason
        case FolderOnline(below=below):
            return (folder, below) in library.offline or library.devices.get((folder, below)) != fact.device
        case MountForgotten(below=below):
            return (folder, below) in library.devices
        case FolderWatchFailed():
            return library.unwatched.get(folder) != fact.reason
        case FolderWatched():
            return folder in library.unwatched


def _is_inside(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith(outer.rstrip("/") + "/")


def _without(mapping: dict[K, V], key: K) -> dict[K, V]:
    return {other: value for other, value in mapping.items() if other != key}
