"""The places where photos were taken: the tree of countries, regions and towns, and which photo lies where."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef, Q

from core import singlerows
from core.domain import codec
from core.domain.analysis import Analysis
from core.domain.places import KINDS, Names, PlaceFound, path_of
from core.domain.streams import subject_of
from core.readmodels.libraries import Library
from core.readmodels.photos import IMPORTED, Photo, row_of
from events import consumers
from events.event import Event


def _known(column: str) -> Q:
    return Q(**{f"{column}__isnull": False})


class Place(models.Model):
    """A country, region or town: one name inside one other place."""

    id = models.UUIDField(primary_key=True)
    parent_id = models.UUIDField(null=True)
    kind = models.TextField()
    name = models.TextField()

    class Meta:
        db_table = "place"
        indexes = [models.Index("parent_id", name="place_parent")]


class PhotoPlace(models.Model):
    """Where one photo was taken. `found`: what its position means; `asked`: the event that put it there.

    `waiting`: nobody has looked yet what the position means. `by_hand`: a person's word stands above that.
    """

    photo_id = models.UUIDField(primary_key=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    asked = models.BigIntegerField()
    waiting = models.BooleanField()
    found = models.JSONField(null=True)
    by_hand = models.BooleanField(default=False)
    sea = models.BooleanField(default=False)
    zone = models.TextField(default="")
    country_id = models.UUIDField(null=True)
    region_id = models.UUIDField(null=True)
    city_id = models.UUIDField(null=True)

    class Meta:
        db_table = "photo_place"
        indexes = [
            models.Index("photo_id", name="photo_place_waiting", condition=Q(waiting=True)),
            *(
                models.Index(f"{kind}_id", "photo_id", name=f"photo_place_{kind}", condition=_known(f"{kind}_id"))
                for kind in KINDS
            ),
            models.Index("photo_id", name="photo_place_sea", condition=Q(sea=True)),
        ]

    @property
    def names(self) -> Names:
        """What the machine has found."""
        found = self.found or {}
        return Names(*(found.get(kind, "") for kind in KINDS))


def _heard(event: Event) -> None:
    """Somebody says something of the photo: it may have another position, or a person's word on its place."""
    photo = row_of(event, "latitude", "longitude", "said")
    row = None if event.version <= IMPORTED else place_in(event)
    if row is None:
        if photo.latitude is None and "place" not in photo.said.get("user", {}):
            _keep(event, None)
            return
        row = PhotoPlace(photo_id=photo.id, asked=event.position, waiting=photo.latitude is not None)
        row.latitude, row.longitude = photo.latitude, photo.longitude
    elif (row.latitude, row.longitude) != (photo.latitude, photo.longitude):
        row.latitude, row.longitude = photo.latitude, photo.longitude
        row.asked, row.waiting = event.position, photo.latitude is not None
        row.found, row.sea, row.zone = None, False, ""
    _settle(event, row, photo)


def _place_found(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, PlaceFound)
    row = place_in(event)
    if row is None or (row.latitude, row.longitude) != (fact.latitude, fact.longitude):
        return  # it came too late: the photo lies elsewhere by now
    row.found = dict(zip(KINDS, fact.names.parts, strict=True)) | {
        "code": fact.code,
        "source": f"{fact.source} {fact.source_version}",
    }
    row.waiting, row.sea, row.zone = False, fact.sea, fact.zone
    _settle(event, row, row_of(event, "said"))


def _forgotten(event: Event) -> None:
    """No place stays where no photo lies: it may have been this one's, and that cannot be told."""
    PhotoPlace.objects.filter(photo_id=subject_of(event.stream_id)).delete()
    # Kind by kind: asked for all at once, the planner looks through the photos for every place.
    for kind in KINDS:
        lying = PhotoPlace.objects.filter(_known(f"{kind}_id"), **{f"{kind}_id": OuterRef("id")})
        Place.objects.filter(~Exists(lying), kind=kind).delete()


def place_in(event: Event) -> PhotoPlace | None:
    """Where the photo of an event was taken, as far as anybody knows: read once for all who hear of it."""
    kept, key = consumers.kept(), _kept_as(event)
    if kept is not None and key in kept:
        row: PhotoPlace | None = kept[key]
    else:
        row = singlerows.find(PhotoPlace, subject_of(event.stream_id))
        _keep(event, row)
    return row


def _keep(event: Event, row: PhotoPlace | None) -> None:
    if (kept := consumers.kept()) is not None:
        kept[_kept_as(event)] = row


