"""The faces of one photo, in the panel beside it: who they are, and saying so."""

from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.views.decorators.http import require_POST

from core import whoiswho
from core.domain.edits import BadValue
from core.domain.people import PersonNotFound
from core.readmodels.people import face_for
from core.web.access import Request, signed_in
from core.web.edits import panel
from core.web.pictures import visible_photo


@require_POST
@signed_in
def say_who(request: Request, photo_id: UUID, face_id: UUID) -> HttpResponse:
    """A name for a face, that it is right, or that it is not who it was taken for; the answer is the panel."""
    visible_photo(request.user, photo_id)
    try:
        seen = face_for(request.user, face_id)
        if seen.photo.id != photo_id:
            raise PersonNotFound(str(face_id))
        match request.POST.get("act"):
            case "name":
                whoiswho.name_face(request.user, face_id, request.POST.get("name", ""))
            case "confirm":
                whoiswho.confirm(request.user, [face_id])
            case "reject" if seen.person is not None:
                whoiswho.reject(request.user, seen.person.id, [face_id])
            case _:
                return HttpResponseBadRequest("There is no such button.")
    except PersonNotFound as error:
        raise Http404("There is no such face.") from error
    except BadValue as refused:
        return panel(request, photo_id, str(refused))
    return panel(request, photo_id)
