"""The photos that a search finds, in the order of the timeline; only those that the account may see."""

from collections.abc import Iterator

from django.db.models import QuerySet

from core.accounts import Account
from core.readmodels.filters import FILTERS, Asked
from core.readmodels.photos import Photo, visible_photos
from core.readmodels.searching import photos_with_words
from core.readmodels.timeline import Cursor, Page, newer_than, older_than, shown_photos


def search(account: Account, asked: Asked, before: Cursor | None = None, limit: int = 100) -> Page:
    """The photos for which all filters hold, newest first, from behind a cursor. Raises BadFilter."""
    found = found_photos(account, asked)
    if before is not None:
        found = found.filter(older_than(before))
    rows = list(found.order_by("-taken_local", "-id")[: limit + 1])
    return Page(rows[:limit], Cursor.of(rows[limit - 1]) if len(rows) > limit else None)


def found_neighbours(account: Account, asked: Asked, photo: Photo) -> tuple[Photo | None, Photo | None]:
    """The photos before and after this one among those found: (newer, older). Raises BadFilter."""
    here, found = Cursor.of(photo), found_photos(account, asked)
    newer = found.filter(newer_than(here)).order_by("taken_local", "id").first()
    return newer, found.filter(older_than(here)).order_by("-taken_local", "-id").first()


def found_photos(account: Account, asked: Asked) -> QuerySet[Photo]:
    """All photos for which all filters hold, of those that the account may see. Raises BadFilter."""
    # Who looks for what failed or waits wants those too that the timeline leaves out.
    by_state = any(name == "state" for name, _ in asked)
    found = visible_photos(account) if by_state else shown_photos(account)
    words = " & ".join(filter(None, _word_queries(asked)))
    if words:
        found = found.filter(id__in=photos_with_words(words))
    for name, value in asked:
        if (condition := FILTERS[name].condition) is not None:
            found = found.filter(condition(account, value))
    return found


def _word_queries(asked: Asked) -> Iterator[str]:
    for name, value in asked:
        if (words := FILTERS[name].words) is not None:
            yield words(value)
