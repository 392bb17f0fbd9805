"""Search by meaning: photos in the order in which they show what words say; a section of the search or a page."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from core.asking import PATIENCE, ByMeaning, Want, photos_by_meaning
from core.meaning import LONGEST, plainly
from core.readmodels.conditions import BadFilter
from core.readmodels.filters import Asked, asked_in
from core.readmodels.meaning import MOST
from core.readmodels.stacks import stack_marks
from core.vectors import NEEDED
from core.web.access import Request, signed_in
from core.web.search import Pill, address_of, lists_in, pills_of
from core.web.tiles import tile_of

# On the search page it is a strip above what was found by words.
_FEW = 12
_WORDS = {
    Want.PGVECTOR: f"{NEEDED} All other ways to search work without it.",
    Want.ANSWER: f"No worker has answered within {PATIENCE:.0f} seconds. One that has just begun loads its model "
    "first: what it answers late is here at once the next time.",
    Want.NUMBERS: "None of these photos has been looked at for its meaning yet. That happens when a photo comes; "
    "for those that are here, an administrator presses “Look again” in the library's settings.",
}


@require_safe
@never_cache
@vary_on_headers("HX-Request")
@signed_in
def meaning_page(request: Request) -> HttpResponse:
    """The photos nearest to what the words say, of those for which all filters hold; it waits for a worker."""
    words = request.GET.get("meaning", "").strip()[:LONGEST]
    asked: Asked = []
    found, refused, pills = ByMeaning(), "", list[Pill]()
    if not plainly(words):
        return redirect("search")
    try:
        asked = asked_in(lists_in(request.GET))
        found = photos_by_meaning(request.user, words, asked, _FEW if request.htmx else MOST)
        pills = pills_of(request.user, asked, [("meaning", words)])
    except BadFilter as error:
        refused = str(error)
    marks = stack_marks(found.photos)
    context = {
        "words": words,
        "asked": asked,
        "tiles": [tile_of(photo, marks.get(photo.id)) for photo in found.photos],
        "left_out": found.left_out and not found.want,
        "said": refused or found.reason or (_WORDS.get(found.want, "") if found.want else ""),
        "again": found.want in (Want.ANSWER, Want.TROUBLE),
        "here": request.get_full_path(),
        "plain": address_of([("q", words), *(one for one in asked if one[0] != "q")]),
        "pills": pills,
    }
    if request.htmx:
        return render(request, "search/_meaning.html", context)
    return render(request, "search/meaning.html", context, status=422 if refused else 200)
