"""Whatever is said of people and taken back, in whatever order: all is as if it had never been said."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from core.commands import people as commands
from core.domain.edits import NotUndoable
from core.domain.people import FacesJoined
from core.readmodels.faces import Face, Person, PersonAct
from core.readmodels.people import family_of, homes_of
from events.replay import replay
from tests.web.conftest import Shelf
from tests.web.peopling import find_faces, found_face

pytestmark = pytest.mark.django_db
GROUPS, EACH = 4, 2
ACTOR = "account:00000000-0000-0000-0000-000000000001"


@dataclass
class Deed:
    """One act as the model keeps it: what was done, to whom, with what."""

    id: UUID
    what: str
    person: UUID
    value: Any
    undone: bool = False


@dataclass
class Model:
    """Acts as a list. Nothing is kept up to date: everything is worked out from the start, each time."""

    machine: dict[UUID, UUID] = field(default_factory=dict)
    deeds: list[Deed] = field(default_factory=list)

    def deed(self, identity: UUID) -> Deed:
        return next(one for one in self.deeds if one.id == identity)

    def do(self, what: str, person: UUID, value: Any) -> None:
        [act] = set(PersonAct.objects.values_list("id", flat=True)) - {one.id for one in self.deeds}
        self.deeds.append(Deed(act, what, person, value))
        self.toggle(self.deeds[-1])

    def toggle(self, undoing: Deed) -> None:
        """An undoing switches an act off, its own undoing on again, and so on down the chain."""
        while undoing.what == "undo":
            undoing = self.deed(undoing.value)
            undoing.undone = not undoing.undone

    def counting(self, *what: str) -> Iterator[Deed]:
        return (one for one in self.deeds if one.what in what and not one.undone)

    def known_as(self) -> dict[UUID, UUID]:
        """Who is who: as boxes with labels; a merge pours one box into another."""
        boxes = {person: {person} for person in Person.objects.values_list("id", flat=True)}
        for one in self.counting("merge"):
            source = next(label for label, inside in boxes.items() if one.person in inside)
            target = next(label for label, inside in boxes.items() if one.value in inside)
            if source != target:
                boxes[target] |= boxes.pop(source)
        return {person: label for label, inside in boxes.items() for person in inside}

    def person_of(self, face: UUID, known_as: dict[UUID, UUID]) -> tuple[UUID | None, bool]:
        by_hand: UUID | None = None
        denied: list[UUID] = []
        for one in self.counting("put", "deny"):
            faces, family = one.value
            if face not in faces:
                continue
            if one.what == "put":
                by_hand, denied = one.person, [each for each in denied if each != one.person]
            else:
                denied += family
                by_hand = None if by_hand in family else by_hand
        if by_hand is not None:
            return known_as[by_hand], True
        group = self.machine.get(face)
        if group is None or any(known_as[group] == known_as[each] for each in denied):
            return None, False
        return known_as[group], False

    def last(self, what: str, person: UUID, otherwise: Any) -> Any:
        return ([otherwise] + [one.value for one in self.counting(what) if one.person == person])[-1]


class People(RuleBasedStateMachine):
    """Acts by the product's commands, in a transaction of each story's own that is never committed."""

    shelf: Shelf

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.model = Model()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    @initialize()
    def faces_in_groups(self) -> None:
        photo = self.shelf.photo(f"{uuid4()}.jpg", ready=False)
        seen = [found_face(at / 4) for at in range(GROUPS * EACH)]
        self.faces = find_faces(photo, faces=seen, grouped=False)
        self.groups = [uuid4() for _ in range(GROUPS)]
        self.people = list(self.groups)
        for at, group in enumerate(self.groups):
            self.say(group, *self.faces[at * EACH : (at + 1) * EACH])

    def say(self, group: UUID, *faces: UUID) -> None:
        joined = FacesJoined(self.shelf.owner.pk, tuple(faces), "face 1", "by hand")
        commands.record_grouping([(group, joined)], actor="worker:people")
        self.model.machine |= dict.fromkeys(faces, group)

    def person(self, data: st.DataObject) -> UUID:
        """Somebody as a page shows them, with or without faces, in the order in which they were made."""
        shown = set(Person.objects.values_list("root_id", flat=True))
        return data.draw(st.sampled_from([one for one in self.people if one in shown]))

    def some(self, data: st.DataObject, **where: object) -> list[Face]:
        rows = Face.objects.filter(**where).in_bulk()
        ordered = [face for face in self.faces if face in rows]
        chosen = data.draw(st.lists(st.sampled_from(ordered), min_size=1, max_size=3)) if ordered else []
        return [rows[face] for face in dict.fromkeys(chosen)]

    @rule(data=st.data(), name=st.sampled_from(["Ann", "Bo", ""]))
    def name(self, data: st.DataObject, name: str) -> None:
        person = self.person(data)
        if Person.objects.get(id=person).name != name:
            commands.name_person(person, name, actor=ACTOR)
            self.model.do("name", person, name)

    @rule(data=st.data())
    def hide(self, data: st.DataObject) -> None:
        person = self.person(data)
        hidden = not Person.objects.get(id=person).hidden
        commands.hide_person(person, hidden, actor=ACTOR)
        self.model.do("hide", person, hidden)

    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        for face in self.some(data, person_id__isnull=False):
            [(home, faces)] = homes_of([face]).items()
            commands.confirm_faces({home: faces}, actor=ACTOR)
            self.model.do("put", home, ({face.id}, ()))

    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        person, faces = self.person(data), {face.id for face in self.some(data)}
        commands.move_faces(person, faces, source=None, actor=ACTOR)
        self.model.do("put", person, (faces, ()))

    @rule(data=st.data())
    def split(self, data: st.DataObject) -> None:
        source = self.person(data)
        faces = {face.id for face in self.some(data, person_id=source)}
        if faces:
            begun = commands.begin_person(self.shelf.owner.pk, faces, source=source, actor=ACTOR)
            self.people.append(begun)
            self.model.do("put", begun, (faces, ()))

    @rule(data=st.data())
    def reject(self, data: st.DataObject) -> None:
        person = self.person(data)
        # Also of somebody who they were not taken for: that is the answer to "the same person?".
        faces = {face.id for face in self.some(data)}
        family = family_of(person)
        commands.reject_faces(person, faces, family=family, actor=ACTOR)
        self.model.do("deny", person, (faces, family))

    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        one, into = self.person(data), self.person(data)
        if one != into:
            kept = commands.merge_people(one, into, actor=ACTOR)
            self.model.do("merge", one if kept == into else into, kept)

    @rule(data=st.data())
    def the_machine_changes_its_mind(self, data: st.DataObject) -> None:
        self.say(data.draw(st.sampled_from(self.groups)), *(face.id for face in self.some(data)))

    @precondition(lambda self: self.model.deeds)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        deed = data.draw(st.sampled_from(self.model.deeds))
        if deed.undone:
            with pytest.raises(NotUndoable):
                commands.undo_act(deed.person, deed.id, actor=ACTOR)
            return
        commands.undo_act(deed.person, deed.id, actor=ACTOR)
        self.model.do("undo", deed.person, deed.id)

    @invariant()
    def everybody_is_who_the_model_says(self) -> None:
        if not getattr(self, "faces", None):
            return
        known_as = self.model.known_as()
        for person in Person.objects.all():
            assert person.root_id == known_as[person.id]
            assert person.name == self.model.last("name", person.id, "")
            assert person.hidden == self.model.last("hide", person.id, False)
        for face in Face.objects.filter(id__in=self.faces):
            assert (face.person_id, face.by_hand) == self.model.person_of(face.id, known_as)

    def everything(self) -> list[dict[str, Any]]:
        return [row for table in (Face, Person, PersonAct) for row in table.objects.order_by("id").values()]


class PeopleReplayed(People):
    """The same, with a rebuild at the end of each story."""

    def teardown(self) -> None:
        before = self.everything()
        replay(["faces"])
        assert self.everything() == before
        super().teardown()


def told(machine: type[People], shelf: Shelf, stories: int, steps: int) -> None:
    machine.shelf = shelf
    run_machine(
        machine,
        settings=settings(
            max_examples=stories,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        ),
    )


def test_every_word_on_people_can_be_taken_back_also_after_later_ones(shelf: Shelf) -> None:
    told(People, shelf, stories=6, steps=25)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_stories_of_people_end_with_the_rows_that_a_rebuild_gives(shelf: Shelf) -> None:
    told(PeopleReplayed, shelf, stories=25, steps=30)
