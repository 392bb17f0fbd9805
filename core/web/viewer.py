"""One photo, large: its picture, its neighbours, and everything that is known of it."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from core.forgetting import may_forget
from core.readmodels.albums import albums_with
from core.readmodels.failures import failures_of_photo
from core.readmodels.files import files_of_photo
from core.readmodels.found import found_neighbours
from core.readmodels.people import faces_in, names_of
from core.readmodels.photos import Photo, history_of, visible_photos
from core.readmodels.sidecars import sidecars_of_photo
from core.readmodels.stacks import film_of, stack_of
from core.readmodels.timeline import neighbours
from core.web.access import Request, signed_in
from core.web.boxes import boxes_of
from core.web.details import sections, stars, things
from core.web.faces import face_tiles
from core.web.history import history_in_words
from core.web.looks import looks_in_words
from core.web.missing import absence_of
from core.web.pictures import visible_photo
from core.web.places import where_and_when
from core.web.playing import playback_of
from core.web.search import address_of, asked_within, within
from core.web.seen import seen_in_words
from core.web.stacked import stack_in_words
from core.web.tiles import average_colour, words_for


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def photo_page(request: Request, photo_id: UUID) -> HttpResponse:
    """The viewer, whole or, for the way to a neighbour, just its inside."""
    photo = visible_photo(request.user, photo_id)
    template = "photos/_viewer.html" if request.htmx else "photos/viewer.html"
    return render(request, template, page_context(request, photo))


def page_context(request: Request, photo: Photo) -> dict[str, object]:
    """What the viewer's page shows of a photo."""
    asked = asked_within(request)
    newer, older = found_neighbours(request.user, asked, photo) if asked else neighbours(request.user, photo)
    stack = stack_of(request.user, photo)
    return {
        "photo": photo,
        "newer": newer,
        "older": older,
        "within": within(asked),
        "came_from": address_of(asked) if asked else "",
        "words": words_for(photo),
        "playback": playback_of(photo, film_of(photo, stack)),
        "stack": stack_in_words(photo, stack),
        "ratio": f"{photo.width / photo.height:.4f}" if photo.width and photo.height else "1.5",
        "colour": average_colour(photo.thumbhash),
        "panel": request.COOKIES.get("panel", ""),
        "boxes_shown": request.COOKIES.get("boxes") == "shown",
        **known(request, photo),
    }


@require_safe
@signed_in
def details(request: Request, photo_id: UUID) -> HttpResponse:
    """The panel alone, for when more became known."""
    photo = visible_photo(request.user, photo_id)
    return render(request, "photos/_details.html", {"photo": photo, **known(request, photo)})


def known(request: Request, photo: Photo) -> dict[str, object]:
    """What the panel beside the picture shows."""
    events = history_of(request.user, photo.id)
    files = files_of_photo(photo.id)
    seen, faces = things(photo), faces_in(photo)
    return {
        "absence": absence_of(photo, files),
        "may_forget": may_forget(request.user, photo),
        "albums": albums_with(request.user, photo.id),
        "kept": visible_photos(request.user).filter(id=photo.duplicate_of).first() if photo.duplicate_of else None,
        "sections": sections(photo, files, sidecars_of_photo(photo.id)),
        "stars": stars(photo),
        "where": where_and_when(request.user, photo, faces),
        "seen": events[-1].version,
        "faces": face_tiles(faces),
        "names": names_of(request.user),
        "things": seen,
        "boxes": boxes_of(seen, faces),
        "looks": looks_in_words(photo.id),
        "in_it": seen_in_words(photo),
        "failures": failures_of_photo(photo.id),
        "history": history_in_words(events),
    }
