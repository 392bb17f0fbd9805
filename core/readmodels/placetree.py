"""The tree of the places that an account has photos of: countries, regions, towns, with counts and covers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Count

from core.accounts import Account
from core.domain.places import KINDS
from core.readmodels.photos import Photo, with_a_picture
from core.readmodels.places import PhotoPlace, Place, photos_at_sea
from core.readmodels.timeline import shown_photos


@dataclass(frozen=True, slots=True)
class Node:
    """A place on the page: how many photos it has that one may see, a cover, and what lies in it."""

    id: UUID
    name: str
    kind: str
    count: int
    cover: Photo | None
    inside: tuple["Node", ...] = ()


def place_tree(account: Account) -> list[Node]:
    """Countries by name, their regions and towns in them; what an account may see, and no place without photos."""
    counted = _located(account).values("country_id", "region_id", "city_id").annotate(count=Count("photo_id"))
    rows: list[dict[str, Any]] = [dict(row) for row in counted]
    names = _names_in(rows)
    covers = _covers(account, names)
    return _inside(rows, list(KINDS), names, covers)


def _located(account: Account) -> "models.QuerySet[PhotoPlace]":
    """What a search for the place would show: not what failed, nor what lies beneath another photo."""
    seen = shown_photos(account).values("id")
    return PhotoPlace.objects.filter(photo_id__in=seen).exclude(country_id=None, region_id=None, city_id=None)


def _names_in(rows: Iterable[dict[str, Any]]) -> dict[UUID, str]:
    ids = {row[f"{kind}_id"] for row in rows for kind in KINDS} - {None}
    return dict(Place.objects.filter(id__in=ids).values_list("id", "name"))


def _inside(
    rows: list[dict[str, Any]], kinds: list[str], names: dict[UUID, str], covers: dict[UUID, Photo]
) -> list[Node]:
    if not kinds:
        return []
    kind, *rest = kinds
    nodes = []
    for place in {row[f"{kind}_id"] for row in rows}:
        mine = [row for row in rows if row[f"{kind}_id"] == place]
        inside = _inside(mine, rest, names, covers)
        if place is None:  # a town without a region lies in the country itself
            nodes += inside
            continue
        count = sum(row["count"] for row in mine)
        nodes.append(Node(place, names[place], kind, count, covers.get(place), tuple(inside)))
    return sorted(nodes, key=lambda node: (node.name.casefold(), node.id))


def _covers(account: Account, places: Iterable[UUID]) -> dict[UUID, Photo]:
    """The newest photo of each place that has a picture."""
    newest: dict[UUID, UUID] = {}
    for kind in KINDS:
        column = f"{kind}_id"
        seen = with_a_picture(shown_photos(account)).values("id")
        found = PhotoPlace.objects.filter(**{f"{column}__in": list(places)}, photo_id__in=seen)
        taken = models.Subquery(Photo.objects.filter(id=models.OuterRef("photo_id")).values("taken_local")[:1])
        rows = found.annotate(taken=taken).order_by(column, "-taken", "-photo_id").distinct(column)
        newest |= dict(rows.values_list(column, "photo_id"))
    photos = Photo.objects.in_bulk(list(newest.values()))
    return {place: photos[photo] for place, photo in newest.items() if photo in photos}


def count_at_sea(account: Account) -> int:
    """How many photos an account has that were taken where no country is."""
    return shown_photos(account).filter(id__in=photos_at_sea()).count()
