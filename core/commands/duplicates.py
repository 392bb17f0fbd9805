"""What may be done with photos that look alike: keep one in sight, tell them apart, and take either back."""

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from django.db import connection, transaction

from core.commands.edits import edit_photo, undo_part_of
from core.commands.log import write_together
from core.domain import codec, duplicates, edits
from core.domain.duplicates import Judgement, NotAChoice
from core.domain.photos import PhotoNotFound
from core.domain.streams import photo_stream
from events.event import Event
from events.store import VersionConflict, read_stream

_RACES = 5
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
        _take_turns()
        if _folded(_stored(keep)).of is not None:
            raise NotAChoice("The photo to keep is itself a duplicate of another one by now.")
        _decide(set(others) - {keep}, lambda _, state: duplicates.decide_marked(state, keep, review), actor)
        edit_photo(keep, words, actor=actor, part_of=review)


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
    judged = [_folded(_stored(photo)) for photo in wanted]
    kept = {one.of for one in judged if one.of is not None and one.review == review}
    for start in range(0, len(wanted), _BATCH):
        _decide(wanted[start : start + _BATCH], lambda _, state: duplicates.decide_undone(state, review), actor)
    for photo in sorted(kept):
        undo_part_of(photo, review, actor=actor)


def undo_decision(photo: UUID, event: UUID, *, actor: str) -> bool:
    """Take back what one event of a photo decided; False when it is no such event, or counts no longer.

    Raises PhotoNotFound.
    """
    facts = _facts(_stored(photo))
    if event not in duplicates.in_force(facts):
        return False
    match next(fact for identity, _, fact in facts if identity == event):
        case duplicates.ToldApart(review=review, others=others):
            undo_review([photo, *others], review, actor=actor)
        case _:
            show_again(photo, actor=actor)
    return True


def _take_turns() -> None:
    """One choice after the other: else two could keep each of two photos instead of the other, and show none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('duplicates', 0))")


def _decide(photos: Iterable[UUID], decide: _Decide, actor: str) -> None:
    """Decide on all, append to all: streams first, in one order, then what follows from them."""
    wanted = sorted(set(photos))
    for race in range(_RACES):
        news = []
        for photo in wanted:
            stored = _stored(photo)
            news.append((photo_stream(photo), stored[-1].version, decide(photo, _folded(stored))))
        try:
            write_together(news, actor=actor)
            return
        except VersionConflict:
            if race == _RACES - 1:
                raise


def _folded(stored: Iterable[Event]) -> Judgement:
    return duplicates.judgement((name, fact) for _, name, fact in _facts(stored))


def _facts(stored: Iterable[Event]) -> list[tuple[UUID, str, object]]:
    return [(one.event_id, one.type, codec.decode(one)) for one in stored if one.type in codec.TYPES]


def _stored(photo: UUID) -> list[Event]:
    stored = read_stream(photo_stream(photo))
    if not stored:
        raise PhotoNotFound(str(photo))
    return stored
