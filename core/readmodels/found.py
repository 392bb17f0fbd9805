"""The photos that a search finds, in the order of the timeline; only those that the account may see."""

from collections.abc import Collection, Iterator

from django.db.models import OuterRef, QuerySet, Subquery

from core.accounts import Account
from core.readmodels.filters import FILTERS, Asked, expanded
from core.readmodels.photos import Photo, PreviewState, visible_photos
from core.readmodels.searching import PhotoWords, photos_with_words
from core.readmodels.timeline import Cursor, Page, newer_than, older_than, shown_photos

# Where as many of the newest photos answer, looking at one after the other is quicker than gathering all that do.
_SAMPLE, _MANY = 400, 20


def search(account: Account, asked: Asked, before: Cursor | None = None, limit: int = 100) -> Page:
    """The photos for which all filters hold, newest first, from behind a cursor. Raises BadFilter."""
    rows = list(found_photos(account, asked, before).order_by("-taken_local", "-id")[: limit + 1])
    return Page(rows[:limit], Cursor.of(rows[limit - 1]) if len(rows) > limit else None)


def found_neighbours(account: Account, asked: Asked, photo: Photo) -> tuple[Photo | None, Photo | None]:
    """The photos before and after this one among those found: (newer, older). Raises BadFilter."""
    here, found = Cursor.of(photo), found_photos(account, asked)
    newer = found.filter(newer_than(here)).order_by("taken_local", "id").first()
    return newer, found.filter(older_than(here)).order_by("-taken_local", "-id").first()


def found_photos(account: Account, asked: Asked, before: Cursor | None = None) -> QuerySet[Photo]:
    """All photos for which all filters hold, of those that the account may see. Raises BadFilter."""
    asked = expanded(account, asked)
    found = _to_look_through(account, {name for name, _ in asked})
    if before is not None:
        found = found.filter(older_than(before))
    words = " & ".join(filter(None, _word_queries(asked)))
    if words:
        found = _with_words(found, words)
    for name, value in asked:
        if (condition := FILTERS[name].condition) is not None:
            found = found.filter(condition(account, value))
    return found


def _to_look_through(account: Account, filters: Collection[str]) -> QuerySet[Photo]:
    """Who looks for what failed or waits wants those too that the timeline leaves out.

    What was put into an album by hand is in it, whatever is on top of its stack or kept in its place today.
    """
    if "state" in filters:
        return visible_photos(account)
    if "album" in filters:
        return visible_photos(account).exclude(preview_state=PreviewState.FAILED)
    return shown_photos(account)


def _with_words(found: QuerySet[Photo], words: str) -> QuerySet[Photo]:
    """The planner knows how frequent whole words are, but takes every beginning of one for rare."""
    if ":*" in words and _is_frequent(found, words):
        mine = PhotoWords.objects.filter(photo_id=OuterRef("id"), words__matches=words).values("photo_id")
        # Not an EXISTS: that would be turned into the join that is to be avoided.
        return found.alias(answers=Subquery(mine[:1])).filter(answers__isnull=False)
    return found.filter(id__in=photos_with_words(words))


def _is_frequent(found: QuerySet[Photo], words: str) -> bool:
    newest = list(found.order_by("-taken_local", "-id").values_list("id", flat=True)[:_SAMPLE])
    return PhotoWords.objects.filter(photo_id__in=newest, words__matches=words).count() >= _MANY


def _word_queries(asked: Asked) -> Iterator[str]:
    for name, value in asked:
        if (words := FILTERS[name].words) is not None:
            yield words(value)
