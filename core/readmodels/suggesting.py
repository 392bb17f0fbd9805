"""What a search may mean: terms that an account's own photos have, for the letters that are typed so far."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

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
from core.readmodels.terms import Counted, counted_terms

LEARNT = ("place", "label", "scene", "keyword", "camera", "lens")
_EACH = 4
_MOST = 12


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A filter with a value, the value in words, and about how many photos that is; None: nobody counts them."""

    filter: str
    value: str
    words: str
    photos: int | None = None


def suggestions(account: Account, text: str) -> list[Suggestion]:
    """The filters that these letters may mean: what begins with them first, then what has most photos.

    What is not counted (colours, styles, dates, one's own albums) is a closed list, and comes behind what is.
    """
    text = text.replace("\0", "")
    letters = plain(text.strip())
    if not letters:
        return []
    found = [
        *_dates(text.strip(), account, letters),
        *(Suggestion(name, value, range_in_words(name, value)) for name, value in meant_by(text)),
        *_people(account, text),
        *_learnt(account, letters),
        *_fixed("album", {str(album.id): album.name for album in albums_of(account)}, letters),
        *_fixed("colour", {str(one): str(one) for one in Colour}, letters),
        *_fixed("style", {str(one): str(one).replace("-", " ") for one in Style}, letters),
        *_fixed("kind", KINDS, letters),
        *_fixed("state", STATES, letters),
        *_fixed("favourite", {"yes": "Favourites"}, letters),
    ]
    return sorted(found, key=lambda one: (not plain(one.words).startswith(letters), -(one.photos or 0)))[:_MOST]


def learnt(account: Account, kinds: Sequence[str], limit: int) -> dict[str, list[Suggestion]]:
    """Terms of each of these kinds: those of most photos, by name."""
    found: dict[str, list[Suggestion]] = {kind: [] for kind in kinds}
    for one in counted_terms(_libraries(account), kinds, "", limit):
        found[one.kind].append(_suggestion(one))
    return {kind: sorted(some, key=lambda one: plain(one.words)) for kind, some in found.items()}


def _learnt(account: Account, letters: str) -> Iterator[Suggestion]:
    return map(_suggestion, counted_terms(_libraries(account), LEARNT, letters, _EACH))


def _suggestion(term: Counted) -> Suggestion:
    return Suggestion(term.kind, term.value, term.text, term.photos)


def _libraries(account: Account) -> list[UUID]:
    return list(libraries_of(account).values_list("id", flat=True))


def _people(account: Account, text: str) -> Iterator[Suggestion]:
    for portrait in named_like(account, text, _EACH):
        yield Suggestion("person", str(portrait.person.id), portrait.person.name, portrait.photos)


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
