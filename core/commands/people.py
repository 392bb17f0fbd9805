"""What may be said of people and faces, and taken back; and what the machine's grouping records.

Who may see the persons and faces that are named here is for the caller to ask. Each act is one event in one
person's stream; none depends on another stream, since who is who follows from all acts in the log's order.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from uuid import UUID, uuid4

from core.commands.decisions import Decision, settle, settle_all
from core.commands.log import named, write, write_many
from core.domain import codec, people
from core.domain.forgetting import PERSON_FORGOTTEN
from core.domain.people import PersonEvent, PersonNotFound, Said
from core.domain.streams import group_stream, people_stream, person_stream
from events.event import Event
from events.store import NO_STREAM, read_stream

_History = Sequence[tuple[UUID, object]]


def name_person(person: UUID, name: str, *, actor: str) -> None:
    """Say who it is. Raises BadValue."""
    _decide(person, lambda history: people.decide_named(people.said_in(history), name), actor)


def set_birthday(person: UUID, birthday: str, *, actor: str) -> None:
    """Say when the person was born. Raises BadValue."""
    _decide(person, lambda history: people.decide_birthday(people.said_in(history), birthday), actor)


def hide_person(person: UUID, hidden: bool, *, actor: str) -> None:
    """Leave a person out of the page of people, or show it there again."""
    _decide(person, lambda history: people.decide_hidden(people.said_in(history), hidden), actor)


def choose_cover(person: UUID, face: UUID | None, *, actor: str) -> None:
    """Show a person by this face."""
    _decide(person, lambda history: people.decide_cover(people.said_in(history), face), actor)


def confirm_faces(homes: Mapping[UUID, Iterable[UUID]], *, actor: str) -> None:
    """Say that faces are right where they are: person → faces, each with the person that it came with.

    Not the one who they are shown as: when a merge is undone, they go with those that they came with.
    Raises BadValue.
    """
    settle_all([_confirming(person, list(faces)) for person, faces in homes.items()], actor=actor)


def move_faces(person: UUID, faces: Iterable[UUID], *, source: UUID | None, actor: str) -> None:
    """Say that faces are this person's, whoever had them before (`source` is who they were shown as).

    Raises BadValue.
    """
    decided = people.decide_moved(faces, source)
    _decide(person, lambda _: decided, actor)


def begin_person(owner: UUID, faces: Iterable[UUID], *, source: UUID | None, name: str = "", actor: str) -> UUID:
    """Make a person of faces that are nobody's, or split off from `source`. Raises BadValue."""
    person = uuid4()
    news: list[PersonEvent] = [people.PersonBegun(owner), *people.decide_moved(faces, source)]
    news += people.decide_named(Said(), name)
    write(person_stream(person), news, actor=actor, expected=NO_STREAM)
    return person


def reject_faces(person: UUID, faces: Iterable[UUID], *, family: Iterable[UUID], actor: str) -> None:
    """Say that faces are not this person's, nor of any that were merged into it (`family`). Raises BadValue."""
    decided = people.decide_rejected(faces, family)
    _decide(person, lambda _: decided, actor)


def merge_people(person: UUID, into: UUID, *, actor: str) -> UUID:
    """Say that two are one; the answer is who they are known as. Raises BadValue."""
    gone, kept = people.survivor((person, _said(person)), (into, _said(into)))
    _decide(gone, lambda _: [people.PersonMerged(kept)], actor)
    return kept


def tell_apart(person: UUID, other: UUID, *, actor: str) -> None:
    """Say that two who look alike are not one. Raises BadValue."""
    decided = people.decide_told_apart(person, other)
    _decide(person, lambda _: decided, actor)


def undo_act(person: UUID, act: UUID, *, actor: str) -> None:
    """Take back one act in a person's stream, or one undoing. Raises NotUndoable."""
    _decide(person, lambda history: people.decide_undo(history, act), actor)


def ask_for_grouping(owner: UUID, *, actor: str) -> None:
    """Have all faces of an owner grouped anew; what people said of them stays."""
    write(people_stream(owner), [people.GroupingAsked()], actor=actor)


def record_grouping(
    joined: Iterable[tuple[UUID, people.FacesJoined]],
    let_go: Iterable[tuple[UUID, people.FacesLetGo]] = (),
    *,
    actor: str,
) -> None:
    """Record which faces the machine takes for one person: observations, one group after the other."""
    news: list[tuple[str, codec.DomainEvent]] = [(group_stream(group), fact) for group, fact in let_go]
    write_many([*news, *((group_stream(group), fact) for group, fact in joined)], actor=actor)


def _decide(person: UUID, decide: Callable[[_History], Sequence[PersonEvent]], actor: str) -> None:
    settle(_deciding(person, decide), actor=actor)


def _deciding(person: UUID, decide: Callable[[_History], Sequence[PersonEvent]]) -> Decision:
    def decided(stored: Sequence[Event]) -> Sequence[PersonEvent]:
        if any(event.type == PERSON_FORGOTTEN for event in stored):
            raise PersonNotFound(str(person))
        return decide(named(stored))

    return Decision(person_stream(person), decided)


def _confirming(person: UUID, faces: Sequence[UUID]) -> Decision:
    return _deciding(person, lambda _: people.decide_confirmed(faces))


def _said(person: UUID) -> Said:
    return people.said_in(named(read_stream(person_stream(person))))
