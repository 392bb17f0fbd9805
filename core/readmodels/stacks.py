"""The stacks: which photos are shown as one, by which of them, and which were taken apart by hand."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import models

from core import singlerows
from core.accounts import Account
from core.domain import codec, stacks
from core.domain.stacks import StackRule, is_edited
from core.domain.streams import subject_of
from core.readmodels.photos import Photo, PreviewState, visible_photos
from events.event import Event

_FILM_SECONDS = 15


class StackMember(models.Model):
    """A photo in a stack. `tucked`: another one of it is shown instead; `count`: as many are shown as one.

    `apart`: a person took it out, but it may be put back. `chosen`: the position of the event that put it on top.
    """

    photo_id = models.UUIDField(primary_key=True)
    stack_id = models.UUIDField()
    rule = models.TextField()
    apart = models.BooleanField(default=False)
    chosen = models.BigIntegerField(default=0)
    tucked = models.BooleanField(default=False)
    count = models.IntegerField(default=0)

    class Meta:
        db_table = "stack_member"
        indexes = [
            models.Index("stack_id", name="stack_member_stack"),
            models.Index("photo_id", name="stack_member_tucked", condition=models.Q(tucked=True)),
        ]


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack as its viewer shows it: those in it, the one on top first, and those taken apart."""

    id: UUID
    members: list[Photo]
    apart: list[Photo]


def _stacked(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, stacks.PhotoStacked)
    photo = subject_of(event.stream_id)
    before = StackMember.objects.filter(photo_id=photo).values_list("stack_id", flat=True).first()
    fresh = {"stack_id": fact.stack, "rule": str(fact.rule), "apart": False, "chosen": 0}
    StackMember.objects.update_or_create(photo_id=photo, defaults=fresh)
    if before is not None and before != fact.stack:
        _settle(before)
    _settle(fact.stack)


def _unstacked(event: Event) -> None:
    _change(event, apart=True, chosen=0)


def _put_on_top(event: Event) -> None:
    _change(event, chosen=event.position)


def _top_taken_back(event: Event) -> None:
    _change(event, chosen=0)


def _change(event: Event, **values: object) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, stacks.PhotoUnstacked | stacks.PutOnTop | stacks.TopTakenBack)
    StackMember.objects.filter(photo_id=subject_of(event.stream_id), stack_id=fact.stack).update(**values)
    _settle(fact.stack)


def _photo_changed(event: Event) -> None:
    """What is shown of a photo changed: perhaps another one of its stack has to stand on top."""
    stack = singlerows.one_value(StackMember, subject_of(event.stream_id), "stack_id")
    if stack is not None:
        _settle(stack)


def _forgotten(event: Event) -> None:
    member = StackMember.objects.filter(photo_id=subject_of(event.stream_id)).first()
    if member is not None:
        member.delete()
        _settle(member.stack_id)


def _library_changed(event: Event) -> None:
    inside = Photo.objects.filter(library_id=subject_of(event.stream_id)).values("id")
    stacked = StackMember.objects.filter(photo_id__in=inside).values_list("stack_id", flat=True)
    for stack in sorted(stacked.distinct()):
        _settle(stack)


def _settle(stack: UUID) -> None:
    """Who is on top, who is tucked away beneath, as things are now."""
    members = {member.photo_id: member for member in StackMember.objects.filter(stack_id=stack)}
    together = [one for one, member in members.items() if not member.apart]
    shown = list(Photo.objects.filter(id__in=together, hidden=""))
    top = min(shown, key=lambda photo: _order(photo, members[photo.id]), default=None)
    for photo_id, member in members.items():
        is_one = len(shown) > 1 and any(photo.id == photo_id for photo in shown)
        member.tucked = is_one and top is not None and photo_id != top.id
        member.count = len(shown) if is_one else 0
    StackMember.objects.bulk_update(members.values(), ["tucked", "count"])


