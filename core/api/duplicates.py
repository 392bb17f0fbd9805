"""Duplicates for programs: groups of photos that look alike, keep one, keep all, and take either back."""

from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest
from django.urls import reverse
from ninja import Router, Schema
from ninja.errors import HttpError
from pydantic import Field

from core.api.access import Limit, actor_of, asker
from core.commands import duplicates as commands
from core.domain.duplicates import NotAChoice
from core.readmodels.alikegroups import duplicate_groups, of_one_owner, reviewed_photos
from core.readmodels.photos import Photo, photo_for
from core.readmodels.proposals import Proposal, proposal_for, words_for_kept

router = Router(tags=["duplicates"])


class AlikeGroup(Schema):
    """Photos that look alike."""

    id: UUID
    photos: list[UUID] = Field(description="The one proposed to be kept first.")
    reason: str = Field(description="Why that one.")
    exact: bool = Field(description="Alike to the eye, of one shape, colour and, as far as known, moment.")
    compare: str = Field(description="The page on which a person looks at them.")


class Groups(Schema):
    """Part of the groups, the largest first; pass `next` as `behind` for the following part."""

    groups: list[AlikeGroup]
    next: str | None


class Keep(Schema):
    """Keep one in the timeline, and the others no longer."""

    keep: UUID
    others: list[UUID] = Field(min_length=1, max_length=100)


class Apart(Schema):
    """These are no duplicates of one another."""

    photos: list[UUID] = Field(min_length=2, max_length=100)


class Review(Schema):
    """What was decided; by `review` it can be taken back."""

    review: UUID
    photos: list[UUID]


@router.get("", response=Groups, summary="Photos that look alike")
def groups(request: HttpRequest, limit: Limit = 50, behind: str = "") -> dict[str, Any]:
    """Those about which nothing was decided yet."""
    found = duplicate_groups(asker(request), behind=_cursor(behind), limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return {
        "groups": [_alike(proposal_for(group)) for group in found[:limit]],
        "next": f"{last.size}~{last.id}" if last else None,
    }


@router.post("/keep", response=Review, summary="Keep one photo instead of others")
def keep(request: HttpRequest, wanted: Keep) -> dict[str, Any]:
    """It takes over the others' stars and words; no file is touched. 409 when it is a duplicate itself."""
    photos = _visible(request, [wanted.keep, *wanted.others])
    review = uuid4()
    known = Photo.objects.in_bulk(photos)
    words = words_for_kept(known[wanted.keep], [known[one] for one in photos])
    try:
        commands.keep_best(wanted.keep, photos, review=review, actor=actor_of(request), words=words)
    except NotAChoice as refused:
        raise HttpError(409, str(refused)) from refused
    return {"review": review, "photos": reviewed_photos(asker(request), review)}


@router.post("/apart", response=Review, summary="Keep all: these are no duplicates")
def apart(request: HttpRequest, wanted: Apart) -> dict[str, Any]:
    """They are not proposed together again."""
    photos = _visible(request, wanted.photos)
    review = uuid4()
    commands.tell_apart(photos, review=review, actor=actor_of(request))
    return {"review": review, "photos": reviewed_photos(asker(request), review)}


@router.delete("/reviews/{review}", response=Review, summary="Take a decision back")
def undo(request: HttpRequest, review: UUID) -> dict[str, Any]:
    """404 when nothing of it counts any more."""
    photos = reviewed_photos(asker(request), review)
    if not photos:
        raise HttpError(404, "There is nothing to take back.")
    commands.undo_review(photos, review, actor=actor_of(request))
    return {"review": review, "photos": photos}


def _alike(proposal: Proposal) -> dict[str, Any]:
    return {
        "id": proposal.group.id,
        "photos": [photo.id for photo in proposal.photos],
        "reason": proposal.reason,
        "exact": proposal.sure,
        "compare": reverse("duplicates-compare", args=[proposal.group.id]),
    }


def _visible(request: HttpRequest, wanted: list[UUID]) -> list[UUID]:
    photos = [photo_for(asker(request), one) for one in dict.fromkeys(wanted)]
    if len(photos) < 2:
        raise HttpError(422, "Name two different photos at least.")
    if not of_one_owner(photos):
        raise HttpError(403, "These are photos of different people: nobody's gives way to another's.")
    return [photo.id for photo in photos]


def _cursor(text: str) -> tuple[int, UUID] | None:
    size, _, last = text.partition("~")
    if not text:
        return None
    try:
        return int(size), UUID(last)
    except ValueError as error:
        raise HttpError(422, "That is no `next` of this list.") from error
