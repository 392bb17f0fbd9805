"""The albums: names, rules and covers, the photos put in by hand, and every change with whether it counts."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models.functions import Lower

from core.accounts import Account
from core.domain import albums, codec
from core.domain.albums import AlbumNotFound
from core.domain.streams import subject_of
from events.event import Event

_ALL = 100_000_000


class Album(models.Model):
    """An album. `rule`: pairs of filter and value; None for one that is filled by hand."""

    id = models.UUIDField(primary_key=True)
    owner_id = models.UUIDField()
    name = models.TextField()
    rule = models.JSONField(null=True)
    cover = models.UUIDField(null=True)
    removed = models.BooleanField(default=False)

    class Meta:
        db_table = "album"
        indexes = [models.Index("owner_id", "name", name="album_owner")]

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Its rule as a search is asked."""
        return [(name, value) for name, value in self.rule or ()]


class AlbumPhoto(models.Model):
    """That a photo was put into an album by hand."""

    pk = models.CompositePrimaryKey("album_id", "photo_id")
    album_id = models.UUIDField()
    photo_id = models.UUIDField()

    class Meta:
        db_table = "album_photo"
        indexes = [models.Index("photo_id", "album_id", name="album_photo_photo")]


class AlbumChange(models.Model):
    """One change of an album; `counts`: it was not undone."""

    id = models.UUIDField(primary_key=True)
    position = models.BigIntegerField()
    album_id = models.UUIDField()
    type = models.TextField()
    data = models.JSONField()
    actor = models.TextField()
    at = models.DateTimeField()
    counts = models.BooleanField(default=True)

    class Meta:
        db_table = "album_change"
        indexes = [models.Index("album_id", "position", name="album_change_album")]

    @property
    def fact(self) -> object:
        return codec.fact_of(self.type, self.data)


def _changed(event: Event) -> None:
    fact, album = codec.decode(event), subject_of(event.stream_id)
    _keep(event)
    match fact:
        case albums.AlbumMade(owner=owner, name=name, rule=rule):
            Album.objects.create(id=album, owner_id=owner, name=name, rule=_pairs(rule))
        case albums.AlbumRenamed(name=name):
            _update(album, name=name)
        case albums.AlbumRuleChanged(rule=rule):
            _update(album, rule=_pairs(rule))
        case albums.AlbumRemoved():
            _update(album, removed=True)
        case albums.AlbumCoverChosen(photo=cover):
            _update(album, cover=cover)
        case albums.PhotosAddedToAlbum(photos=added):
            _put_in(album, added)
        case albums.PhotosTakenFromAlbum(photos=taken):
            AlbumPhoto.objects.filter(album_id=album, photo_id__in=taken).delete()


def _undone(event: Event) -> None:
    """What was undone may itself be an undoing, so everything is worked out anew from the changes that count."""
    album = subject_of(event.stream_id)
    _keep(event)
    rows = list(AlbumChange.objects.filter(album_id=album).order_by("position"))
    history = [(row.id, row.fact) for row in rows]
    counting = albums.counting_changes(history)
    changed = [row for row in rows if row.counts != (row.id in counting)]
    for row in changed:
        row.counts = row.id in counting
    AlbumChange.objects.bulk_update(changed, ["counts"])
    now = albums.album_of(history)
    _update(album, name=now.name, rule=_pairs(now.rule), removed=now.removed, cover=now.cover)
    there = set(AlbumPhoto.objects.filter(album_id=album).values_list("photo_id", flat=True))
    AlbumPhoto.objects.filter(album_id=album, photo_id__in=there - now.photos.keys()).delete()
    _put_in(album, sorted(now.photos.keys() - there))


def _forgotten(event: Event) -> None:
    AlbumPhoto.objects.filter(photo_id=subject_of(event.stream_id)).delete()


def _keep(event: Event) -> None:
    AlbumChange.objects.create(
        id=event.event_id,
        position=event.position,
        album_id=subject_of(event.stream_id),
        type=event.type,
        data=event.data,
        actor=event.meta.get("actor", ""),
        at=event.recorded_at,
    )


def _update(album: UUID, **values: Any) -> None:
    Album.objects.filter(id=album).update(**values)


def _put_in(album: UUID, photos: Iterable[UUID]) -> None:
    rows = [AlbumPhoto(album_id=album, photo_id=photo) for photo in photos]
    AlbumPhoto.objects.bulk_create(rows, ignore_conflicts=True)


def _pairs(rule: albums.Rule | None) -> list[list[str]] | None:
    return None if rule is None else [[part.filter, part.value] for part in rule]


HANDLERS: dict[str, Callable[[Event], None]] = {
    "album.made": _changed,
    "album.renamed": _changed,
    "album.rule_changed": _changed,
    "album.removed": _changed,
    "album.cover_chosen": _changed,
    "album.photos_added": _changed,
    "album.photos_taken": _changed,
    "album.change_undone": _undone,
    "photo.forgotten": _forgotten,
}
TABLES = (Album, AlbumPhoto, AlbumChange)


# --- how pages ask it; nobody sees another one's albums ------------------------------------------------------


def albums_of(account: Account, *, removed: bool = False) -> models.QuerySet[Album]:
    """An account's albums by name."""
    return Album.objects.filter(owner_id=account.pk, removed=removed).order_by(Lower("name"), "id")


def album_for(account: Account, album_id: UUID) -> Album:
    """One of an account's albums, be it a removed one. Raises AlbumNotFound."""
    found = Album.objects.filter(owner_id=account.pk, id=album_id).first()
    if found is None:
        raise AlbumNotFound(str(album_id))
    return found


def album_named(account: Account, name: str) -> Album | None:
    """The album filled by hand that has exactly this name, whatever its capitals."""
    return albums_of(account).filter(rule__isnull=True, name__iexact=" ".join(name.split())).first()


def names_by_hand(account: Account) -> list[str]:
    """The names of the albums that photos can be put into, for fields that propose them."""
    return list(dict.fromkeys(albums_of(account).filter(rule__isnull=True).values_list("name", flat=True)))


def albums_with(account: Account, photo: UUID) -> list[Album]:
    """The albums that a photo was put into by hand."""
    inside = AlbumPhoto.objects.filter(photo_id=photo).values("album_id")
    return list(albums_of(account).filter(id__in=inside))


def photos_in(album: UUID) -> "models.QuerySet[AlbumPhoto, UUID]":
    """Ids of the photos that were put into an album; whoever asks joins them to what may be seen."""
    # The limit has them looked up at once. Without it, a page of an album with a hundredth of all photos asks for
    # each photo of the timeline whether it is in it: 72,000 pages of 100,000 photos.
    return AlbumPhoto.objects.filter(album_id=album).values_list("photo_id", flat=True)[:_ALL]


def changes_of(album: UUID, limit: int = 100) -> list[AlbumChange]:
    """What was done to an album, the latest first."""
    return list(AlbumChange.objects.filter(album_id=album).order_by("-position")[:limit])
