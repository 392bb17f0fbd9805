"""The pages that ask whether a photo or a person is really to be forgotten, and say what goes and what stays."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.domain.forgetting import StillThere
from core.domain.people import PersonNotFound
from core.domain.photos import PhotoNotFound
from core.forgetting import (
    BY_OWNER,
    forget,
    forget_person,
    person_to_forget,
    photo_to_forget,
    refuse_if_there,
    uploads_of,
)
from core.readmodels.people import portrait_of
from core.web.access import Request, actor_of, not_there, signed_in
from core.web.faces import person_tile
from core.web.words import size


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@signed_in
@not_there(PhotoNotFound, "There is no such photo.")
def forget_page(request: Request, photo_id: UUID) -> HttpResponse:
    """What is erased, and the button; afterwards the timeline, where the photo was."""
    photo = photo_to_forget(request.user, photo_id)
    refused = ""
    try:
        if request.method == "POST":
            day = photo.taken_local.date().isoformat() if photo.taken_local else ""
            forget(photo, actor=actor_of(request), reason=BY_OWNER)
            response = redirect("timeline")
            response["Location"] += f"?from={day}" if day else ""
            return response
        refuse_if_there(photo)
    except StillThere as error:
        refused = str(error)
    uploads = [(one.name, size(one.size)) for one in uploads_of(photo)]
    context = {"photo": photo, "uploads": uploads, "refused": refused}
    return render(
        request, "photos/forget.html", context, status=409 if refused and request.method == "POST" else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@signed_in
@not_there(PersonNotFound, "There is no such person.")
def forget_person_page(request: Request, person_id: UUID) -> HttpResponse:
    """The same for a person; afterwards everybody else."""
    person = person_to_forget(request.user, person_id)
    if request.method == "POST":
        forget_person(person, actor=actor_of(request), reason=BY_OWNER)
        return redirect("people")
    portrait = person_tile(portrait_of(request.user, person))
    return render(request, "people/forget.html", {"person": person, "portrait": portrait})
