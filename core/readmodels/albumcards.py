"""Albums as pages list them: with how many photos each has that one may see, and the one by which it is shown."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery

from core.accounts import Account
from core.readmodels.albums import Album, AlbumPhoto, albums_of
from core.readmodels.conditions import BadFilter
from core.readmodels.filters import check
from core.readmodels.found import found_photos
from core.readmodels.photos import Photo, PreviewState, visible_photos, with_a_picture

# An album by rule may answer with the whole library: beyond these nobody counts on, in the list and for one alone.
LISTED, COUNTED = 1_000, 10_000


@dataclass(frozen=True, slots=True)
class Card:
    """An album in the list. `more`: there are more photos than were counted; `broken`: why its rule finds none."""

    album: Album
    count: int
    cover: Photo | None
    more: bool = False
    broken: str = ""


def cards_of(account: Account, *, removed: bool = False) -> list[Card]:
    """An account's albums by name; of removed ones no photos are looked for."""
    known = list(albums_of(account, removed=removed))
    if removed:
        return [Card(album, 0, None) for album in known]
    by_hand = [album for album in known if album.rule is None]
    counts, covers = _counts(account, by_hand), _covers(account, by_hand)
    return [
        Card(album, counts.get(album.id, 0), covers.get(album.id))
        if album.rule is None
        else card_of(account, album, LISTED)
        for album in known
    ]


def card_of(account: Account, album: Album, most: int = COUNTED) -> Card:
    """One album; whoever asks may see it."""
    try:
        found = photos_of(account, album)
    except BadFilter as error:
        return Card(album, 0, None, broken=str(error))
    count = found[: most + 1].count()
    pictured = with_a_picture(found)
    chosen = pictured.filter(id=album.cover).first() if album.cover else None
    cover = chosen or (pictured.order_by("-taken_local", "-id").first() if count else None)
    return Card(album, min(count, most), cover, more=count > most)


def photos_of(account: Account, album: Album) -> QuerySet[Photo]:
    """The photos in an album, of those that the account may see. Raises BadFilter where its rule is broken."""
    return found_photos(account, [("album", str(album.id))])


def broken_parts(account: Account, album: Album) -> dict[tuple[str, str], str]:
    """The parts of an album's rule that name what is no longer there, and why nothing answers."""
    found = {}
    for part in album.asked:
        try:
            check(account, [part])
        except BadFilter as error:
            found[part] = str(error)
    return found


def _shown(account: Account) -> QuerySet[Photo]:
    return visible_photos(account).exclude(preview_state=PreviewState.FAILED)


def _counts(account: Account, albums: Collection[Album]) -> dict[UUID, int]:
    inside = AlbumPhoto.objects.filter(album_id__in=[album.id for album in albums])
    rows = inside.filter(photo_id__in=_shown(account).values("id")).values_list("album_id")
    return dict(rows.annotate(count=Count("photo_id")))


def _covers(account: Account, albums: Iterable[Album]) -> dict[UUID, Photo]:
    """The chosen photo of each, or the newest; only such as have a picture."""
    pictured = with_a_picture(_shown(account))
    inside = AlbumPhoto.objects.filter(album_id__in=[album.id for album in albums])
    seen = inside.filter(photo_id__in=pictured.values("id"))
    taken = Subquery(Photo.objects.filter(id=OuterRef("photo_id")).values("taken_local")[:1])
    newest = seen.annotate(taken=taken).order_by("album_id", "-taken", "-photo_id").distinct("album_id")
    chosen = dict(newest.values_list("album_id", "photo_id"))
    wanted = {(album.id, album.cover) for album in albums if album.cover}
    there = seen.filter(photo_id__in=[photo for _, photo in wanted]).values_list("album_id", "photo_id")
    chosen |= dict(wanted.intersection(there))
    photos = Photo.objects.in_bulk(list(chosen.values()))
    return {album: photos[photo] for album, photo in chosen.items() if photo in photos}
