"""Search: what is asked stands in the address and is shown as pills; what is found, as the timeline's tiles."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from core.accounts import Account
from core.domain.albums import AlbumNotFound
from core.domain.colours import SWATCHES, Colour
from core.domain.exposure import MEASURES
from core.domain.occasions import NAMES
from core.domain.styles import Style
from core.meaning import PhotoMeaning, has_tables
from core.readmodels.albums import Album, album_for, albums_of
from core.readmodels.conditions import KINDS, STATES, BadFilter
from core.readmodels.filters import FILTERS, Asked, asked_in, check
from core.readmodels.found import search
from core.readmodels.occasions import named_dates
from core.readmodels.people import named_like
from core.readmodels.stacks import stack_marks
from core.readmodels.suggesting import LEARNT, Suggestion, learnt, suggestions
from core.readmodels.timeline import Cursor
from core.web.access import Request, signed_in
from core.web.tiles import Day, days_of

PAGE = 120
_CHOICES = 12


@dataclass(frozen=True, slots=True)
class Pill:
    """One filter in force, or one to choose: what it is, its value in words, and where a press leads."""

    title: str
    icon: str
    words: str
    address: str
    chosen: bool = False
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Here:
    """What is asked, and the album whose rule is being changed; each press leads on from there."""

    account: Account
    asked: Asked
    editing: Album | None = None

    def address(self, asked: Asked) -> str:
        """The search with other filters, for the same album."""
        return address_of([*asked, *([("editing", str(self.editing.id))] if self.editing else [])])

    def without(self, one: tuple[str, str]) -> str:
        """The search without one of its filters."""
        return self.address([other for other in self.asked if other != one])


@dataclass(frozen=True, slots=True)
class Group:
    """Filters of one kind to choose from."""

    title: str
    pills: list[Pill]


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def search_page(request: Request) -> HttpResponse:
    """What was found, or the further part behind `before`; without a question, what can be asked."""
    here = Here(request.user, [], _editing(request))
    days: list[Day] = []
    refused = older = ""
    try:
        here = replace(here, asked=asked_in(lists_in(request.GET)))
        if (asked := _with_ranges(request, here.asked)) is not None:
            return redirect(here.address(asked))
        if here.asked:
            days, older = _found(request, here.asked)
        pills = [_pill(here, one) for one in here.asked]
    except BadFilter as error:
        refused, pills = str(error), [_unknown(here, one) for one in here.asked]
    context: dict[str, object] = {"days": days, "older": older, "asked": here.asked, "within": within(here.asked)}
    context["meaning"] = address_by_meaning(here.asked)
    if request.htmx and "before" in request.GET:
        return render(request, "search/_found.html", context)
    context |= {"pills": pills, "refused": refused, "groups": _groups(here), "editing": here.editing}
    context |= {"measures": MEASURES}
    # Its place is kept where there will be photos in it.
    context["meaning_likely"] = has_tables() and PhotoMeaning.objects.exists()
    return render(request, "search/search.html", context, status=422 if refused else 200)


@require_safe
@never_cache
@signed_in
def suggest(request: Request) -> HttpResponse:
    """What the letters typed so far may mean, as filters that join those in force."""
    given = lists_in(request.GET)
    *texts, typed = given.get("q", []) or [""]
    here = Here(request.user, [], _editing(request))
    with suppress(BadFilter):
        here = replace(here, asked=asked_in({**given, "q": texts}))
    found = [_choice(here, one) for one in suggestions(request.user, typed[:200])]
    # What is in force already is rarely what somebody types for.
    found.sort(key=lambda one: one.chosen)
    return render(request, "search/_suggestions.html", {"found": found, "typed": typed.strip()})


def address_of(asked: Asked) -> str:
    """Where photos are for which all of these hold; of an album alone, its own page."""
    if len(asked) == 1 and asked[0][0] == "album":
        with suppress(ValueError):
            return reverse("album", args=[UUID(asked[0][1])])
    return f"{reverse('search')}?{urlencode(asked)}" if asked else reverse("search")


def address_by_meaning(asked: Asked) -> str:
    """Where photos are that show what the typed words mean, with all other filters in force; "" without words."""
    words = " ".join(value for name, value in asked if name == "q")
    others = [one for one in asked if one[0] != "q"]
    return f"{reverse('search-meaning')}?{urlencode([('meaning', words), *others])}" if words else ""


def pills_of(account: Account, asked: Asked, meaning: Asked = ()) -> list[Pill]:
    """The filters in force; a press takes one away. With words that are looked for by meaning, these stay."""
    page = reverse("search-meaning" if meaning else "search")
    made = []
    for one in asked:
        known, left = FILTERS[one[0]], [*meaning, *(other for other in asked if other != one)]
        address = f"{page}?{urlencode(left)}" if left else page
        made.append(Pill(known.title, known.icon, known.shown(account, one[1]), address, chosen=True))
    return made


def lists_in(given: QueryDict) -> dict[str, list[str]]:
    """The parameters of an address or a form, as `asked_in` takes them."""
    return {name: [str(one) for one in given.getlist(name)] for name in given}


def within(asked: Asked) -> str:
    """What an address of a photo has behind it, so that its neighbours are those that were found with it."""
    return "?" + urlencode({"within": urlencode(asked)}) if asked else ""


def asked_within(request: Request) -> list[tuple[str, str]]:
    """The question with which somebody came to a photo; nothing for one that makes no sense."""
    try:
        asked = asked_in(lists_in(QueryDict(request.GET.get("within", ""))))
        check(request.user, asked)
    except BadFilter:
        return []
    return asked


def _with_ranges(request: Request, asked: Asked) -> Asked | None:
    """What was asked with the two ends of ranges in fields of their own; None where there are no such fields."""
    given = [(name, end) for name in MEASURES for end in ("from", "to") if f"{name}_{end}" in request.GET]
    ranges = []
    for name in dict.fromkeys(name for name, _ in given):
        first, last = (request.GET.get(f"{name}_{end}", "").strip() for end in ("from", "to"))
        if first or last:
            ranges.append((name, first if first == last else f"{first}..{last}"))
    return [*asked, *ranges] if given else None


def _found(request: Request, asked: Asked) -> tuple[list[Day], str]:
    begun: date | None = None
    before = None
    if text := request.GET.get("before", ""):
        try:
            before = Cursor.parse(text)
        except ValueError as error:
            raise Http404("There is no such place among what was found.") from error
        begun = before.taken_local.date()
    page = search(request.user, asked, before, PAGE)
    older = address_of([*asked, ("before", str(page.next))]) if page.next else ""
    return days_of(page.photos, begun, stack_marks(page.photos)), older


def _pill(here: Here, one: tuple[str, str]) -> Pill:
    known = FILTERS[one[0]]
    return Pill(known.title, known.icon, known.shown(here.account, one[1]), here.without(one), chosen=True)


def _unknown(here: Here, one: tuple[str, str]) -> Pill:
    """A pill of a search that was refused; the value that nobody knows is shown as such."""
    try:
        check(here.account, [one])
    except BadFilter:
        known = FILTERS[one[0]]
        return Pill(known.title, known.icon, one[1], here.without(one), chosen=True)
    return _pill(here, one)


def _editing(request: Request) -> Album | None:
    """The album by rule whose rule is being changed here."""
    with suppress(ValueError, AlbumNotFound):
        album = album_for(request.user, UUID(request.GET.get("editing", "")))
        return album if album.rule is not None and not album.removed else None
    return None


def _choice(here: Here, one: Suggestion, colour: str = "") -> Pill:
    """A press adds it; pressed again, it goes."""
    wanted, known = (one.filter, one.value), FILTERS[one.filter]
    chosen = wanted in here.asked
    leads_to = here.without(wanted) if chosen else here.address([*here.asked, wanted])
    return Pill(known.title, known.icon, one.words, leads_to, chosen, colour)


def _groups(here: Here) -> list[Group]:
    """What can be chosen without typing; groups that would be empty are left out."""
    account = here.account
    known = learnt(account, LEARNT, _CHOICES)
    made = [
        ("People", _people(account)),
        ("Places", known["place"]),
        ("Things", known["label"]),
        ("Shows", known["scene"]),
        ("Keywords", known["keyword"]),
        ("Albums", _albums(here)),
        ("Dates of note", _dates(account)),
        ("Styles", [Suggestion("style", str(one), str(one).replace("-", " ")) for one in Style]),
        ("Cameras", known["camera"]),
        ("Lenses", known["lens"]),
        ("Rating", _fixed("rating", {"5": "5 stars", "4": "4 stars or more", "3": "3 stars or more"})),
        ("Kind", [*_fixed("kind", KINDS), Suggestion("favourite", "yes", "Favourites")]),
        ("State", _fixed("state", STATES)),
    ]
    colours = [_choice(here, Suggestion("colour", str(one), str(one)), SWATCHES[one]) for one in Colour]
    groups = [Group(title, [_choice(here, one) for one in found]) for title, found in made if found]
    return [*groups, Group("Colours", colours)]


def _people(account: Account) -> list[Suggestion]:
    known = [one.person for one in named_like(account, "", _CHOICES)]
    return [Suggestion("person", str(person.id), person.name) for person in known]


def _albums(here: Here) -> list[Suggestion]:
    known = [one for one in albums_of(here.account)[:_CHOICES] if one != here.editing]
    return [Suggestion("album", str(album.id), album.name) for album in known]


def _dates(account: Account) -> list[Suggestion]:
    everybodys = {str(one): name for one, name in NAMES.items()}
    own = {str(one.id): one.name for one in named_dates(account)}
    return _fixed("date", everybodys | {"birthday": "Birthdays"} | own)


def _fixed(name: str, words: dict[str, str]) -> list[Suggestion]:
    return [Suggestion(name, value, shown) for value, shown in words.items()]
