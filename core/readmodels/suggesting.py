"""What a search may mean: terms that an account's own photos have, for the letters that are typed so far."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from core.accounts import Account
from core.domain.colours import Colour
from core.domain.exposure import meant_by, range_in_words
from core.domain.occasions import NAMES
from core.domain.searching import BadDates, dates_in, plain
from core.domain.styles import Style
from core.readmodels.albums import albums_of
from core.readmodels.conditions import KINDS, STATES
from core.readmodels.libraries import libraries_of
from core.readmodels.occasions import named_dates
from core.readmodels.people import named_like
from core.readmodels.searching import SearchTerm

LEARNT = ("place", "label", "scene", "keyword", "camera", "lens")
_EACH = 4
_MOST = 12


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A filter with a value, and the value in words."""

    filter: str
    value: str
    words: str


def suggestions(account: Account, text: str) -> list[Suggestion]:
    """The filters that these letters may mean; of each kind some, what begins with them first."""
    text = text.replace("\0", "")
    letters = plain(text.strip())
    if not letters:
        return []
    found = [
        *_dates(text.strip(), account, letters),
        *_people(account, text),
        *_learnt(account, letters),
        *_fixed("colour", {str(one): str(one) for one in Colour}, letters),
        *_fixed("style", {str(one): str(one).replace("-", " ") for one in Style}, letters),
        *_fixed("kind", KINDS, letters),
        *_fixed("state", STATES, letters),
        *_fixed("favourite", {"yes": "Favourites"}, letters),
        *_fixed("album", {str(album.id): album.name for album in albums_of(account)}, letters),
        *(Suggestion(name, value, range_in_words(name, value)) for name, value in meant_by(text)),
    ]
    return sorted(found, key=lambda one: not plain(one.words).startswith(letters))[:_MOST]


def learnt(account: Account, kinds: Sequence[str], limit: int) -> dict[str, list[Suggestion]]:
    """Terms of each of these kinds, by name."""
    terms = _terms(account)
    first, *others = [terms.filter(kind=kind).order_by("plain", "id")[: limit * 2] for kind in kinds]
    found: dict[str, dict[str, Suggestion]] = {kind: {} for kind in kinds}
    for row in first.union(*others, all=True):
        # Two libraries may have learnt the same.
        found[row.kind].setdefault(row.value, Suggestion(row.kind, row.value, row.text))
    order = {kind: sorted(rows.values(), key=lambda one: plain(one.words)) for kind, rows in found.items()}
    return {kind: rows[:limit] for kind, rows in order.items()}


def _terms(account: Account) -> QuerySet[SearchTerm]:
    return SearchTerm.objects.filter(library_id__in=list(libraries_of(account).values_list("id", flat=True)))


def _learnt(account: Account, letters: str) -> Iterator[Suggestion]:
    inside = Q(plain__startswith=letters) | Q(plain__contains=f" {letters}")
    for kind in LEARNT:
        rows = _terms(account).filter(inside, kind=kind).order_by("plain", "id")[: _EACH * 2]
        # Two libraries may have learnt the same.
        for row in list({row.value: row for row in rows}.values())[:_EACH]:
            yield Suggestion(kind, row.value, row.text)


def _people(account: Account, text: str) -> Iterator[Suggestion]:
    for portrait in named_like(account, text, _EACH):
        yield Suggestion("person", str(portrait.person.id), portrait.person.name)


def _dates(text: str, account: Account, letters: str) -> Iterator[Suggestion]:
    yield from _fixed("date", {str(one): name for one, name in NAMES.items()}, letters)
    yield from _fixed("date", {"birthday": "Birthdays"}, letters)
    yield from _fixed("date", {str(own.id): own.name for own in named_dates(account)}, letters)
    try:
        dates_in(text)
    except BadDates:
        return
    yield Suggestion("date", text, text)


def _fixed(name: str, words: dict[str, str], letters: str) -> Iterator[Suggestion]:
    for value, shown in words.items():
        known = plain(shown)
        if known.startswith(letters) or f" {letters}" in known:
            yield Suggestion(name, value, shown)
