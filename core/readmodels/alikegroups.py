"""The groups of photos that look alike, as pages show them and persons review them."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import models
from django.db.models import Count, Exists, Max, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from core.accounts import Account
from core.domain import likeness
from core.domain.likeness import Likeness
from core.readmodels.duplicates import Judged, Look
from core.readmodels.libraries import Library
from core.readmodels.photos import Photo, PreviewState, visible_photos, without_duplicates
from core.readmodels.stacks import StackMember, without_tucked


@dataclass(frozen=True, slots=True)
class Group:
    """Photos that look alike, those that may be seen. `exact`: nobody could tell them apart by eye."""

    id: UUID
    members: list[Photo]
    spread: int

    @property
    def exact(self) -> bool:
        return self.spread <= likeness.ALIKE

    @property
    def size(self) -> int:
        return len(self.members)


def duplicate_groups(
    account: Account, *, exact: bool = False, behind: tuple[int, UUID] | None = None, limit: int = 20
) -> list[Group]:
    """Groups to look at, the largest first; `behind` is the size and id of the last one seen."""
    found = _open_groups(account, exact=exact)
    if behind is not None:
        size, last = behind
        found = found.filter(Q(size__lt=size) | Q(size=size, group_id__gt=last))
    return _with_members(account, found.order_by("-size", "group_id")[:limit])


def exact_groups(account: Account) -> list[Group]:
    """All groups whose photos look exactly alike."""
    return _with_members(account, _open_groups(account, exact=True).order_by("group_id"))


def group_of(account: Account, group: UUID) -> Group | None:
    """One group, as far as it is still to be looked at."""
    found = _with_members(account, _open_groups(account, only=group))
    return found[0] if found else None


def count_groups(account: Account) -> tuple[int, int]:
    """How many groups are to be looked at, and how many of them look exactly alike: one search for both."""
    widths = list(_open_groups(account).values_list("width", flat=True))
    return len(widths), sum(width <= likeness.ALIKE for width in widths)


def unlike_in_bits(photo: UUID, others: Iterable[UUID]) -> set[UUID]:
    """Those of these photos whose likeness does not tell that they show the same as this one.

    Pictures with nothing in them have no likeness, and are like no other.
    """
    rows = Look.objects.filter(photo_id__in=[photo, *others]).values_list("photo_id", "likeness")
    known = {one: Likeness.parse(text) for one, text in rows}
    own = known.pop(photo, None)
    return {one for one, there in known.items() if own is not None and not own.is_near(there)}


def kept_instead(account: Account) -> models.QuerySet[Photo]:
    """The photos that are not in the timeline since another one is kept."""
    return visible_photos(account).filter(duplicate_of__isnull=False).order_by("duplicate_of", "id")


def of_one_owner(photos: Iterable[Photo]) -> bool:
    """Whether all of these belong to one person: nobody's photo gives way to one that they may not see."""
    libraries = {photo.library_id for photo in photos}
    owners = Library.objects.filter(id__in=libraries).values_list("id", "owner_id")
    return len({owner or library for library, owner in owners}) < 2


def reviewed_photos(account: Account, review: UUID) -> list[UUID]:
    """Those of an account's photos about which something was decided in a review, and still counts."""
    judged = Judged.objects.filter(Q(marked_in=review) | Q(told_in=review)).values("photo_id")
    return list(visible_photos(account).filter(id__in=judged).order_by("id").values_list("id", flat=True))


def _proposed(account: Account) -> models.QuerySet[Photo]:
    """The photos that are compared: shown by themselves, not beneath another one of their stack."""
    ready = visible_photos(account).exclude(revision="").exclude(preview_state=PreviewState.FAILED)
    return without_duplicates(without_tucked(ready))


def _open_groups(account: Account, *, exact: bool = False, only: UUID | None = None):  # type: ignore[no-untyped-def]
    """group_id, size and spread of groups with two photos or more that are not of one stack."""
    looks = Look.objects.filter(group_id__isnull=False)
    if exact:
        looks = looks.filter(spread__lte=likeness.ALIKE)
    if only is not None:
        looks = looks.filter(group_id=only)
    stack = StackMember.objects.filter(photo_id=OuterRef("photo_id")).values("stack_id")
    return (
        looks.filter(Exists(_proposed(account).filter(id=OuterRef("photo_id"))))
        .annotate(shot=Coalesce(Subquery(stack), "photo_id"))
        .values("group_id")
        .annotate(size=Count("photo_id"), width=Max("spread"), shots=Count("shot", distinct=True))
        .filter(shots__gt=1)
    )


def _with_members(account: Account, found: Iterable[dict[str, int | UUID]]) -> list[Group]:
    rows = list(found)
    groups = dict(
        Look.objects.filter(group_id__in=[row["group_id"] for row in rows]).values_list("photo_id", "group_id")
    )
    shown = _proposed(account).filter(id__in=list(groups)).order_by("imported_at", "id")
    members: dict[UUID | None, list[Photo]] = {}
    for photo in shown:
        members.setdefault(groups[photo.id], []).append(photo)
    return [Group(row["group_id"], members[row["group_id"]], row["width"]) for row in rows]  # type: ignore[arg-type, index]  # rows of values()
