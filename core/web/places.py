"""The page of places: countries, their regions and towns, with how many photos each has."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core.accounts import Account
from core.domain.places import KINDS
from core.readmodels.occasions import Noted, ages_on, noted_on
from core.readmodels.people import Seen
from core.readmodels.photos import Photo
from core.readmodels.places import PhotoPlace, Place, place_of
from core.readmodels.placetree import Node, count_at_sea, place_tree
from core.web.access import Request, signed_in
from core.web.search import address_of
from core.web.words import counted


@dataclass(frozen=True, slots=True)
class Entry:
    """One place on the page."""

    name: str
    address: str
    words: str
    cover: Photo | None
    inside: list["Entry"]
    summary: str


@dataclass(frozen=True, slots=True)
class Linked:
    """Something said of a photo, and where more such photos are."""

    words: str
    address: str


@dataclass(frozen=True, slots=True)
class WhereAndWhen:
    """The place of a photo and its dates of note, for the panel beside it."""

    places: list[Linked]
    draft: tuple[str, str, str]
    mark: str
    source: str
    zone: str
    waiting: bool
    dates: list[Linked]
    ages: list[str]


@require_safe
@signed_in
def places_page(request: Request) -> HttpResponse:
    """The tree of all places of which one may see photos."""
    sea = count_at_sea(request.user)
    context = {
        "places": [_entry(node) for node in place_tree(request.user)],
        "sea": Linked(counted(sea, "photo"), address_of([("place", "sea")])) if sea else None,
    }
    return render(request, "places/places.html", context)


def where_and_when(account: Account, photo: Photo, faces: Sequence[Seen]) -> WhereAndWhen:
    """What is known of a photo's place and date besides the position and the date themselves."""
    place = place_of(photo.id)
    rows = _rows(place)
    names = {row.kind: row.name for row in rows}
    linked = [Linked(row.name, address_of([("place", str(row.id))])) for row in reversed(rows)]
    if place and place.sea and not place.by_hand:
        linked = [Linked("At sea", address_of([("place", "sea")]))]
    by_hand = place is not None and place.by_hand
    source = "set by hand in Filmroll" if by_hand else "worked out from the position"
    return WhereAndWhen(
        places=linked,
        draft=(names.get("country", ""), names.get("region", ""), names.get("city", "")),
        mark=("yours" if by_hand else "position") if linked or by_hand else "",
        source=source,
        zone=place.zone if place else "",
        waiting=place is not None and place.waiting,
        dates=[Linked(one.words, _address(one)) for one in noted_on(account, photo)],
        ages=_ages(account, photo, faces),
    )


def _ages(account: Account, photo: Photo, faces: Sequence[Seen]) -> list[str]:
    """How old those in the photo were, from left to right, as in "Ada 5"."""
    people = {seen.person.id: seen.person.name for seen in faces if seen.person and seen.person.name}
    ages = ages_on(account, photo) if people else {}
    return [f"{name}\N{NO-BREAK SPACE}{ages[person]}" for person, name in people.items() if person in ages]


def _rows(place: PhotoPlace | None) -> list[Place]:
    """From the large to the small."""
    ids: list[UUID] = [one for kind in KINDS if place and (one := getattr(place, f"{kind}_id"))]
    found = Place.objects.in_bulk(ids)
    return [found[one] for one in ids if one in found]


def _address(one: Noted) -> str:
    person = [("person", str(one.person))] if one.person else []
    return address_of([*person, ("date", one.value)])


def _entry(node: Node) -> Entry:
    inside = [_entry(one) for one in node.inside]
    summary = counted(len(inside), "place") if inside else ""
    address = address_of([("place", str(node.id))])
    return Entry(node.name, address, counted(node.count, "photo"), node.cover, inside, summary)