def _kept_as(event: Event) -> tuple[str, str]:
    return "place", event.stream_id


def _settle(event: Event, row: PhotoPlace, photo: Photo) -> None:
    """What counts: a person's word, which stays whatever is found, or what was found."""
    words = photo.said.get("user", {})
    row.by_hand = "place" in words
    names = Names(*(words["place"] or ())) if row.by_hand else row.names
    path = path_of(names)
    places = [Place(id=one, parent_id=up, kind=kind, name=name) for kind, one, up, name in path]
    singlerows.add_all(places, unless_known=True)
    ids = {kind: identity for kind, identity, _, _ in path}
    row.country_id, row.region_id, row.city_id = (ids.get(kind) for kind in KINDS)
    singlerows.put(row)
    _keep(event, row)


HANDLERS: dict[str, Callable[[Event], None]] = {
    **dict.fromkeys(
        (
            *("photo.metadata_read", "photo.placed", "photo.place_corrected", "photo.change_undone"),
            *("photo.sidecar_read", "photo.sidecar_gone", "photo.sidecar_written"),
        ),
        _heard,
    ),
    "photo.place_found": _place_found,
    "photo.forgotten": _forgotten,
}
TABLES = (Place, PhotoPlace)
READS = ("photos",)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A position that nobody has looked at yet."""

    photo: UUID
    latitude: float
    longitude: float
    asked: int


def place_of(photo_id: UUID) -> PhotoPlace | None:
    """Where a photo was taken, as far as anybody knows. The caller has checked who asks."""
    return PhotoPlace.objects.filter(photo_id=photo_id).first()


def names_of(place: PhotoPlace | None) -> Names:
    """The names that count: a person's, else those that were found."""
    if place is None:
        return Names()
    ids = [place.country_id, place.region_id, place.city_id]
    rows = {row.id: row.name for row in Place.objects.filter(id__in=[one for one in ids if one])}
    return Names(*(rows.get(one, "") if one else "" for one in ids))


def places_waiting(photos: Iterable[UUID] | None = None, limit: int = 500) -> list[Waiting]:
    """Positions that nobody has looked at yet, in libraries that want it; of these photos, or of any."""
    rows = PhotoPlace.objects.filter(waiting=True)
    if photos is not None:
        rows = rows.filter(photo_id__in=list(photos))
    off = Library.objects.filter(analyses_off__contains=[str(Analysis.PLACES)]).values("id")
    unwanted = Photo.objects.filter(library_id__in=off).values("id")
    return [_waiting(row) for row in rows.exclude(photo_id__in=unwanted).order_by("photo_id")[:limit]]


def place_waiting(photo_id: UUID) -> Waiting | None:
    """The position of a photo, if nobody has looked at it yet, and its library wants it."""
    row = singlerows.find(PhotoPlace, photo_id)
    if row is None or not row.waiting:
        return None
    off = singlerows.one_value(Library, singlerows.one_value(Photo, photo_id, "library_id"), "analyses_off")
    return None if Analysis.PLACES in (off or ()) else _waiting(row)


def places_older(library: UUID, source: str, limit: int = 500) -> list[Waiting]:
    """Positions of a library whose place another version has found; a person's word hides it, and stays."""
    inside = Photo.objects.filter(library_id=library).values("id")
    rows = PhotoPlace.objects.filter(photo_id__in=inside, found__isnull=False).exclude(found__source=source)
    return [_waiting(row) for row in rows.order_by("photo_id")[:limit]]


def _waiting(row: PhotoPlace) -> Waiting:
    return Waiting(row.photo_id, row.latitude or 0.0, row.longitude or 0.0, row.asked)


def photos_with_place(place: UUID) -> "models.QuerySet[PhotoPlace, UUID]":
    """Ids of the photos that were taken in a country, region or town."""
    lies_in = Q(country_id=place) | Q(region_id=place) | Q(city_id=place)
    kind = Place.objects.filter(id=place).values_list("kind", flat=True).first()
    found = PhotoPlace.objects.filter(Q(**{f"{kind}_id": place}) if kind in KINDS else lies_in)
    return found.values_list("photo_id", flat=True)


def photos_at_sea() -> "models.QuerySet[PhotoPlace, UUID]":
    """Ids of the photos that were taken where no country is."""
    return PhotoPlace.objects.filter(sea=True, by_hand=False).values_list("photo_id", flat=True)
