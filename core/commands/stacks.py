"""What may be done with stacks: put photos together, take them apart, choose the one on top."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from core.commands.decisions import Decision, noting, of_photo, settle, settle_all
from core.commands.log import named, photo_events
from core.domain import stacks
from core.domain.stacks import StackRule

_Decide = Callable[[stacks.Membership], Sequence[stacks.StackEvent]]


def stack_photos(
    stack: UUID, members: Mapping[UUID, StackRule], *, top: UUID | None = None, actor: str
) -> UUID | None:
    """Put photos together, all or none; each leaves the stack that it was in. `top` is the one to show.

    Answers the event of `top` by which all of it can be taken back. Raises PhotoNotFound.
    """
    made: list[UUID] = []
    joining = [_joining(one, stack, rule, made if one == top else None) for one, rule in members.items()]
    settle_all(joining, actor=actor)
    return made[0] if made else None


def unstack_photos(stack: UUID, members: Iterable[UUID], *, actor: str) -> None:
    """Take photos out of a stack, for good. Raises PhotoNotFound."""
    settle_all(
        [_deciding(one, lambda state: stacks.decide_unstacked(state, stack)) for one in members], actor=actor
    )


def put_on_top(stack: UUID, photo: UUID, *, actor: str) -> None:
    """Show the stack by this photo. Raises NotStacked, PhotoNotFound."""
    settle(_deciding(photo, lambda state: stacks.decide_on_top(state, stack)), actor=actor)


def undo_stacking(photo: UUID, event: UUID, others: Iterable[UUID], *, actor: str) -> bool:
    """Take back what one event of a photo did to its stack; False when it is no such event, or counts no longer.

    What was done to the `others` of the stack in the same way is taken back with it. Raises PhotoNotFound.
    """
    history = named(photo_events(photo))
    target = next((fact for identity, fact in history if identity == event), None)
    if event not in stacks.in_force(history) or not isinstance(target, stacks.StackEvent):
        return False
    # One photo is on top: that another one was before is no part of this act.
    wanted = {photo} if isinstance(target, stacks.PutOnTop) else {photo, *others}
    back = [of_photo(one, lambda stored: stacks.decide_taken_back(named(stored), target)) for one in wanted]
    settle_all(back, actor=actor)
    return True


def _joining(photo: UUID, stack: UUID, rule: StackRule, top: list[UUID] | None) -> Decision:
    """`top` is where the events of the one to show are noted."""
    on_top = top is not None
    joining = _deciding(photo, lambda state: stacks.decide_stacked(state, stack, rule, on_top=on_top))
    return joining if top is None else replace(joining, name=noting(top))


def _deciding(photo: UUID, decide: _Decide) -> Decision:
    return of_photo(photo, lambda stored: decide(stacks.membership(fact for _, fact in named(stored))))
