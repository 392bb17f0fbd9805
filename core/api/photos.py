"""Photos for programs: the timeline by cursor, and one photo with every fact and its source."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from ninja import Router, Schema
from ninja.errors import HttpError
from pydantic import Field

from core.api.access import Limit, asker
from core.api.looks import ColourOf, StyleOf, looks_fields
from core.commands.edits import version_of
from core.readmodels.analysis import analysis_of
from core.readmodels.failures import failures_of_photo
from core.readmodels.files import files_of_photo
from core.readmodels.occasions import noted_on
from core.readmodels.photos import Photo, photo_for
from core.readmodels.places import names_of, place_of
from core.readmodels.sidecars import sidecars_of_photo
from core.readmodels.stacks import Stack, stack_of
from core.readmodels.timeline import Cursor, shown_photos, timeline

router = Router(tags=["photos"])


class Fact(Schema):
    """One thing known of a photo, and who says so."""

    value: Any
    source: str = Field(description="user, sidecar, takeout, exif, xmp, iptc, container, position, file name, …")


class ShownFact(Fact):
    """The word that counts, and what other sources say instead."""

    also: list[Fact] = []


class Label(Schema):
    """A thing seen in the picture; the box is x0, y0, x1, y1 as fractions of the upright picture."""

    label: str
    score: float
    box: tuple[float, float, float, float]


class Shown(Schema):
    """What the picture shows as a whole: its name, how sure (0..1), other names and kinds, the nearest first."""

    label: str
    score: float
    kinds: list[str]


class PhotoSummary(Schema):
    """A photo as the timeline shows it."""

    id: UUID
    name: str
    kind: str
    taken_local: datetime | None = Field(description="The camera's wall time, without a zone.")
    taken_offset: str
    day: date | None
    width: int | None
    height: int | None
    preview_state: str
    thumbhash: str
    tile: str | None
    large: str | None


class PhotosPage(Schema):
    """Part of the timeline, newest first; pass `next` as `before` for the following part."""

    photos: list[PhotoSummary]
    next: str | None


class CopyOf(Schema):
    """One file that holds the photo's content."""

    path: str
    size: int


class SidecarOf(Schema):
    """A file beside the photo that tells about it."""

    path: str
    source: str = Field(description="sidecar (XMP), takeout (Google's JSON), aae (Apple's edits)")
    written: bool = Field(description="Filmroll wrote it last.")


class StepFailure(Schema):
    """A step that ended without a result."""

    step: str
    code: str
    reason: str


class StackOf(Schema):
    """The photos that are shown as one with this one, the one in the timeline first."""

    id: UUID
    members: list[UUID]
    apart: list[UUID] = Field(description="Those that a person took out of it.")


class PlaceOf(Schema):
    """Where it was taken, in names; `by_hand`: a person said so, whatever the position says."""

    country: str
    region: str
    city: str
    sea: bool
    zone: str = Field(description="Whose clocks are valid there, as Europe/Paris.")
    by_hand: bool


class PhotoDetail(PhotoSummary):
    """A photo with every fact and its source."""

    library_id: UUID
    sha256: str
    mime: str
    size: int
    version: int = Field(description="For `version` in a change: what was looked at.")
    rating: int | None
    favourite: bool
    facts: dict[str, ShownFact]
    notes: list[str]
    labels: list[Label] | None
    scenes: list[Shown] | None = Field(description="What the whole picture shows; nothing when nobody looked yet.")
    faces: int | None = Field(description="How many faces were found; nothing when nobody looked yet.")
    analyses: dict[str, str] = Field(description="Which analyses were done, and by which model in which version.")
    colours: list[ColourOf] | None = Field(description="The largest first; nothing when nobody looked yet.")
    styles: list[StyleOf] | None
    labels_model: str
    files: list[CopyOf]
    sidecars: list[SidecarOf]
    place: PlaceOf | None
    dates_of_note: list[str] = Field(description="Christmas, birthdays and the asker's own dates, in words.")
    failures: list[StepFailure]
    stack: StackOf | None
    imported_at: datetime
    processed_at: datetime | None
    missing_since: datetime | None = Field(description="Since when no original of it is there.")
    original: str


@router.get("", response=PhotosPage, summary="The timeline, newest first")
def list_photos(request: HttpRequest, before: str = "", limit: Limit = 100) -> dict[str, Any]:
    """Photos that the asker may see. An unreadable cursor is answered with 422."""
    try:
        cursor = Cursor.parse(before) if before else None
    except ValueError as error:
        raise HttpError(422, f"before={before!r} is no cursor; use the value of `next`.") from error
    page = timeline(shown_photos(asker(request)), cursor, limit)
    return {"photos": [summary(photo) for photo in page.photos], "next": str(page.next) if page.next else None}


@router.get("/{photo_id}", response=PhotoDetail, summary="One photo with every fact and its source")
def one_photo(request: HttpRequest, photo_id: UUID) -> dict[str, Any]:
    """404 when there is no such photo, or not for the asker."""
    return detail(request, photo_id)


def detail(request: HttpRequest, photo_id: UUID) -> dict[str, Any]:
    """A photo's fields as PhotoDetail wants them. Raises PhotoNotFound."""
    photo = photo_for(asker(request), photo_id)
    seen = analysis_of(photo.id)
    return {
        **summary(photo),
        "scenes": seen.scenes,
        "faces": seen.faces,
        "analyses": seen.made,
        "version": version_of(photo.id),
        "sidecars": sidecars_of_photo(photo.id),
        **{name: getattr(photo, name) for name in _PLAIN},
        **looks_fields(photo.id),
        "files": files_of_photo(photo.id),
        "failures": failures_of_photo(photo.id),
        "place": _place(photo.id),
        "dates_of_note": [one.words for one in noted_on(asker(request), photo)],
        "stack": _stack(stack_of(asker(request), photo)),
        "original": reverse("original", args=[photo.id]),
    }


def _place(photo_id: UUID) -> dict[str, Any] | None:
    place = place_of(photo_id)
    if place is None:
        return None
    country, region, city = names_of(place).parts
    said = {"sea": place.sea and not place.by_hand, "zone": place.zone, "by_hand": place.by_hand}
    return {"country": country, "region": region, "city": city, **said}


def _stack(stack: Stack | None) -> dict[str, Any] | None:
    if stack is None:
        return None
    members, apart = ([photo.id for photo in photos] for photos in (stack.members, stack.apart))
    return {"id": stack.id, "members": members, "apart": apart}


# Fields that the answer has just as the table has them.
_PLAIN = (
    *("library_id", "sha256", "mime", "size", "facts", "notes", "labels", "labels_model"),
    *("rating", "favourite", "imported_at", "processed_at", "missing_since"),
)


def summary(photo: Photo) -> dict[str, Any]:
    """A photo's fields as PhotoSummary wants them."""
    made = photo.revision
    plain = ("id", "name", "kind", "taken_local", "taken_offset", "width", "height", "preview_state", "thumbhash")
    return {
        **{name: getattr(photo, name) for name in plain},
        "day": photo.taken_local.date() if photo.taken_local else None,
        "tile": reverse("tile", args=[photo.id, made]) if made else None,
        "large": reverse("large", args=[photo.id, made]) if made else None,
    }
