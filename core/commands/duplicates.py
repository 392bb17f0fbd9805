"""What may be done with photos that look alike: keep one in sight, tell them apart, and take either back."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from uuid import UUID

from django.db import transaction

from core.commands.decisions import Decision, of_photo, settle_all
from core.commands.edits import editing, undo_part_of
from core.commands.log import photo_events
from core.domain import codec, duplicates, edits
from core.domain.duplicates import Judgement, NotAChoice
from core.turns import take_turns
from events.event import Event

# Photos that are written in one append.
_BATCH = 500
_Decide = Callable[[UUID, Judgement], Sequence[duplicates.DuplicateEvent]]


def keep_best(
    keep: UUID, others: Iterable[UUID], *, review: UUID, actor: str, words: Sequence[edits.Edit] = ()
) -> None:
    """Show one photo and the others no longer, all or none; `words` are what it takes over from them.

    Raises NotAChoice, PhotoNotFound.
    """
    with transaction.atomic():
        # Else two could keep each of two photos instead of the other, and show none.
        take_turns("duplicates")
        if _folded(photo_events(keep)).of is not None:
            raise NotAChoice("The photo to keep is itself a duplicate of another one by now.")
        marks = _judging(set(others) - {keep}, lambda _, state: duplicates.decide_marked(state, keep, review))
        settle_all([*marks, editing(keep, words, part_of=review)], actor=actor)


def tell_apart(photos: Iterable[UUID], *, review: UUID, actor: str) -> None:
    """Never propose these together again. Raises PhotoNotFound."""
    group = set(photos)
    _decide(group, lambda one, state: duplicates.decide_told_apart(state, group - {one}, review), actor)


def show_again(photo: UUID, *, actor: str) -> None:
    """Put a photo back into the timeline. Raises PhotoNotFound."""
    _decide([photo], lambda _, state: duplicates.decide_shown(state), actor)


def undo_review(photos: Iterable[UUID], review: UUID, *, actor: str) -> None:
    """Take back what was decided of these photos in a review. Raises PhotoNotFound."""
    wanted = sorted(set(photos))
    judged = [_folded(photo_events(photo)) for photo in wanted]
    kept = {one.of for one in judged if one.of is not None and one.review == review}
    for start in range(0, len(wanted), _BATCH):
        _decide(wanted[start : start + _BATCH], lambda _, state: duplicates.decide_undone(state, review), actor)
    for photo in sorted(kept):
        undo_part_of(photo, review, actor=actor)


def undo_decision(photo: UUID, event: UUID, *, actor: str) -> bool:
    """Take back what one event of a photo decided; False when it is no such event, or counts no longer.

    Raises PhotoNotFound.
    """
    facts = _facts(photo_events(photo))
    if event not in duplicates.in_force(facts):
        return False
    match next(fact for identity, _, fact in facts if identity == event):
        case duplicates.ToldApart(review=review, others=others):
            undo_review([photo, *others], review, actor=actor)
        case _:
            show_again(photo, actor=actor)
    return True


def _decide(photos: Iterable[UUID], decide: _Decide, actor: str) -> None:
    settle_all(_judging(photos, decide), actor=actor)


def _judging(photos: Iterable[UUID], decide: _Decide) -> list[Decision]:
    return [of_photo(photo, partial(_judged, photo, decide)) for photo in set(photos)]


def _judged(photo: UUID, decide: _Decide, stored: Iterable[Event]) -> Sequence[duplicates.DuplicateEvent]:
    return decide(photo, _folded(stored))


def _folded(stored: Iterable[Event]) -> Judgement:
    return duplicates.judgement((name, fact) for _, name, fact in _facts(stored))


def _facts(stored: Iterable[Event]) -> list[tuple[UUID, str, object]]:
    return [(one.event_id, one.type, codec.decode(one)) for one in stored]
