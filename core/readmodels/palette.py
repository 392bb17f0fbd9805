"""Photos by colour and style, those first that have most of the colour."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from core.accounts import Account
from core.readmodels.looks import PhotoColour, each_near, photos_in_style
from core.readmodels.photos import Photo, visible_photos, without_duplicates
from core.readmodels.stacks import without_tucked
from core.readmodels.timeline import Cursor


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: how much of the colour the last photo has, and its id."""

    share: float
    photo: UUID

    def __str__(self) -> str:
        return f"{self.share!r}~{self.photo}"

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Raises ValueError for a text that is none."""
        share, _, photo = text.partition("~")
        return cls(float(share), UUID(photo))


@dataclass(frozen=True, slots=True)
class Ranked:
    """Photos in order, how much of the colour each has, and where the next page begins ("" at the end)."""

    photos: list[Photo]
    shares: dict[UUID, float]
    next: str


def photos_by_colour(account: Account, colour: str, style: str = "", behind: str = "", limit: int = 60) -> Ranked:
    """Those in which a colour stands out, the largest share first. Raises NoSuchLook, ValueError for `behind`."""
    place = Place.parse(behind) if behind else None
    rows = [row for each in each_near(colour) for row in _page(each, account, style, place)[: limit + 1]]
    best: dict[UUID, float] = {}
    for row in sorted(rows, key=lambda one: (-one.share, one.photo_id)):
        best.setdefault(row.photo_id, row.share)
    order = list(best)[:limit]
    known = Photo.objects.in_bulk(order)
    following = str(Place(best[order[-1]], order[-1])) if len(best) > limit else ""
    return Ranked([known[photo] for photo in order], {photo: best[photo] for photo in order}, following)


def photos_by_style(account: Account, style: str, behind: str = "", limit: int = 60) -> Ranked:
    """Those of a style, the newest first. Raises NoSuchLook, ValueError for `behind`."""
    found = _shown(account).filter(Exists(photos_in_style(style).filter(photo_id=OuterRef("id"))))
    if behind:
        here = Cursor.parse(behind)
        earlier = Q(taken_local__lt=here.taken_local) | Q(taken_local=here.taken_local, id__lt=here.photo_id)
        found = found.filter(earlier)
    rows = list(found.order_by("-taken_local", "-id")[: limit + 1])
    return Ranked(rows[:limit], {}, str(Cursor.of(rows[limit - 1])) if len(rows) > limit else "")


def _page(rows: QuerySet[PhotoColour], account: Account, style: str, place: Place | None) -> QuerySet[PhotoColour]:
    """One name's rows in the order of its index, which stops where the page is full."""
    if place is not None:
        rows = rows.filter(Q(share__lt=place.share) | Q(share=place.share, photo_id__gt=place.photo))
    if style:
        styled = photos_in_style(style).filter(photo_id=OuterRef("photo_id"))
        rows = rows.filter(Exists(styled))
    return rows.filter(Exists(_shown(account).filter(id=OuterRef("photo_id")))).order_by("-share", "photo_id")


def _shown(account: Account) -> QuerySet[Photo]:
    return without_duplicates(without_tucked(visible_photos(account).exclude(revision="")))
