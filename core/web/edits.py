"""A person's own words on a photo: stars, heart, title, caption, keywords, position, date, and their undoing."""

import re
from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from core.commands.duplicates import undo_decision
from core.commands.edits import edit_photo, undo_edit
from core.commands.sidecars import ask_for_sidecar
from core.commands.stacks import undo_stacking
from core.domain import edits
from core.domain.clocks import is_offset
from core.domain.looks import StyleCorrected
from core.domain.places import PlaceCorrected
from core.readmodels.stacks import others_in_stack
from core.web.access import Request, actor_of, signed_in
from core.web.pictures import visible_photo
from core.web.viewer import known, page_context

_PLACE = re.compile(
    r"\s*(-?\d+(?:\.\d+)?)\s*°?\s*([NS]?)\s*[,; ]\s*(-?\d+(?:\.\d+)?)\s*°?\s*([EW]?)\s*", re.IGNORECASE
)


@require_POST
@signed_in
def edit(request: Request, photo_id: UUID) -> HttpResponse:
    """One change; the answer is the panel as it is now, or with the reason why nothing was changed."""
    visible_photo(request.user, photo_id)
    read = _FORMS.get(request.POST.get("fact", ""))
    seen = request.POST.get("seen", "")
    if read is None or not (seen.isdecimal() and len(seen) < 10):
        return HttpResponseBadRequest("There is no such form.")
    try:
        edit_photo(photo_id, [read(request)], seen=int(seen), actor=actor_of(request))
    except (edits.BadValue, edits.ChangedMeanwhile) as refused:
        return panel(request, photo_id, str(refused))
    return panel(request, photo_id)


@require_POST
@signed_in
def undo(request: Request, photo_id: UUID, event: UUID) -> HttpResponse:
    """Take back one change."""
    visible_photo(request.user, photo_id)
    try:
        undo_anything(photo_id, event, actor_of(request))
    except edits.NotUndoable as refused:
        return panel(request, photo_id, f"{refused}.")
    return panel(request, photo_id)


@require_POST
@signed_in
def write_sidecar(request: Request, photo_id: UUID) -> HttpResponse:
    """Have the sidecar written now."""
    visible_photo(request.user, photo_id)
    ask_for_sidecar(photo_id, actor=actor_of(request))
    return panel(request, photo_id)


def undo_anything(photo: UUID, event: UUID, actor: str) -> None:
    """Take back a change, a decision about duplicates, or what was done to a stack. Raises NotUndoable."""
    if not undo_decision(photo, event, actor=actor) and not undo_stacking(
        photo, event, others_in_stack(photo), actor=actor
    ):
        undo_edit(photo, event, actor=actor)


def panel(request: Request, photo_id: UUID, refused: str = "") -> HttpResponse:
    """The panel as it is now, or with the reason why nothing was changed; without script the whole page."""
    if request.htmx:
        photo = visible_photo(request.user, photo_id)
        context = {"photo": photo, "refused": refused, **known(request, photo)}
        return render(request, "photos/_details.html", context)
    if not refused:
        return redirect("photo", photo_id)
    photo = visible_photo(request.user, photo_id)
    context = {**page_context(request, photo), "refused": refused}
    return render(request, "photos/viewer.html", context, status=409)


def _rating(request: HttpRequest) -> edits.Edit:
    text = request.POST.get("value", "")
    if text and text not in map(str, edits.STARS):
        raise edits.BadValue("Stars go from 0 to 5.")
    return edits.PhotoRated(int(text) if text else None)


def _position(request: HttpRequest) -> edits.Edit:
    text = request.POST.get("value", "").strip()
    if not text:
        return edits.PhotoPlaced(None, None)
    found = _PLACE.fullmatch(text)
    if found is None:
        raise edits.BadValue("A position is written as 48.85837, 2.29448: latitude, then longitude, in degrees.")
    latitude, longitude = float(found[1]), float(found[3])
    return edits.PhotoPlaced(
        -latitude if found[2].upper() == "S" else latitude, -longitude if found[4].upper() == "W" else longitude
    )


def _date(request: HttpRequest) -> edits.Edit:
    offset = request.POST.get("offset", "").strip().replace("\N{MINUS SIGN}", "-")
    if re.fullmatch(r"[+-]\d:\d\d", offset):
        offset = f"{offset[0]}0{offset[1:]}"
    if offset and not is_offset(offset):
        raise edits.BadValue("An offset from UTC is written as +02:00.")
    taken = request.POST.get("value", "").strip()
    return edits.PhotoDated(taken + ":00" if re.fullmatch(r".*T\d\d:\d\d", taken) else taken, offset)


def _place(request: HttpRequest) -> edits.Edit:
    country, region, city = (request.POST.get(name, "") for name in ("country", "region", "value"))
    return PlaceCorrected(country, region, city)


def _keywords(request: HttpRequest) -> edits.Edit:
    return edits.KeywordsChanged(tuple(request.POST.get("value", "").split(",")))


_FORMS: dict[str, Callable[[HttpRequest], edits.Edit]] = {
    "rating": _rating,
    "favourite": lambda request: edits.PhotoFavoured(request.POST.get("value") == "on"),
    "title": lambda request: edits.PhotoTitled(request.POST.get("value", "")),
    "caption": lambda request: edits.PhotoCaptioned(request.POST.get("value", "").replace("\r\n", "\n")),
    "keywords": _keywords,
    "position": _position,
    "date": _date,
    "place": _place,
    "style": lambda request: StyleCorrected(request.POST.get("value", ""), request.POST.get("has") == "on"),
}
