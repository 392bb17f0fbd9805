"""What may be done with stacks: put photos together, take them apart, choose the one on top."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from uuid import UUID

from django.db import transaction

from core.commands.log import write
from core.domain import codec, stacks
from core.domain.photos import PhotoNotFound
from core.domain.stacks import StackRule
from core.domain.streams import photo_stream
from events.event import Event
from events.store import VersionConflict, read_stream

_RACES = 5
_Decide = Callable[[stacks.Membership], Sequence[stacks.StackEvent]]


def stack_photos(stack: UUID, members: Mapping[UUID, StackRule], *, actor: str) -> None:
    """Put photos together, all or none; each leaves the stack that it was in. Raises PhotoNotFound."""
    _decide_all(members, lambda one: lambda state: stacks.decide_stacked(state, stack, members[one]), actor)


def unstack_photos(stack: UUID, members: Iterable[UUID], *, actor: str) -> None:
    """Take photos out of a stack, for good. Raises PhotoNotFound."""
    _decide_all(members, lambda _: lambda state: stacks.decide_unstacked(state, stack), actor)


def put_on_top(stack: UUID, photo: UUID, *, actor: str) -> None:
    """Show the stack by this photo. Raises NotStacked, PhotoNotFound."""
    _decide_all([photo], lambda _: lambda state: stacks.decide_on_top(state, stack), actor)


def undo_stacking(photo: UUID, event: UUID, others: Iterable[UUID], *, actor: str) -> bool:
    """Take back what one event of a photo did to its stack; False when it is no such event, or counts no longer.

    What was done to the `others` of the stack in the same way is taken back with it. Raises PhotoNotFound.
    """
    history = _named(_stored(photo))
    target = next((fact for identity, fact in history if identity == event), None)
    if event not in stacks.in_force(history) or not isinstance(target, stacks.StackEvent):
        return False
    # One photo is on top: that another one was before is no part of this act.
    wanted = [photo] if isinstance(target, stacks.PutOnTop) else [photo, *others]
    with transaction.atomic():
        for one in sorted(set(wanted)):
            _write(one, lambda stored: stacks.decide_taken_back(_named(stored), target), actor)
    return True


def _decide_all(members: Iterable[UUID], decide: Callable[[UUID], _Decide], actor: str) -> None:
    # In one order, so that two who stack the same photos wait for one another and no more.
    with transaction.atomic():
        for photo in sorted(members):
            _decide(photo, decide(photo), actor)


def _decide(photo: UUID, decide: _Decide, actor: str) -> None:
    _write(photo, lambda stored: decide(stacks.membership(fact for _, fact in _named(stored))), actor)


def _write(photo: UUID, decide: Callable[[list[Event]], Sequence[stacks.StackEvent]], actor: str) -> None:
    """Load, decide, append at the version that was seen; somebody else's write in between means: again."""
    for race in range(_RACES):
        stored = _stored(photo)
        try:
            write(photo_stream(photo), decide(stored), actor=actor, expected=stored[-1].version)
            return
        except VersionConflict:
            if race == _RACES - 1:
                raise


def _stored(photo: UUID) -> list[Event]:
    stored = read_stream(photo_stream(photo))
    if not stored:
        raise PhotoNotFound(str(photo))
    return stored


def _named(stored: Iterable[Event]) -> list[tuple[UUID, object]]:
    return [(event.event_id, codec.decode(event)) for event in stored if event.type in codec.TYPES]
