"""What may be done with stacks: put photos together, take them apart, choose the one on top."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from uuid import UUID

from django.db import transaction

from core.commands.log import write
from core.domain import codec, stacks
from core.domain.photos import PhotoNotFound
from core.domain.stacks import StackRule
from core.domain.streams import photo_stream
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


def _decide_all(members: Iterable[UUID], decide: Callable[[UUID], _Decide], actor: str) -> None:
    # In one order, so that two who stack the same photos wait for one another and no more.
    with transaction.atomic():
        for photo in sorted(members):
            _decide(photo, decide(photo), actor)


def _decide(photo: UUID, decide: _Decide, actor: str) -> None:
    for race in range(_RACES):
        stored = read_stream(photo_stream(photo))
        if not stored:
            raise PhotoNotFound(str(photo))
        news = decide(stacks.membership(codec.decode(event) for event in stored if event.type in codec.TYPES))
        try:
            write(photo_stream(photo), news, actor=actor, expected=stored[-1].version)
            return
        except VersionConflict:
            if race == _RACES - 1:
                raise
