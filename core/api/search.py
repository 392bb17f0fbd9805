"""Search for programs: the same filters as the page's, what they may mean, and the tree of places."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.errors import HttpError
from pydantic import Field

from core.api.access import Limit, asker
from core.api.photos import PhotosPage, summary
from core.asking import PATIENCE, photos_by_meaning
from core.meaning import LONGEST, plainly
from core.readmodels.conditions import BadFilter
from core.readmodels.filters import asked_in
from core.readmodels.found import search as search_photos
from core.readmodels.placetree import Node, place_tree
from core.readmodels.suggesting import suggestions
from core.readmodels.timeline import Cursor

router = Router(tags=["search"])
places = Router(tags=["places"])


class Asked(Schema):
    """All must hold; a filter may be given several times."""

    q: list[str] = Field([], description="Words of title, caption, keywords, names of files, places and things.")
    label: list[str] = Field([], description="A thing in the picture, or its kind: cat, animal.")
    scene: list[str] = Field([], description="What the picture shows as a whole, or its kind.")
    person: list[str] = Field([], description="A person's id.")
    place: list[str] = Field([], description="A place's id, or `sea`.")
    date: list[str] = Field(
        [],
        description="2024, 2024-05, 2023..2024; christmas, new-year, valentines, easter, halloween, birthday; "
        "the id of one of one's own.",
    )
    colour: list[str] = Field([], description="One of the 17 names, or #rrggbb.")
    style: list[str] = []
    album: list[str] = Field([], description="The id of an album of one's own.")
    keyword: list[str] = []
    camera: list[str] = []
    lens: list[str] = []
    aperture: list[str] = Field([], description="A range of f-numbers: 1.4..2.8, ..2.8, 8.., or one number.")
    shutter: list[str] = Field([], description="A range of seconds: 1/250..1/60, 1..")
    iso: list[str] = Field([], description="800..3200")
    focal: list[str] = Field([], description="Millimetres: 24..70")
    focal35: list[str] = Field([], description="Millimetres in 35 mm format: 24..70")
    path: list[str] = Field([], description="Words of the folders and the file name, or their beginnings.")
    rating: list[str] = Field([], description="This many stars at least.")
    favourite: list[str] = Field([], description="yes")
    kind: list[str] = Field([], description="image, raw, video, or a format: jpeg, nef.")
    state: list[str] = Field(
        [],
        description="no-preview, failed, failed-previews, failed-labels, failed-faces, …, missing, not-analysed.",
    )


class Found(PhotosPage):
    """Newest first; pass `next` as `before` for the following part. With `meaning` the nearest first, at once."""

    alike: list[float] | None = Field(
        None, description="With `meaning`: how near each photo is, the cosine of its numbers and the words'."
    )
    want: str | None = Field(
        None,
        description="With `meaning`, why there are no photos: pgvector, this PostgreSQL lacks it; installed, no "
        "worker has a model for it; answer, none has answered in time, ask again; trouble, the model could not be "
        "used; numbers, none of these photos has been looked at for it.",
    )
    reason: str | None = Field(
        None, description="The same in words; an administrator reads what a worker said of it."
    )
    left_out: bool = Field(False, description="With `meaning`: some photos have not been looked at for it yet.")


class Meaning(Schema):
    """A filter with a value."""

    filter: str
    value: str
    words: str


class PlaceOut(Schema):
    """A country, region or town, how many photos it has, and what lies in it."""

    id: UUID
    name: str
    kind: str
    count: int
    cover: UUID | None
    inside: list["PlaceOut"]


Words = Annotated[
    str,
    Field(
        max_length=LONGEST,
        description="What the photos show, in words that need not be written anywhere: the nearest 200 at most. "
        f"It takes a model that a worker has; the answer may take up to {PATIENCE:.0f} seconds.",
    ),
]


@router.get("", response=Found, summary="Photos for which all filters hold, newest or nearest first")
def search(
    request: HttpRequest, asked: Query[Asked], before: str = "", limit: Limit = 100, meaning: Words = ""
) -> dict[str, Any]:
    """422 for a value that a filter knows nothing of, and for an unreadable cursor."""
    if plainly(meaning):
        return _by_meaning(request, meaning, asked, before, limit)
    try:
        cursor = Cursor.parse(before) if before else None
    except ValueError as error:
        raise HttpError(422, f"before={before!r} is no cursor; use the value of `next`.") from error
    try:
        page = search_photos(asker(request), asked_in(asked.dict()), cursor, limit)
    except BadFilter as error:
        raise HttpError(422, str(error)) from error
    return {"photos": [summary(photo) for photo in page.photos], "next": str(page.next) if page.next else None}


def _by_meaning(request: HttpRequest, words: str, asked: Asked, before: str, limit: int) -> dict[str, Any]:
    if before:
        raise HttpError(422, "What is found by meaning comes in one part: leave out `before`, or `meaning`.")
    try:
        found = photos_by_meaning(asker(request), words, asked_in(asked.dict()), limit)
    except BadFilter as error:
        raise HttpError(422, str(error)) from error
    return {
        "photos": [summary(photo) for photo in found.photos],
        "next": None,
        "alike": [round(found.alike[photo.id], 4) for photo in found.photos],
        "want": found.want.name.lower() if found.want else None,
        "reason": found.reason or None,
        "left_out": found.left_out,
    }


@router.get("/suggestions", response=list[Meaning], summary="What letters may mean")
def suggest(request: HttpRequest, q: str) -> list[Any]:
    """Of what the asker's own photos have."""
    return [
        {"filter": one.filter, "value": one.value, "words": one.words} for one in suggestions(asker(request), q)
    ]


@places.get("", response=list[PlaceOut], summary="The tree of places")
def list_places(request: HttpRequest) -> list[dict[str, Any]]:
    """Of the photos that the asker may see, by name."""
    return [_place(node) for node in place_tree(asker(request))]


def _place(node: Node) -> dict[str, Any]:
    return {
        "id": node.id,
        "name": node.name,
        "kind": node.kind,
        "count": node.count,
        "cover": node.cover.id if node.cover else None,
        "inside": [_place(one) for one in node.inside],
    }