def _order(photo: Photo, member: StackMember) -> tuple[object, ...]:
    """What shows at all, then what a person chose, then pictures, edited ones first; RAW and films last."""
    media = {"image": 0, "raw": 1, "video": 2}.get(photo.media, 3)
    failed = photo.preview_state == PreviewState.FAILED
    return failed, -member.chosen, media, not is_edited(photo.name), photo.missing, photo.path, str(photo.id)


HANDLERS: dict[str, Callable[[Event], None]] = {
    "photo.stacked": _stacked,
    "photo.unstacked": _unstacked,
    "photo.put_on_top": _put_on_top,
    "photo.top_taken_back": _top_taken_back,
    "photo.forgotten": _forgotten,
    **dict.fromkeys(
        (
            *("photo.file_added", "photo.file_gone", "photo.file_moved", "photo.file_missing", "photo.file_back"),
            *("photo.content_replaced", "photo.taken_out", "photo.previews_rendered", "photo.step_failed"),
            "photo.step_retried",
        ),
        _photo_changed,
    ),
    **dict.fromkeys(
        ("library.folder_added", "library.folder_removed", "library.removed", "library.restored"), _library_changed
    ),
}
TABLES = (StackMember,)
READS = ("photos",)


def without_tucked(photos: models.QuerySet[Photo]) -> models.QuerySet[Photo]:
    """One photo for each stack: the one on top."""
    beneath = StackMember.objects.filter(photo_id=models.OuterRef("id"), tucked=True)
    return photos.filter(~models.Exists(beneath))


def tucked_photos() -> models.QuerySet[StackMember, UUID]:
    """The ids of those that lie beneath another one."""
    return StackMember.objects.filter(tucked=True).values_list("photo_id", flat=True)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a tile says of the stack that it stands for: how many are in it, and whether it has a film."""

    count: int
    lives: bool


def stack_marks(photos: Iterable[Photo]) -> dict[UUID, Mark]:
    """The marks of those of these photos that stand for a stack."""
    film = StackMember.objects.filter(stack_id=models.OuterRef("stack_id"), apart=False, rule=StackRule.LIVE)
    wanted = StackMember.objects.filter(photo_id__in=[photo.id for photo in photos], count__gt=1)
    rows = wanted.annotate(lives=models.Exists(film)).values_list("photo_id", "count", "lives")
    return {photo: Mark(count, lives) for photo, count, lives in rows}


def stack_of(account: Account, photo: Photo) -> Stack | None:
    """The stack that a photo is in, or was in until a person took it out; None without one."""
    member = StackMember.objects.filter(photo_id=photo.id).first()
    if member is None:
        return None
    rows = {row.photo_id: row for row in StackMember.objects.filter(stack_id=member.stack_id)}
    found = sorted(
        visible_photos(account).filter(id__in=list(rows)), key=lambda one: (rows[one.id].tucked, one.path, one.id)
    )
    if len(found) < 2:
        return None
    together = [one for one in found if not rows[one.id].apart]
    return Stack(member.stack_id, together, [one for one in found if rows[one.id].apart])


def film_of(photo: Photo, stack: Stack | None) -> Photo | None:
    """The film of a live photo: in the same stack, and short."""
    if photo.media != "image" or stack is None or photo not in stack.members:
        return None
    films = [one for one in stack.members if one.media == "video"]
    return next((one for one in films if one.facts.get("duration", {}).get("value", 99) <= _FILM_SECONDS), None)


def others_in_stack(photo: UUID) -> list[UUID]:
    """Who is in a photo's stack with it, or was until a person took it out."""
    stack = StackMember.objects.filter(photo_id=photo).values("stack_id")
    return list(
        StackMember.objects.filter(stack_id__in=stack).exclude(photo_id=photo).values_list("photo_id", flat=True)
    )


def stacks_of(photos: Iterable[UUID]) -> dict[UUID, UUID]:
    """Photo → stack, for those that are in one, or were until a person took it apart."""
    rows = StackMember.objects.filter(photo_id__in=list(photos))
    return dict(rows.values_list("photo_id", "stack_id"))
