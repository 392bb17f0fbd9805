"""Albums: all of them as cards, one with its photos, and what may be done with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from core.commands import albums as commands
from core.domain.albums import AlbumNotFound, Wanted
from core.domain.edits import BadValue, NotUndoable
from core.readmodels.albumcards import Card, broken_parts, card_of, cards_of
from core.readmodels.albums import Album, album_for, album_named, albums_of, changes_of
from core.readmodels.conditions import BadFilter
from core.readmodels.filters import FILTERS, asked_in, check
from core.readmodels.found import search
from core.readmodels.stacks import stack_marks
from core.readmodels.timeline import Cursor
from core.web.access import Request, actor_of, not_there, signed_in
from core.web.albumwords import changes_in_words
from core.web.edits import panel
from core.web.pictures import visible_photo
from core.web.search import address_of, lists_in, within
from core.web.tiles import Day, days_of
from core.web.words import counted, number

PAGE = 120


@dataclass(frozen=True, slots=True)
class Part:
    """One filter of an album's rule in words, and where all photos are that it finds; `broken`: it finds none."""

    title: str
    icon: str
    words: str
    address: str
    broken: bool = False


_found = not_there(AlbumNotFound, "There is no such album.")


@require_safe
@signed_in
def albums_page(request: Request) -> HttpResponse:
    """All albums by name; removed ones behind a switch."""
    return _albums(request)


@require_POST
@signed_in
def make(request: Request) -> HttpResponse:
    """A new album: of the search that comes with it, or an empty one to be filled by hand."""
    name = request.POST.get("name", "")
    try:
        rule = _rule(request) or None
        made = commands.make_album(request.user.pk, name, rule=rule, actor=actor_of(request))
    except (BadFilter, BadValue) as refused:
        return _albums(request, str(refused))
    return redirect("album", made)


@require_safe
@vary_on_headers("HX-Request")
@signed_in
@_found
def album_page(request: Request, album_id: UUID) -> HttpResponse:
    """One album with its photos, newest first, or the further part behind `before`."""
    return _album(request, album_for(request.user, album_id))


@require_POST
@signed_in
@_found
def change(request: Request, album_id: UUID) -> HttpResponse:
    """A name, a rule, or that there is no such album any longer."""
    album, actor = album_for(request.user, album_id), actor_of(request)
    try:
        match request.POST.get("fact"):
            case "name":
                commands.rename_album(album.id, request.POST.get("value", ""), actor=actor)
            case "rule":
                commands.change_rule(album.id, _rule(request, [album.id]), actor=actor)
            case "removed":
                commands.remove_album(album.id, actor=actor)
                return redirect("album", album.id)
            case _:
                return HttpResponseBadRequest("There is no such form.")
    except (BadFilter, BadValue) as refused:
        return _album(request, album, str(refused))
    return redirect("album", album.id)


@require_POST
@signed_in
@_found
def undo(request: Request, album_id: UUID, change_id: UUID) -> HttpResponse:
    """Take back one change of an album."""
    album = album_for(request.user, album_id)
    try:
        commands.undo_change(album.id, change_id, actor=actor_of(request))
    except NotUndoable as refused:
        return _album(request, album, f"{refused}.")
    return redirect("album", album.id)


@require_POST
@signed_in
@_found
def bring_back(request: Request, album_id: UUID) -> HttpResponse:
    """Undo the removal of an album."""
    album = album_for(request.user, album_id)
    removals = [one for one in changes_of(album.id) if one.type == "album.removed" and one.counts]
    for removal in removals[:1]:
        commands.undo_change(album.id, removal.id, actor=actor_of(request))
    return redirect("album", album.id)


@require_POST
@signed_in
@_found
def of_photo(request: Request, photo_id: UUID) -> HttpResponse:
    """Put one photo into an album, or take it out, from the panel beside it."""
    visible_photo(request.user, photo_id)
    actor = actor_of(request)
    try:
        if out := request.POST.get("out", ""):
            commands.take_photos(album_for(request.user, _uuid(out)).id, [photo_id], actor=actor)
        else:
            put_in(request, request.POST.get("album_name", ""), [photo_id])
    except BadValue as refused:
        return panel(request, photo_id, str(refused))
    return panel(request, photo_id)


def put_in(request: Request, name: str, photos: list[UUID]) -> tuple[Album, UUID | None]:
    """Put photos into the album of this name, or into a new one; the album, and the change. Raises BadValue."""
    album = album_named(request.user, name)
    if album is not None:
        return album, commands.add_photos(album.id, photos, actor=actor_of(request))
    made = commands.make_album(request.user.pk, name, photos=photos, actor=actor_of(request))
    return album_for(request.user, made), changes_of(made)[-1].id


def _albums(request: Request, refused: str = "") -> HttpResponse:
    removed = request.GET.get("show") == "removed"
    context = {
        "cards": [_card(one) for one in cards_of(request.user, removed=removed)],
        "removed": removed,
        "removed_count": albums_of(request.user, removed=True).count(),
        "refused": refused,
    }
    return render(request, "albums/albums.html", context, status=422 if refused else 200)


def _card(card: Card) -> dict[str, object]:
    return {"album": card.album, "cover": card.cover, "words": _count_words(card), "broken": card.broken}


def _count_words(card: Card) -> str:
    return f"more than {number(card.count)} photos" if card.more else counted(card.count, "photo")


def _album(request: Request, album: Album, refused: str = "") -> HttpResponse:
    asked = [("album", str(album.id))]
    days, older = ([], "") if album.removed else _days(request, album)
    context: dict[str, object] = {"days": days, "older": older, "within": within(asked)}
    if request.htmx and "before" in request.GET:
        return render(request, "search/_found.html", context)
    card = Card(album, 0, None) if album.removed else card_of(request.user, album)
    context |= {
        "album": album,
        "card": _card(card),
        "parts": _parts(request, album),
        "rule_address": address_of([*album.asked, ("editing", str(album.id))]),
        "history": changes_in_words(changes_of(album.id)),
        "refused": refused,
    }
    return render(request, "albums/album.html", context, status=422 if refused else 200)


def _days(request: Request, album: Album) -> tuple[list[Day], str]:
    before: Cursor | None = None
    begun: date | None = None
    if text := request.GET.get("before", ""):
        try:
            before = Cursor.parse(text)
        except ValueError as error:
            raise Http404("There is no such place in the album.") from error
        begun = before.taken_local.date()
    try:
        page = search(request.user, [("album", str(album.id))], before, PAGE)
    except BadFilter:  # the page says which part of the rule it is
        return [], ""
    here = reverse("album", args=[album.id])
    older = f"{here}?{urlencode({'before': str(page.next)})}" if page.next else ""
    return days_of(page.photos, begun, stack_marks(page.photos)), older


def _parts(request: Request, album: Album) -> list[Part]:
    broken = broken_parts(request.user, album)
    return [_part(request, one, broken=one in broken) for one in album.asked]


def _part(request: Request, one: tuple[str, str], *, broken: bool) -> Part:
    name, value = one
    known = FILTERS.get(name)
    if known is None:
        return Part(name, "question-mark-circle", value, "", broken=True)
    words = "no longer there" if broken else known.shown(request.user, value)
    return Part(known.title, known.icon, words, "" if broken else address_of([one]), broken)


def _rule(request: Request, above: Sequence[UUID] = ()) -> list[Wanted]:
    """The search that came with the form. Raises BadFilter."""
    asked = asked_in(lists_in(request.POST))
    check(request.user, asked, above)
    return [Wanted(name, value) for name, value in asked]


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404("There is no such album.") from error
