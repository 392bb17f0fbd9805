"""What was said of a person, as its history tells it: one sentence per act, with the way to take it back."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.domain import people
from core.readmodels.faces import Person, PersonAct
from core.web.history import account_names, who
from core.web.words import counted


@dataclass(frozen=True, slots=True)
class ActLine:
    """One line. `counts`: it was not undone, so that it can be."""

    id: UUID
    icon: str
    words: str
    who: str
    at: datetime
    counts: bool


def acts_in_words(acts: Iterable[PersonAct], shown: UUID) -> list[ActLine]:
    """The history of the person that is shown; acts about those who were merged into it name them."""
    known = list(acts)
    names = account_names(act.actor for act in known)
    people_named = _names_of(known)
    undone = {act.id: act for act in PersonAct.objects.filter(id__in=_undone_by(known))}
    return [
        ActLine(act.id, *_sentence(act, shown, people_named, undone), who(act.actor, names), act.at, act.counts)
        for act in known
    ]


def _sentence(
    act: PersonAct, shown: UUID, names: Mapping[UUID, str], undone: Mapping[UUID, PersonAct]
) -> tuple[str, str]:
    called = names.get(act.person_id, "") or "somebody without a name"
    of_other = "" if act.person_id == shown else f" ({called}, before the merge)"
    match act.fact:
        case people.ActUndone(act=before):
            inner = undone.get(before)
            words = _sentence(inner, shown, names, undone)[1] if inner else "something"
            return "arrow-uturn-left", f"Undone: {words[:1].lower()}{words[1:]}"
        case people.PersonNamed(name=name):
            return "pencil", (f"Named {name}" if name else "The name was taken away") + of_other
        case people.BirthdaySet(birthday=day):
            return "cake", (f"Born on {day}" if day else "The birthday was taken away") + of_other
        case people.PersonHidden(hidden=hidden):
            return ("eye-slash", "Hidden" + of_other) if hidden else ("eye", "Shown again" + of_other)
        case people.CoverChosen(face=face):
            return "photo", ("Another cover was chosen" if face else "The cover is left to Filmroll") + of_other
        case people.PersonMerged(into=into):
            other = names.get(into, "") or "somebody without a name"
            return "user-group", f"{_upper(called)} and {other} are one person"
        case people.PeopleToldApart(other=other_id):
            return (
                "users",
                f"Told apart from {names.get(_other(act, shown, other_id), '') or 'somebody who looks alike'}",
            )
        case fact:
            return _faces_sentence(act, shown, names, fact)


def _faces_sentence(act: PersonAct, shown: UUID, names: Mapping[UUID, str], fact: object) -> tuple[str, str]:
    match fact:
        case people.FacesConfirmed(faces=faces):
            return "check", f"{counted(len(faces), 'face')} confirmed"
        case people.FacesRejected(faces=faces):
            return "x-mark", f"{counted(len(faces), 'face')} said to be somebody else"
        case people.FacesMoved(faces=faces, source=source):
            many = counted(len(faces), "face")
            if source == shown and act.person_id != shown:
                return "arrow-right", f"{many} moved to {names.get(act.person_id, '') or 'a person of their own'}"
            origin = f" from {names[source]}" if source and names.get(source) else ""
            return "arrow-left", f"{many} moved here{origin}"
    return "question-mark-circle", act.type


def _other(act: PersonAct, shown: UUID, other: UUID) -> UUID:
    return act.person_id if other == shown else other


def _names_of(acts: Collection[PersonAct]) -> dict[UUID, str]:
    ids = {person for act in acts for person in act.people}
    return dict(Person.objects.filter(id__in=ids).values_list("id", "name"))


def _undone_by(acts: Iterable[PersonAct]) -> set[UUID]:
    """What was undone, down to the act itself: an undoing may have been undone."""
    found: set[UUID] = set()
    look = [act for act in acts if act.type == "person.act_undone"]
    while look:
        ids = {UUID(act.data["act"]) for act in look} - found
        found |= ids
        look = list(PersonAct.objects.filter(id__in=ids, type="person.act_undone"))
    return found


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]
