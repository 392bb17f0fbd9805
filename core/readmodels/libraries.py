"""The libraries: which folders are indexed and how, whether they can be reached, and who may see their photos."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from django.db import models
from django.db.models import Q

from core import singlerows
from core.accounts import Account
from core.domain import codec, libraries
from core.domain.analysis import AnalysesSwitched
from core.domain.libraries import DEFAULT_IGNORE, LibraryNotFound
from core.domain.streams import subject_of
from core.readmodels.mounts import Mount, mounts_away
from core.storage import folder_path, is_managed, original_path, path_to_text
from events.event import Event
from events.pulse import pulse

# The channel on which a new library, or a change of one, is heard of.
LIBRARIES_CHANGED = "filmroll_libraries"


def _default_ignore() -> list[str]:
    return list(DEFAULT_IGNORE)


class Library(models.Model):
    """Folders of originals that belong together. `root` is that of its first folder, as text (`core.storage`)."""

    id = models.UUIDField(primary_key=True)
    name = models.TextField()
    root = models.TextField()
    owner_id = models.UUIDField(null=True)
    added_at = models.DateTimeField()
    removed = models.BooleanField(default=False)
    ignore_rules = models.JSONField(default=_default_ignore)
    watching = models.BooleanField(default=True)
    write_sidecars = models.BooleanField(default=False)
    analyses_off = models.JSONField(default=list)

    class Meta:
        db_table = "library"

    @property
    def whose(self) -> UUID:
        """Whose people are in it, and whose photos are compared with its own: nobody's is its own."""
        return self.owner_id or self.id

    @property
    def managed(self) -> bool:
        """Whether its folder is Filmroll's own: uploads go there, and nobody else's files."""
        return is_managed(self.root)


class Folder(models.Model):
    """One folder of a library. `device` is the disk that it was last seen on."""

    id = models.UUIDField(primary_key=True)
    library_id = models.UUIDField()
    root = models.TextField()
    added_at = models.DateTimeField()
    removed = models.BooleanField(default=False)
    device = models.BigIntegerField(null=True)
    offline_since = models.DateTimeField(null=True)
    offline_reason = models.TextField(default="")
    watch_code = models.TextField(default="")
    watch_reason = models.TextField(default="")

    class Meta:
        db_table = "library_folder"
        indexes = [models.Index("library_id", name="library_folder_library")]

    @property
    def place(self) -> Path:
        """Where it lies."""
        return folder_path(self.root)

    @property
    def disks_away(self) -> list[Mount]:
        """Disks below it that are not there."""
        return mounts_away([self.id])


def _added(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, libraries.LibraryAdded)
    identity = subject_of(event.stream_id)
    Library.objects.create(
        id=identity, name=fact.name, root=fact.root, owner_id=fact.owner, added_at=event.recorded_at
    )
    Folder.objects.create(id=identity, library_id=identity, root=fact.root, added_at=event.recorded_at)
    pulse(LIBRARIES_CHANGED)


def _changed(event: Event) -> None:
    match codec.decode(event):
        case libraries.LibraryRenamed(name=name):
            _update(event, name=name)
        case libraries.OwnerChanged(owner=owner):
            _update(event, owner_id=owner)
        case libraries.LibraryRemoved():
            _update(event, removed=True)
        case libraries.LibraryRestored():
            _update(event, removed=False)
        case libraries.IgnoreRulesChanged(rules=rules):
            _update(event, ignore_rules=list(rules))
        case libraries.WatchSwitched(on=on):
            _update(event, watching=on)
        case libraries.SidecarsSwitched(on=on):
            _update(event, write_sidecars=on)
        case AnalysesSwitched(off=off):
            _update(event, analyses_off=[str(one) for one in off])
    pulse(LIBRARIES_CHANGED)


def _folder_added(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, libraries.FolderAdded)
    fresh = {"library_id": subject_of(event.stream_id), "root": fact.root, "added_at": event.recorded_at}
    Folder.objects.update_or_create(id=fact.folder, defaults={**fresh, "removed": False})
    pulse(LIBRARIES_CHANGED)


