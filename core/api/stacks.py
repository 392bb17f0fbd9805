"""Stacks for programs: photos shown as one, taken apart, and the one by which they are shown."""

from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.errors import HttpError
from pydantic import Field

from core.api.access import actor_of, asker
from core.api.photos import PhotoDetail, detail
from core.commands.stacks import put_on_top, stack_photos, unstack_photos
from core.domain.stacks import StackRule
from core.readmodels.photos import photo_for
from core.readmodels.stacks import Stack, stack_of

router = Router(tags=["stacks"])


class Together(Schema):
    """Photos to be shown as one; the first is the one on top."""

    photos: list[UUID] = Field(min_length=2, max_length=100)


@router.post("", response=PhotoDetail, summary="Show photos as one")
def put_together(request: HttpRequest, wanted: Together) -> dict[str, Any]:
    """Each leaves the stack that it is in. All must be of one library: 422 else."""
    photos = [photo_for(asker(request), one) for one in dict.fromkeys(wanted.photos)]
    if len(photos) < 2 or len({photo.library_id for photo in photos}) != 1:
        raise HttpError(422, "A stack has two photos or more, all of one library.")
    members = dict.fromkeys([photo.id for photo in photos], StackRule.HAND)
    stack_photos(uuid4(), members, top=photos[0].id, actor=actor_of(request))
    return detail(request, photos[0].id)


@router.delete("/{photo_id}", response=PhotoDetail, summary="Take apart the stack of a photo")
def take_apart(request: HttpRequest, photo_id: UUID) -> dict[str, Any]:
    """404 when the photo is in none."""
    stack = _stack_with(request, photo_id)
    unstack_photos(stack.id, [one.id for one in stack.members], actor=actor_of(request))
    return detail(request, photo_id)


@router.put("/{photo_id}/top", response=PhotoDetail, summary="Show the stack by this photo")
def choose_top(request: HttpRequest, photo_id: UUID) -> dict[str, Any]:
    """404 when the photo is in no stack, 409 when it was taken out just now."""
    put_on_top(_stack_with(request, photo_id).id, photo_id, actor=actor_of(request))
    return detail(request, photo_id)


def _stack_with(request: HttpRequest, photo_id: UUID) -> Stack:
    photo = photo_for(asker(request), photo_id)
    stack = stack_of(asker(request), photo)
    if stack is None or photo not in stack.members:
        raise HttpError(404, "This photo is in no stack.")
    return stack
