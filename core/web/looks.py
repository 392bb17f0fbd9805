"""Photos by colour and style: a picker, and a grid in which those with most of the colour come first."""

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from core.domain.colours import SWATCHES, Colour, lab_of, name_of
from core.domain.styles import RULES, Style
from core.readmodels.looks import LooksOf, NoSuchLook, looks_of_photo, style_named
from core.readmodels.palette import Ranked, photos_by_colour, photos_by_style
from core.readmodels.stacks import stack_marks
from core.web.access import Request, signed_in
from core.web.tiles import tile_of

PAGE = 60


@dataclass(frozen=True, slots=True)
class Swatch:
    """One name in the picker: what it shows, and the address that it leads to."""

    name: str
    colour: str
    address: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """One style: its name, its rule in words, and the address that it leads to."""

    name: str
    words: str
    address: str
    chosen: bool
    measured: str = ""
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class ColourOf:
    """A colour of one photo, for the panel."""

    name: str
    colour: str
    percent: str
    address: str


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def looks_page(request: Request) -> HttpResponse:
    """The picker, and the photos that have what was picked."""
    colour, style = request.GET.get("colour", "").lower(), request.GET.get("style", "")
    try:
        style = str(style_named(style)) if style else ""
        found = _found(request, colour, style)
    except (NoSuchLook, ValueError) as error:
        raise Http404("There is no such colour or style.") from error
    marks = stack_marks(found.photos)
    context = {
        "tiles": [tile_of(photo, marks.get(photo.id)) for photo in found.photos],
        "next": address(colour, style, found.next) if found.next else "",
        "asked": bool(colour or style),
    }
    if request.htmx:
        return render(request, "looks/_grid.html", context)
    return render(request, "looks/looks.html", context | _picker(colour, style))


def address(colour: str = "", style: str = "", behind: str = "") -> str:
    """Where photos of this colour and style are."""
    asked = {name: value for name, value in (("colour", colour), ("style", style), ("behind", behind)) if value}
    return f"{reverse('looks')}?{urlencode(asked)}" if asked else reverse("looks")


def looks_in_words(photo_id: UUID) -> dict[str, object]:
    """What the panel beside a photo says of its looks."""
    known: LooksOf = looks_of_photo(photo_id)
    colours = [
        ColourOf(one.colour, one.mean, f"{max(1, round(100 * one.share))}\N{NO-BREAK SPACE}%", address(one.colour))
        for one in known.colours or []
    ]
    styles = [
        _chip(one.style, measured=_measured(one.measured), by_hand=bool(one.by_hand)) for one in known.styles or []
    ]
    others = [str(one) for one in Style if str(one) not in {chip.name for chip in styles}]
    looked = known.colours is not None or known.styles is not None
    return {"colours": colours, "styles": styles, "others": others, "looked": looked}


def _found(request: Request, colour: str, style: str) -> Ranked:
    behind = request.GET.get("behind", "")
    if colour:
        return photos_by_colour(request.user, colour, style, behind, PAGE)
    if style:
        return photos_by_style(request.user, style, behind, PAGE)
    return Ranked([], {}, "")


def _picker(colour: str, style: str) -> dict[str, object]:
    own = colour if colour.startswith("#") else ""
    return {
        "swatches": [Swatch(str(one), SWATCHES[one], address(one, style), one == colour) for one in Colour],
        "chips": [_chip(str(one), colour, chosen=one == style) for one in Style],
        "colour": colour,
        "style": style,
        "own": own or SWATCHES.get(Colour(colour), "#3d8be8") if colour else "#3d8be8",
        "own_name": str(name_of(lab_of(own))) if own else "",
        "without_colour": address(style=style),
    }


def _chip(name: str, colour: str = "", *, chosen: bool = False, measured: str = "", by_hand: bool = False) -> Chip:
    words = RULES[Style(name)].words if name in list(Style) else ""
    return Chip(name, words, address(colour, "" if chosen else name), chosen, measured, by_hand)


def _measured(measured: dict[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in measured.items())
