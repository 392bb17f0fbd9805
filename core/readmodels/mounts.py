"""Disks that are mounted below libraries' folders: while one is away, nothing can be said of the files on it."""

from collections.abc import Callable, Iterable
from uuid import UUID, uuid5

from django.db import models

from core.domain import codec, libraries
from core.domain.streams import subject_of
from events.event import Event


class Mount(models.Model):
    """A place inside a folder where a disk of its own is, or was. `path` is text as files have it."""

    id = models.UUIDField(primary_key=True)
    library_id = models.UUIDField()
    folder_id = models.UUIDField()
    path = models.TextField()
    device = models.BigIntegerField(null=True)
    offline_since = models.DateTimeField(null=True)
    offline_reason = models.TextField(default="")

    class Meta:
        db_table = "folder_mount"
        indexes = [models.Index("folder_id", "path", name="folder_mount_place")]

    def holds(self, path: str) -> bool:
        """Whether a file of this folder lies on that disk."""
        return path.startswith(f"{self.path}/")


def _online(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, libraries.FolderOnline)
    if fact.below:
        now = {"device": fact.device, "offline_since": None, "offline_reason": ""}
        _put(event, fact.folder, fact.below, **now)


def _offline(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, libraries.FolderOffline)
    if fact.below:
        since = Mount.objects.filter(id=_id(fact.folder, fact.below)).values_list("offline_since", flat=True)
        now = {"offline_since": since.first() or event.recorded_at, "offline_reason": fact.reason}
        _put(event, fact.folder, fact.below, **now)


def _forgotten(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, libraries.MountForgotten)
    Mount.objects.filter(id=_id(fact.folder, fact.below)).delete()


def _put(event: Event, folder: UUID, below: str, **now: object) -> None:
    place = {"library_id": subject_of(event.stream_id), "folder_id": folder, "path": below}
    Mount.objects.update_or_create(id=_id(folder, below), defaults={**place, **now})


def _id(folder: UUID, below: str) -> UUID:
    return uuid5(folder, f"mount:{below}")


HANDLERS: dict[str, Callable[[Event], None]] = {
    "library.folder_online": _online,
    "library.folder_offline": _offline,
    "library.mount_forgotten": _forgotten,
}
TABLES = (Mount,)


def mounts_below(folder_ids: Iterable[UUID]) -> list[Mount]:
    """The disks that are known below these folders, there or not."""
    return list(Mount.objects.filter(folder_id__in=list(folder_ids)).order_by("folder_id", "path"))


def mounts_away(folder_ids: Iterable[UUID]) -> list[Mount]:
    """Those below these folders that are away."""
    return [one for one in mounts_below(folder_ids) if one.offline_since is not None]
