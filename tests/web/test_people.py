"""People from faces: grouped as they come, named, merged, split; every word taken back; nobody else's."""

from collections.abc import Callable
from uuid import UUID

import pytest

from core import groups
from core.accounts import Account
from core.commands import people as commands
from core.readmodels.faces import Face, Person
from core.readmodels.people import people_of
from events.replay import replay
from tests.web.conftest import Shelf
from tests.web.peopling import cut_face, find_faces, found_face, numbers_of, person_of, snap
from workers.grouping import settle_people
from workers.regrouping import regroup_all

pytestmark = pytest.mark.django_db


def together(*faces: UUID) -> bool:
    found = {person_of(face) for face in faces}
    return len(found) == 1 and None not in found


def test_faces_of_one_person_are_grouped_as_they_come_and_those_of_others_are_not(shelf: Shelf) -> None:
    ann, bo = snap(shelf, 1, "ann", "bo")
    assert person_of(ann) is None
    again, eve = snap(shelf, 2, "ann", "eve")
    assert together(ann, again)
    assert person_of(bo) is None and person_of(eve) is None
    [third] = snap(shelf, 3, "bo")
    assert together(bo, third) and not together(bo, ann)
    assert {(one.photos, one.faces) for one in people_of(shelf.owner)} == {(2, 2)}


def test_the_order_in_which_photos_come_makes_no_difference(shelf: Shelf) -> None:
    """The first face of somebody that the others meet only through later ones joins them when they come."""
    photo = shelf.photo("odd.jpg")
    ann, odd = numbers_of("ann", 1), numbers_of("ann", 2, likeness=0.3)
    [early] = find_faces(photo, odd)
    shots = [snap(shelf, number, "ann")[0] for number in range(10, 13)]
    assert together(*shots)
    [close] = find_faces(shelf.photo("close.jpg"), [(a + b) / 2 for a, b in zip(ann, odd, strict=True)])
    assert together(*shots, close)
    assert person_of(early) in (None, person_of(close))


def test_two_groups_that_turn_out_to_be_one_person_become_one_unless_a_person_spoke_of_both(shelf: Shelf) -> None:
    left = [find_faces(shelf.photo(f"l{n}.jpg"), mixed("ann", "left", n))[0] for n in range(2)]
    right = [find_faces(shelf.photo(f"r{n}.jpg"), mixed("ann", "right", n))[0] for n in range(2)]
    assert together(*left) and together(*right) and not together(*left, *right)
    other, named = person_of(left[0]), person_of(right[0])
    assert other and named
    commands.name_person(named, "Ann", actor="account:1")
    # Faces from the front are like both: they join the nearer group, until the other one is like all of it.
    for number in range(12):
        find_faces(shelf.photo(f"f{number}.jpg"), numbers_of("ann", number, 0.9))
    assert together(*left, *right) and person_of(left[0]) == named
    assert not Face.objects.filter(person_id=other).exists()


def mixed(who: str, side: str, shot: int) -> list[float]:
    """A person from one side: alike to the others of that side, less so to those of the other."""
    of_all, of_this = numbers_of(who, 0, 1.0), numbers_of(f"{who} {side}", 0, 1.0)
    parts = zip(of_all, of_this, numbers_of(f"{who} in {side} {shot}", 0, 1.0), strict=True)
    return [0.58 * a + 0.76 * b + 0.3 * c for a, b, c in parts]


def test_a_blurred_face_begins_no_group_but_may_join_one(shelf: Shelf) -> None:
    blurred = [
        find_faces(shelf.photo(f"b{n}.jpg"), numbers_of("ann", n), faces=[found_face(sharp=0.05)])[0]
        for n in range(3)
    ]
    assert [person_of(face) for face in blurred] == [None] * 3
    clear = [snap(shelf, number, "ann")[0] for number in (4, 5)]
    assert together(*clear, *blurred)


def test_a_face_cut_off_by_the_edge_joins_nobody_by_itself_and_is_asked_about(shelf: Shelf) -> None:
    cut = [
        find_faces(shelf.photo(f"c{n}.jpg"), numbers_of("ann", n), faces=[cut_face(sharp)])[0]
        for n, sharp in enumerate((0.8, 0.8, 0.05))
    ]
    # As an older version has kept it.
    groups.put_loose(cut[:1], owner=shelf.owner.pk, kind=groups.Kind.LOOSE)
    clear = [snap(shelf, number, "ann")[0] for number in (4, 5)]
    late = find_faces(shelf.photo("c9.jpg"), numbers_of("ann", 9), faces=[cut_face()])[0]
    for _ in ("as they come", "all anew"):
        assert together(*clear) and [person_of(face) for face in (*cut, late)] == [None] * 4
        asked = groups.Resemblance.objects.filter(is_face=True, other=person_of(clear[0]))
        assert set(asked.values_list("one", flat=True)) == {*cut, late}
        regroup_all(shelf.owner.pk)
    person = person_of(clear[0])
    assert person
    commands.confirm_faces({person: [late]}, actor="account:1")
    regroup_all(shelf.owner.pk)
    assert together(*clear, late)


def test_what_a_person_said_of_a_face_survives_a_new_model_a_turned_file_and_a_rebuild(shelf: Shelf) -> None:
    ann, _ = snap(shelf, 1, "ann", "bo")
    again, _ = snap(shelf, 2, "ann", "bo")
    person = person_of(ann)
    assert person
    commands.name_person(person, "Ann", actor="account:1")
    commands.confirm_faces({person: [ann]}, actor="account:1")
    commands.reject_faces(person, [again], family=[person], actor="account:1")
    settle_people([person], [again])
    for face in (ann, again):
        photo = Face.objects.get(id=face).photo_id
        shot = 1 if face == ann else 2
        assert face in find_faces(photo, numbers_of("ann", shot), numbers_of("bo", shot), version="2")
    assert person_of(ann) == person and person_of(again) is None
    before = sorted(map(str, Face.objects.values_list()))
    replay(["faces"])
    assert sorted(map(str, Face.objects.values_list())) == before
    assert regroup_all(shelf.owner.pk) and person_of(ann) == person and person_of(again) is None
    assert Person.objects.get(id=person).name == "Ann"


def test_faces_of_two_owners_never_meet(
    shelf: Shelf, make_shelf: Callable[[Account], Shelf], stranger: Account
) -> None:
    other = make_shelf(stranger)
    mine = [snap(shelf, number, "ann")[0] for number in (1, 2)]
    theirs = [snap(other, number, "ann")[0] for number in (3, 4)]
    assert together(*mine) and together(*theirs) and not together(*mine, *theirs)
    regroup_all(shelf.owner.pk)
    assert not together(*mine, *theirs)
    assert [one.photos for one in people_of(stranger)] == [2]


def test_two_faces_in_one_photo_are_two_people_however_alike(shelf: Shelf) -> None:
    twins = snap(shelf, 1, "ann", "ann")
    assert [person_of(face) for face in twins] == [None, None]
    pair = snap(shelf, 2, "ann", "ann")
    known = {person_of(face) for face in (*twins, *pair)} - {None}
    assert all(person_of(one) != person_of(other) or person_of(one) is None for one, other in (twins, pair))
    assert regroup_all(shelf.owner.pk) == len(known)
    assert all(person_of(one) != person_of(other) or person_of(one) is None for one, other in (twins, pair))
