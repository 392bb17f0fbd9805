"""The timeline: photos by day, newest first, and what keeps it fresh while new ones arrive."""

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from core.accounts import Account
from core.readmodels.photos import Photo, PreviewState, visible_photos
from core.readmodels.stacks import stack_marks
from core.readmodels.timeline import Cursor, counts, months, shown_of, timeline, timeline_newer
from core.web.access import Request, signed_in
from core.web.frame import Progress
from core.web.tiles import Day, days_of, tile_of
from core.web.typed import number_in
from core.web.words import counted

PAGE = 120
_MOST_TILES = 60
# No photo has this id: a cursor with it stands behind every photo of its moment.
_AFTER_ALL = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the timeline and where it goes on, in both directions."""

    days: list[Day]
    newer: Cursor | None
    older: Cursor | None


@dataclass(frozen=True, slots=True)
class MonthLink:
    """A month to jump to: the timeline from its last day."""

    first_day: date
    last_day: date
    count: int


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def timeline_page(request: Request) -> HttpResponse:
    """A stretch of the timeline: from the newest photo, or from the place that the address names."""
    seen = visible_photos(request.user)
    shown = shown_of(seen)
    try:
        stretch = _asked(request, shown)
    except ValueError as error:
        raise Http404("There is no such place in the timeline.") from error
    if request.htmx:
        # What is fetched joins a page that goes on at the other end already.
        joined = replace(stretch, older=None) if "after" in request.GET else stretch
        return render(request, "photos/_stretch.html", {"stretch": joined})
    context = {
        "stretch": stretch,
        "months": _month_links(request.user, seen),
        "is_newest": not stretch.newer,
    }
    return render(request, "photos/timeline.html", context)


@require_safe
@never_cache
@signed_in
def tiles(request: Request) -> HttpResponse:
    """Those of the named photos that have their preview by now, as tiles."""
    try:
        ids = [UUID(text) for text in request.GET.get("ids", "").split(",")[:_MOST_TILES]]
    except ValueError as error:
        raise Http404("These are no photos.") from error
    ready = visible_photos(request.user).filter(id__in=ids, preview_state=PreviewState.READY)
    marks = stack_marks(ready)
    return render(
        request, "photos/_tiles.html", {"tiles": [tile_of(photo, marks.get(photo.id)) for photo in ready]}
    )


@require_safe
@never_cache
@signed_in
def arrivals(request: Request) -> HttpResponse:
    """How many photos are shown beyond those that the page knew of when it was made."""
    known = request.GET.get("shown", "")
    now = Progress.of(counts(request.user))
    seen = number_in(known)
    arrived = 0 if seen is None else max(0, now.known - seen)
    words = counted(arrived, "new photo")
    return render(request, "photos/_arrivals.html", {"arrived": arrived, "known": known, "words": words})


def _month_links(account: Account, seen: QuerySet[Photo]) -> list[MonthLink]:
    found = months(account, seen)
    return [MonthLink(month.first_day, _last_day(month.first_day), month.count) for month in found]


def _last_day(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _asked(request: Request, shown: QuerySet[Photo]) -> Stretch:
    """Raises ValueError for an address that names no place."""
    both_ways = not request.htmx
    if "after" in request.GET:
        return _newer_than(shown, Cursor.parse(request.GET["after"]))
    if "before" in request.GET:
        return _older_than(shown, Cursor.parse(request.GET["before"]), both_ways)
    if "from" in request.GET:
        day = date.fromisoformat(request.GET["from"])
        return _older_than(shown, Cursor(datetime.combine(day, time.max), _AFTER_ALL), both_ways)
    return _older_than(shown, None, both_ways)


def _older_than(shown: QuerySet[Photo], before: Cursor | None, both_ways: bool) -> Stretch:
    page = timeline(shown, before, PAGE)
    photos = _whole_days(page.photos) if page.next else page.photos
    begun = before.taken_local.date() if before and before.photo_id != _AFTER_ALL else None
    older = Cursor.of(photos[-1]) if page.next else None
    is_in_between = both_ways and before and photos and _has_newer(shown, photos[0])
    newer = Cursor.of(photos[0]) if is_in_between else None
    return Stretch(days_of(photos, begun, stack_marks(photos)), newer, older)


def _newer_than(shown: QuerySet[Photo], after: Cursor) -> Stretch:
    page = timeline_newer(shown, after, PAGE)
    photos = _whole_days(page.photos[::-1])[::-1] if page.next else page.photos
    newer = Cursor.of(photos[0]) if page.next else None
    return Stretch(days_of(photos, marks=stack_marks(photos)), newer, Cursor.of(photos[-1]) if photos else None)


def _has_newer(shown: QuerySet[Photo], photo: Photo) -> bool:
    return bool(timeline_newer(shown, Cursor.of(photo), 1).photos)


def _whole_days(photos: list[Photo]) -> list[Photo]:
    """Leave a day that the page would cut in two to the next page, unless it fills half of this one."""
    last = photos[-1].taken_local
    kept = [photo for photo in photos if photo.taken_local and last and photo.taken_local.date() != last.date()]
    return kept if len(kept) * 2 >= len(photos) else photos
