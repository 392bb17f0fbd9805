"""The timeline: which photos an account is shown, in which order, and how far the machine is with them."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Count, F, Func, Q, Value

from core.accounts import Account
from core.readmodels.failures import failures_for
from core.readmodels.fields import WallTimeField
from core.readmodels.files import FileState, PhotoFile
from core.readmodels.libraries import libraries_of
from core.readmodels.photos import Photo, PreviewState, only_duplicates, visible_photos, without_duplicates
from core.readmodels.remembered import remembered
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


def timeline(shown: models.QuerySet[Photo], before: Cursor | None = None, limit: int = 100) -> Page:
    """Of the photos that are shown, newest first, those from behind a cursor."""
    found = shown if before is None else shown.filter(older_than(before))
    rows = list(found.order_by("-taken_local", "-id")[: limit + 1])
    return Page(rows[:limit], Cursor.of(rows[limit - 1]) if len(rows) > limit else None)


def timeline_newer(shown: models.QuerySet[Photo], after: Cursor, limit: int = 100) -> Page:
    """Those just before a cursor in the timeline, newest first; `next` is where still newer ones begin."""
    rows = list(shown.filter(newer_than(after)).order_by("taken_local", "id")[: limit + 1])
    return Page(rows[:limit][::-1], Cursor.of(rows[limit - 1]) if len(rows) > limit else None)


def neighbours(account: Account, photo: Photo) -> tuple[Photo | None, Photo | None]:
    """The photos shown before and after this one in the timeline: (newer, older)."""
    here, shown = Cursor.of(photo), shown_photos(account)
    newer = shown.filter(newer_than(here)).order_by("taken_local", "id").first()
    older = shown.filter(older_than(here)).order_by("-taken_local", "-id").first()
    return newer, older


def months(account: Account, seen: models.QuerySet[Photo]) -> list[Month]:
    """How many photos an account is shown of each month, newest first; `seen` are those that it may see."""
    return remembered("months", account, lambda: _months(seen), lambda found: sum(one.count for one in found))


def _months(seen: models.QuerySet[Photo]) -> list[Month]:
    """An index counts all photos; the few of them that are not shown are taken off again."""
    failed = Q(preview_state=PreviewState.FAILED)
    others = seen.filter(~failed)
    unshown = [seen.filter(failed), others.filter(id__in=tucked_photos()), only_duplicates(without_tucked(others))]
    # Django's own TruncMonth takes none but its own fields for moments.
    month = Func(Value("month"), F("taken_local"), function="date_trunc", output_field=WallTimeField())
    parts = [_counted(rows, month, Value(-1)) for rows in unshown]
    found: Counter[datetime] = Counter()
    for begin, sign, count in _counted(seen, month, Value(1)).union(*parts, all=True):
        if begin is not None:
            found[begin] += sign * count
    return [Month(begin.date(), found[begin]) for begin in sorted(found, reverse=True) if found[begin]]


def counts(account: Account) -> Counts:
    """How many photos are shown (a stack is one), waiting and failed, and how many files are skipped."""
    seen = visible_photos(account)
    waiting = seen.filter(preview_state=PreviewState.WAITING)
    skipped = PhotoFile.objects.filter(library_id__in=libraries_of(account).values("id"), state=FileState.SKIPPED)
    now: dict[str, models.QuerySet[Any]] = {
        "waiting": waiting,
        "lost": waiting.filter(missing=True),
        "failed": failures_for(account),
        "skipped": skipped,
    }
    known: dict[str, int] = {}

    def shown() -> int:
        """What is not remembered is counted together with what never is: one question for all."""
        ready = seen.filter(preview_state=PreviewState.READY)
        known.update(_at_once(**now, ready=ready, beneath=ready.filter(id__in=tucked_photos())))
        return known["ready"] - known["beneath"]

    ready = remembered("shown", account, shown, int)
    known = known or _at_once(**now)
    return Counts(ready, known["waiting"] - known["lost"], known["failed"], known["skipped"])


def _at_once(**parts: models.QuerySet[Any]) -> dict[str, int]:
    """How many rows each part has, by one question."""
    first, *others = [_counted(rows, Value(name)) for name, rows in parts.items()]
    return dict.fromkeys(parts, 0) | dict(first.union(*others, all=True))


def _counted(rows: models.QuerySet[Any], *by: "Func[Any] | Value") -> models.QuerySet[Any, Any]:
    """How many rows there are of each of these values."""
    names = [f"by{number}" for number, _ in enumerate(by)]
    named = rows.order_by().annotate(**dict(zip(names, by, strict=True)))
    made: models.QuerySet[Any, Any] = named.values_list(*names).annotate(count=Count("*"))
    return made


def shown_photos(account: Account) -> models.QuerySet[Photo]:
    """What an account is shown of the photos that it may see."""
    return shown_of(visible_photos(account))


def shown_of(seen: models.QuerySet[Photo]) -> models.QuerySet[Photo]:
    """One photo for each stack, none instead of which another one is kept, none whose preview failed.

    The latter are on the failures page.
    """
    return without_duplicates(without_tucked(seen.exclude(preview_state=PreviewState.FAILED)))


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
