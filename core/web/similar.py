"""More like this: the photos most alike to one, as a grid."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core.readmodels.similar import Want, similar_photos
from core.readmodels.stacks import stack_marks
from core.vectors import NEEDED
from core.web.access import Request, signed_in
from core.web.pictures import visible_photo
from core.web.tiles import tile_of, words_for

_WORDS = {
    Want.PGVECTOR: f"{NEEDED} Everything else works without it.",
    Want.NUMBERS: "Nobody has looked at what this photo is like yet. It waits its turn, or the analysis of "
    "similar pictures is switched off in its library.",
}


@require_safe
@signed_in
def similar_page(request: Request, photo_id: UUID) -> HttpResponse:
    """The photos most like this one, the most alike first."""
    photo = visible_photo(request.user, photo_id)
    found = similar_photos(request.user, photo.id)
    marks = stack_marks(found.photos)
    context = {
        "photo": photo,
        "own": tile_of(photo),
        "words": words_for(photo),
        "tiles": [tile_of(one, marks.get(one.id)) for one in found.photos],
        "want": _WORDS.get(found.want, "") if found.want else "",
    }
    return render(request, "looks/similar.html", context)
