"""What a person does with the stack that a photo is in: take apart, put together, choose the one on top."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from core.commands.stacks import put_on_top, stack_photos, unstack_photos
from core.domain.stacks import NotStacked, StackRule
from core.readmodels.photos import Photo
from core.readmodels.stacks import Stack, stack_of
from core.web.access import Request, actor_of, signed_in
from core.web.pictures import visible_photo
from core.web.viewer import page_context


@require_POST
@signed_in
def unstack(request: Request, photo_id: UUID) -> HttpResponse:
    """Take the whole stack apart: each of its photos is shown by itself again."""
    photo, stack = _asked(request, photo_id)
    if stack is not None:
        unstack_photos(stack.id, [one.id for one in stack.members], actor=actor_of(request))
    return _viewer(request, photo)


@require_POST
@signed_in
def restack(request: Request, photo_id: UUID) -> HttpResponse:
    """Put together again what was taken apart."""
    photo, stack = _asked(request, photo_id)
    if stack is not None:
        members = dict.fromkeys([one.id for one in (*stack.members, *stack.apart)], StackRule.HAND)
        stack_photos(stack.id, members, actor=actor_of(request))
    return _viewer(request, photo)


@require_POST
@signed_in
def on_top(request: Request, photo_id: UUID) -> HttpResponse:
    """Show the stack by this photo. In a stack that is gone meanwhile there is nothing to choose."""
    photo, stack = _asked(request, photo_id)
    if stack is not None and photo in stack.members:
        try:
            put_on_top(stack.id, photo.id, actor=actor_of(request))
        except NotStacked:
            return _viewer(request, photo)
    return _viewer(request, photo)


def _asked(request: Request, photo_id: UUID) -> tuple[Photo, Stack | None]:
    photo = visible_photo(request.user, photo_id)
    return photo, stack_of(request.user, photo)


def _viewer(request: Request, photo: Photo) -> HttpResponse:
    if request.htmx:
        return render(request, "photos/_viewer.html", page_context(request, photo))
    return redirect("photo", photo.id)
