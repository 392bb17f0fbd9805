"""Colours and styles for programs: those of a photo, and the photos that have them."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.errors import HttpError
from pydantic import Field

from core.api.access import Limit, asker
from core.readmodels.looks import NoSuchLook, looks_of_photo
from core.readmodels.palette import photos_by_colour, photos_by_style
from core.readmodels.photos import photo_for
from core.readmodels.similar import MOST, similar_photos

router = Router(tags=["looks"])
alike = Router(tags=["looks"])


class ColourOf(Schema):
    """One of 17 names, which part of the picture has it, and the mean of that part."""

    name: str
    share: float = Field(description="0 to 1")
    colour: str = Field(description="#rrggbb")


class StyleOf(Schema):
    """A style, and the measured numbers by which its rule found it (docs/looks.md)."""

    style: str
    measured: dict[str, float]
    by_hand: bool = Field(description="A person has said so.")


class PhotoWithLook(Schema):
    """A photo, and how much of the colour it has."""

    photo: UUID
    share: float | None


class LooksPage(Schema):
    """Those with most of the colour first, or the newest; pass `next` as `behind` for the following part."""

    photos: list[PhotoWithLook]
    next: str | None


@router.get("", response=LooksPage, summary="Photos with a colour or a style")
def photos_with(
    request: HttpRequest, colour: str = "", style: str = "", behind: str = "", limit: Limit = 60
) -> dict[str, Any]:
    """`colour` is one of the 17 names or any colour as #rrggbb. 422 for a word that is neither, or no style."""
    if not colour and not style:
        raise HttpError(422, "Name a colour, a style, or both.")
    try:
        account = asker(request)
        found = (
            photos_by_colour(account, colour.lower(), style, behind, limit)
            if colour
            else photos_by_style(account, style, behind, limit)
        )
    except NoSuchLook as error:
        raise HttpError(422, f"{error}.") from error
    except ValueError as error:
        raise HttpError(422, "That is no `next` of this list.") from error
    photos = [{"photo": photo.id, "share": found.shares.get(photo.id)} for photo in found.photos]
    return {"photos": photos, "next": found.next or None}


class SimilarTo(Schema):
    """A photo, and how alike it is: 1 is the same, 0 as alike as any two are."""

    photo: UUID
    alike: float


class SimilarPhotos(Schema):
    """The most alike first. `want`: why there are none, else nothing."""

    photos: list[SimilarTo]
    want: str | None = Field(description="pgvector: this PostgreSQL lacks it; numbers: not looked at yet")


@alike.get("/{photo_id}/similar", response=SimilarPhotos, summary="The photos most like one")
def similar_to(request: HttpRequest, photo_id: UUID, limit: Limit = 60) -> dict[str, Any]:
    """404 when there is no such photo, or not for the asker."""
    account = asker(request)
    found = similar_photos(account, photo_for(account, photo_id).id, min(limit, MOST))
    return {
        "photos": [{"photo": one.id, "alike": round(found.alike[one.id], 4)} for one in found.photos],
        "want": found.want.name.lower() if found.want else None,
    }


def looks_fields(photo: UUID) -> dict[str, Any]:
    """A photo's colours and styles as PhotoDetail wants them."""
    known = looks_of_photo(photo)
    colours = [{"name": one.colour, "share": one.share, "colour": one.mean} for one in known.colours or []]
    styles = [
        {"style": one.style, "measured": one.measured, "by_hand": bool(one.by_hand)} for one in known.styles or []
    ]
    return {
        "colours": None if known.colours is None else colours,
        "styles": None if known.styles is None else styles,
    }
