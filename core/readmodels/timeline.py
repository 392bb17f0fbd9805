"""The timeline: which photos an account is shown, in which order, and how far the machine is with them."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import models
from django.db.models import Count, F, Func, Q, Value

from core.accounts import Account
from core.readmodels.failures import failures_for
from core.readmodels.fields import WallTimeField
from core.readmodels.files import FileState, PhotoFile
from core.readmodels.libraries import libraries_of
from core.readmodels.photos import Photo, PreviewState, visible_photos, without_duplicates
from core.readmodels.stacks import tucked_photos, without_tucked


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the timeline: the wall time and id of a photo."""

    taken_local: datetime
    photo_id: UUID

    def __str__(self) -> str:
        return f"{self.taken_local.isoformat()}~{self.photo_id}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Raises ValueError for a text that is no cursor."""
        taken, _, photo = text.partition("~")
        return cls(datetime.fromisoformat(taken).replace(tzinfo=None), UUID(photo))

    @classmethod
    def of(cls, photo: Photo) -> "Cursor":
        return cls(photo.taken_local or datetime.min, photo.id)


@dataclass(frozen=True, slots=True)
class Page:
    """Part of the timeline, newest first, and where the next part begins."""

    photos: list[Photo]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Month:
    """How many photos were taken in one month."""

    first_day: date
    count: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How far the machine is with an account's photos."""

    shown: int
    waiting: int
    failed: int
    skipped: int


def timeline(account: Account, before: Cursor | None = None, limit: int = 100) -> Page:
    """Photos newest first, from behind a cursor; those whose preview failed are on the failures page."""
    found = shown_photos(account)
    if before is not None:
        found = found.filter(older_than(before))
    rows = list(found.order_by("-taken_local", "-id")[: limit + 1])
    return Page(rows[:limit], Cursor.of(rows[limit - 1]) if len(rows) > limit else None)


def timeline_newer(account: Account, after: Cursor, limit: int = 100) -> Page:
    """The photos just before a cursor in the timeline, newest first; `next` is where still newer ones begin."""
    rows = list(shown_photos(account).filter(newer_than(after)).order_by("taken_local", "id")[: limit + 1])
    return Page(rows[:limit][::-1], Cursor.of(rows[limit - 1]) if len(rows) > limit else None)


def neighbours(account: Account, photo: Photo) -> tuple[Photo | None, Photo | None]:
    """The photos shown before and after this one in the timeline: (newer, older)."""
    here, shown = Cursor.of(photo), shown_photos(account)
    newer = shown.filter(newer_than(here)).order_by("taken_local", "id").first()
    older = shown.filter(older_than(here)).order_by("-taken_local", "-id").first()
    return newer, older


def months(account: Account) -> list[Month]:
    """How many photos each month has, newest first, for the scrubber."""
    # Django's own TruncMonth takes none but its own fields for moments.
    month = Func(Value("month"), F("taken_local"), function="date_trunc", output_field=WallTimeField())
    rows = (
        shown_photos(account)
        .annotate(month=month)
        .values_list("month")
        .annotate(count=Count("id"))
        .order_by("-month")
    )
    return [Month(month.date(), count) for month, count in rows if month]


def counts(account: Account) -> Counts:
    """How many photos are shown (a stack is one), waiting and failed, and how many files are skipped."""
    seen = visible_photos(account)
    by_state = dict(seen.values_list("preview_state").annotate(Count("id")))
    # Those beneath another one, and those without an original, are few: an index counts the rest.
    ready = seen.filter(preview_state=PreviewState.READY)
    beneath = ready.filter(id__in=tucked_photos()).count()
    lost = seen.filter(missing=True, preview_state=PreviewState.WAITING).count()
    skipped = PhotoFile.objects.filter(library_id__in=libraries_of(account).values("id"), state=FileState.SKIPPED)
    return Counts(
        shown=by_state.get(PreviewState.READY, 0) - beneath,
        waiting=by_state.get(PreviewState.WAITING, 0) - lost,
        failed=failures_for(account).count(),
        skipped=skipped.count(),
    )


def shown_photos(account: Account) -> models.QuerySet[Photo]:
    """Of what an account may see, one photo for each stack, and none instead of which another one is kept."""
    return without_duplicates(without_tucked(visible_photos(account).exclude(preview_state=PreviewState.FAILED)))


def older_than(cursor: Cursor) -> Q:
    """Behind a cursor, in the order of the timeline."""
    return Q(taken_local__lte=cursor.taken_local) & (
        Q(taken_local__lt=cursor.taken_local) | Q(id__lt=cursor.photo_id)
    )


def newer_than(cursor: Cursor) -> Q:
    """Before a cursor, in the order of the timeline."""
    return Q(taken_local__gte=cursor.taken_local) & (
        Q(taken_local__gt=cursor.taken_local) | Q(id__gt=cursor.photo_id)
    )
