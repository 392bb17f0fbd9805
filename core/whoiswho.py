"""What an account does with people and faces: what it may see is asked first, then one command is called."""

from collections.abc import Collection, Iterable
from uuid import UUID

from core.accounts import Account
from core.commands import people as commands
from core.domain.edits import BadValue
from core.readmodels.faces import Face, Person
from core.readmodels.people import (
    act_for,
    face_for,
    faces_for,
    family_of,
    homes_of,
    owner_of,
    owners_of,
    owners_seen,
    person_for,
    person_named,
)
from core.readmodels.photos import photo_for


def name(account: Account, person: UUID, text: str) -> Person:
    """Say who somebody is. Raises BadValue, PersonNotFound."""
    known = person_for(account, person)
    commands.name_person(known.id, text, actor=account.actor)
    return known


def set_birthday(account: Account, person: UUID, day: str) -> None:
    """Raises BadValue, PersonNotFound."""
    commands.set_birthday(person_for(account, person).id, day, actor=account.actor)


def hide(account: Account, person: UUID, hidden: bool) -> None:
    """Raises PersonNotFound."""
    commands.hide_person(person_for(account, person).id, hidden, actor=account.actor)


def choose_cover(account: Account, person: UUID, face: UUID | None) -> None:
    """Show somebody by one of their own faces; None leaves the choice to the machine. Raises BadValue."""
    known = person_for(account, person)
    if face is not None and face_for(account, face).face.person_id != known.id:
        raise BadValue("That is not a face of this person.")
    commands.choose_cover(known.id, face, actor=account.actor)


def confirm(account: Account, faces: Iterable[UUID]) -> None:
    """Say that faces are right where they are. Raises BadValue, PersonNotFound."""
    homes = homes_of(faces_for(account, faces))
    if not homes:
        raise BadValue("Choose faces that are somebody's.")
    commands.confirm_faces(homes, actor=account.actor)


def reject(account: Account, person: UUID, faces: Iterable[UUID]) -> None:
    """Say that faces are not this person's. Raises BadValue, PersonNotFound."""
    known = person_for(account, person)
    wanted = [face.id for face in faces_for(account, faces)]
    commands.reject_faces(known.id, wanted, family=family_of(known.id), actor=account.actor)


def move(account: Account, to: UUID, faces: Collection[UUID]) -> Person:
    """Say that faces are this person's. Raises BadValue, PersonNotFound."""
    known = person_for(account, to)
    found = faces_for(account, faces)
    _refuse_strangers(found, known.owner_id)
    wanted = [face.id for face in found]
    commands.move_faces(known.id, wanted, source=_source(found), actor=account.actor)
    return known


def split(account: Account, faces: Collection[UUID], text: str = "") -> UUID:
    """Make a new person of these faces; its id. Raises BadValue, PersonNotFound."""
    found = faces_for(account, faces)
    if not found:
        raise BadValue("Choose a face at least.")
    owner = owner_of(photo_for(account, found[0].photo_id))
    _refuse_strangers(found, owner)
    wanted = [face.id for face in found]
    return commands.begin_person(owner, wanted, source=_source(found), name=text, actor=account.actor)


def name_face(account: Account, face: UUID, text: str) -> UUID:
    """Say who a face is; the answer is the person.

    Who has no name yet gets this one, or is one with whoever has it. A face that was taken for somebody else, or
    for nobody, goes to whoever has the name, or begins a person. Raises BadValue, PersonNotFound.
    """
    seen = face_for(account, face)
    if not text.strip():
        raise BadValue("Say who it is.")
    known = person_named(account, text, owner_of(seen.photo))
    if seen.person is not None and not seen.person.name:
        return merge(account, seen.person.id, known.id) if known else name(account, seen.person.id, text).id
    if seen.person is not None and known is not None and seen.person.id == known.id:
        confirm(account, [face])
        return known.id
    return move(account, known.id, [face]).id if known else split(account, [face], text)


def merge(account: Account, person: UUID, into: UUID) -> UUID:
    """Say that two are one; who they are known as. Raises BadValue, PersonNotFound."""
    one, other = person_for(account, person), person_for(account, into)
    if one.owner_id != other.owner_id:
        raise BadValue("These people are in the libraries of two owners.")
    return commands.merge_people(one.id, other.id, actor=account.actor)


def answer(account: Account, one: UUID, other: UUID, *, is_face: bool, same: bool) -> None:
    """Whether two that look alike are one person; `one` may be a loose face. Raises BadValue, PersonNotFound."""
    known = person_for(account, other)
    if not is_face:
        if same:
            merge(account, one, other)
        else:
            commands.tell_apart(person_for(account, one).id, known.id, actor=account.actor)
    elif same:
        _refuse_strangers(faces_for(account, [one]), known.owner_id)
        # To the group that it is like, which may be one of several that were merged.
        commands.confirm_faces({other: [one]}, actor=account.actor)
    else:
        reject(account, known.id, [one])


def undo(account: Account, act: UUID) -> UUID:
    """Take an act back; in whose stream it was. Raises NotUndoable, PersonNotFound."""
    known = act_for(account, act)
    commands.undo_act(known.person_id, act, actor=account.actor)
    return known.person_id


def group_again(account: Account) -> None:
    """Have the faces of this account's libraries grouped anew."""
    for owner in sorted(owners_seen(account)):
        commands.ask_for_grouping(owner, actor=account.actor)


def _refuse_strangers(faces: Iterable[Face], owner: UUID) -> None:
    if owners_of(faces) - {owner}:
        raise BadValue("These faces are in the libraries of another owner.")


def _source(faces: Iterable[Face]) -> UUID | None:
    """Whose they all were, if they were one person's."""
    people = {face.person_id for face in faces}
    return people.pop() if len(people) == 1 else None
