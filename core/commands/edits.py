"""What a person may say of a photo, and take back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid5

from core.commands.decisions import Decision, noting, of_photo, settle
from core.commands.log import named, photo_events
from core.domain import codec, edits
from core.domain.codec import DomainEvent
from events.event import Event


def edit_photo(
    photo_id: UUID,
    changes: Sequence[edits.Edit],
    *,
    seen: int | None = None,
    actor: str,
    part_of: UUID | None = None,
) -> None:
    """Record what a person says. `seen` is the version that the person looked at; None: whatever it is.

    A worker's result in between does not matter; a change of the same fact by a person does. What was said as
    `part_of` a larger act can be taken back with it.
    Raises BadValue, ChangedMeanwhile, PhotoNotFound.
    """
    settle(editing(photo_id, changes, seen=seen, part_of=part_of), actor=actor)


def edit_photos(changes: Mapping[UUID, Callable[[], edits.Edit]], *, actor: str) -> list[tuple[UUID, UUID]]:
    """Change facts of several photos, in the caller's transaction; each event that was new, with its photo.

    What is to be said of a photo is asked for after its past was read, and again when somebody else came in
    between: one who adds to what is there adds to what is there by then.
    Raises BadValue, PhotoNotFound.
    """
    made: dict[UUID, list[UUID]] = {photo: [] for photo in changes}
    # In one order, so that two who change the same photos wait for one another and no more. One by one: of many
    # at once some are always being written to while photos come in, and all would be decided on again.
    for photo in sorted(changes):
        settle(_asking(photo, changes[photo], made[photo]), actor=actor)
    return [(photo, event) for photo, events in made.items() for event in events]


def _asking(photo_id: UUID, change: Callable[[], edits.Edit], made: list[UUID]) -> Decision:
    return of_photo(photo_id, lambda stored: _edited(stored, [change()], None), noting(made))


def editing(
    photo_id: UUID, changes: Sequence[edits.Edit], *, seen: int | None = None, part_of: UUID | None = None
) -> Decision:
    """What `edit_photo` decides, for an act that writes to other photos too."""

    def name(news: Sequence[DomainEvent]) -> list[UUID]:
        return [_part_id(part_of, photo_id, codec.encode(one)[0]) for one in news] if part_of else []

    return of_photo(photo_id, lambda stored: _edited(stored, changes, seen), name)


def undo_edit(photo_id: UUID, event: UUID, *, actor: str) -> None:
    """Take back one change, or one undoing. Raises NotUndoable, PhotoNotFound."""
    settle(of_photo(photo_id, lambda stored: edits.decide_undo(named(stored), event)), actor=actor)


def undo_part_of(photo_id: UUID, act: UUID, *, actor: str) -> None:
    """Take back what was said as part of a larger act, as far as it counts still. Raises PhotoNotFound."""
    for event in photo_events(photo_id):
        if event.event_id == _part_id(act, photo_id, event.type):
            with suppress(edits.NotUndoable):
                undo_edit(photo_id, event.event_id, actor=actor)


def version_of(photo_id: UUID) -> int:
    """The version of a photo's stream. Raises PhotoNotFound."""
    return photo_events(photo_id)[-1].version


def _edited(stored: Sequence[Event], changes: Sequence[edits.Edit], seen: int | None) -> list[edits.EditEvent]:
    words: dict[str, Any] = {}
    for fact in _facts(stored):
        words = edits.apply(words, fact)
    news: list[edits.EditEvent] = []
    for change in changes:
        for decided in edits.decide_edit(words, change):
            news.append(decided)
            words = edits.apply(words, decided)
    if seen is not None:
        _refuse_overwriting(stored, seen, {name for one in news for name in edits.touches(one)})
    return news


def _refuse_overwriting(stored: Sequence[Event], seen: int, names: set[str]) -> None:
    since = (event for event in stored if event.version > seen)
    if any(names & edits.touches(fact) for fact in _facts(since)):
        raise edits.ChangedMeanwhile("Somebody changed this just now. Look at it again before you change it.")


def _facts(stored: Iterable[Event]) -> list[edits.EditEvent]:
    return [
        fact for event in stored if isinstance(fact := codec.decode(event), (*edits.EDITS, edits.ChangeUndone))
    ]


def _part_id(act: UUID, photo: UUID, type_: str) -> UUID:
    return uuid5(act, f"{photo}:{type_}")