def _folder_changed(event: Event) -> None:
    match codec.decode(event):
        case libraries.FolderRemoved(folder=folder):
            _update_folder(folder, removed=True)
            pulse(LIBRARIES_CHANGED)
        case libraries.FolderOffline(folder=folder, reason=reason, below=""):
            known = Folder.objects.filter(id=folder, offline_since=None)
            known.update(offline_since=event.recorded_at)
            _update_folder(folder, offline_reason=reason)
        case libraries.FolderOnline(folder=folder, device=device, below=""):
            _update_folder(folder, offline_since=None, offline_reason="", device=device)
        case libraries.FolderWatchFailed(folder=folder, code=code, reason=reason):
            _update_folder(folder, watch_code=code, watch_reason=reason)
        case libraries.FolderWatched(folder=folder):
            _update_folder(folder, watch_code="", watch_reason="")


def _update(event: Event, **values: object) -> None:
    Library.objects.filter(id=subject_of(event.stream_id)).update(**values)


def _update_folder(folder: UUID, **values: object) -> None:
    Folder.objects.filter(id=folder).update(**values)


HANDLERS: dict[str, Callable[[Event], None]] = {
    "library.added": _added,
    "library.renamed": _changed,
    "library.owner_changed": _changed,
    "library.removed": _changed,
    "library.restored": _changed,
    "library.ignore_rules_changed": _changed,
    "library.watch_switched": _changed,
    "library.sidecars_switched": _changed,
    "library.analyses_switched": _changed,
    "library.folder_added": _folder_added,
    "library.folder_removed": _folder_changed,
    "library.folder_offline": _folder_changed,
    "library.folder_online": _folder_changed,
    "library.folder_watch_failed": _folder_changed,
    "library.folder_watched": _folder_changed,
}
TABLES = (Library, Folder)


def libraries_of(account: Account) -> models.QuerySet[Library]:
    """The libraries that an account may see: all for staff, else those that it owns."""
    everything = Library.objects.filter(removed=False).order_by("name", "id")
    return everything if account.is_staff else everything.filter(owner_id=account.pk)


def library_by_id(library_id: UUID) -> Library:
    """A library, whoever asks. Raises LibraryNotFound."""
    found = Library.objects.filter(id=library_id).first()
    if found is None:
        raise LibraryNotFound(str(library_id))
    return found


def all_libraries() -> list[Library]:
    """Every library, for the watcher and the workers."""
    return list(Library.objects.filter(removed=False).order_by("name", "id"))


def folders_of(library_id: UUID) -> list[Folder]:
    """The folders of one library, its first one first."""
    return list(Folder.objects.filter(library_id=library_id, removed=False).order_by("added_at", "id"))


def all_folders() -> list[Folder]:
    """The folders of every library, for the watcher and for those who look where a path belongs."""
    kept = Library.objects.filter(removed=False).values("id")
    return list(Folder.objects.filter(removed=False, library_id__in=kept).order_by("root"))


def folder_by_id(folder_id: UUID) -> Folder:
    """A folder, even one that was taken out. Raises LibraryNotFound."""
    found = singlerows.find(Folder, folder_id)
    if found is None:
        raise LibraryNotFound(str(folder_id))
    return found


def lies_at(folder_id: UUID, path: str) -> Path:
    """Where a file lies: in which folder, at which path inside it. Raises LibraryNotFound."""
    return original_path(_root_of(folder_id), path)


@lru_cache(maxsize=1000)
def _root_of(folder_id: UUID) -> str:
    """Read once by each process: a folder's id is made from its root, so neither changes without the other."""
    return folder_by_id(folder_id).root


def refuse_taken(place: Path, *, same_is_fine: bool) -> None:
    """Raises FolderTaken when a folder of any library lies in this place, or around it.

    `same_is_fine` lets the very same folder pass: registering it twice is harmless.
    """
    root = path_to_text(place)
    for folder in all_folders():
        if folder.root != root or not same_is_fine:
            libraries.refuse_overlap(root, path_to_text(folder.place))


def unwell_folders(library_ids: Iterable[UUID]) -> models.QuerySet[Folder]:
    """Folders of these libraries that something is wrong with: offline, or not watched."""
    unwell = Q(offline_since__isnull=False) | ~Q(watch_code="")
    return Folder.objects.filter(unwell, removed=False, library_id__in=list(library_ids)).order_by("root")
