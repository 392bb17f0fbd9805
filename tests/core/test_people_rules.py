"""Who a face is, and which persons are one, after any acts and any undoing: rules alone, no database."""

from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain import people
from core.domain.edits import BadValue, NotUndoable
from core.domain.faces import Face, turn
from core.domain.people import Said
from core.domain.placing import Place, Word, is_whole, place, roots, words_of

A, B, C, D = (UUID(int=n) for n in range(1, 5))
F, G = UUID(int=101), UUID(int=102)
ACTS = [UUID(int=n) for n in range(1001, 1010)]


def alone(person: UUID) -> UUID:
    return person


def merged(*pairs: tuple[UUID, UUID]) -> dict[UUID, UUID]:
    return roots([A, B, C, D], pairs)


def yes(*persons: UUID) -> Word:
    return Word(ACTS[0], persons, True)


def no(*persons: UUID) -> Word:
    return Word(ACTS[0], persons, False)


# --- which persons are one ----------------------------------------------------------------------------------


def test_who_is_merged_is_known_as_the_other_through_all_that_follow() -> None:
    assert merged((A, B), (B, C)) == {A: C, B: C, C: C, D: D}
    assert merged((A, B), (C, A)) == {A: B, B: B, C: B, D: D}


def test_without_a_merge_that_was_undone_the_later_ones_still_hold() -> None:
    assert merged((B, C)) == {A: A, B: C, C: C, D: D}
    assert merged((A, B)) == {A: B, B: B, C: C, D: D}


PAIRS = st.tuples(st.sampled_from([A, B, C, D]), st.sampled_from([A, B, C, D]))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PAIRS, max_size=8))
def test_merges_never_make_a_circle_and_join_exactly_what_they_name(pairs: list[tuple[UUID, UUID]]) -> None:
    known = roots([A, B, C, D], pairs)
    assert all(known[root] == root for root in known.values())
    # Joined in whatever order and direction, the same persons are one.
    groups = {one: {one} for one in known}
    for who, into in reversed(pairs):
        together = groups[who] | groups[into]
        for one in together:
            groups[one] = together
    assert all((known[one] == known[other]) == (other in groups[one]) for one in known for other in known)


# --- who a face is ------------------------------------------------------------------------------------------


def test_a_persons_last_word_stands_above_the_machines() -> None:
    assert place(A, [], alone) == Place(A, A, by_hand=False)
    assert place(A, [yes(B)], alone) == Place(B, B, by_hand=True)
    assert place(A, [yes(B), yes(C)], alone) == Place(C, C, by_hand=True)
    assert place(None, [], alone) == Place()


def test_the_machine_does_not_give_a_face_to_whom_a_person_denied_it() -> None:
    assert place(A, [no(A)], alone) == Place()
    assert place(B, [no(A)], alone) == Place(B, B)
    assert place(A, [yes(B), no(B)], alone) == Place(A, A)
    assert place(A, [no(A), yes(A)], alone) == Place(A, A, by_hand=True)


def test_who_is_one_with_a_denied_person_is_denied_too() -> None:
    known = merged((A, C))
    assert place(A, [no(C)], known.__getitem__) == Place()
    assert place(A, [no(C)], alone) == Place(A, A)


def test_a_face_moved_by_hand_stays_where_it_was_put_when_a_merge_is_undone() -> None:
    with_merge = merged((A, B))
    assert place(A, [], with_merge.__getitem__) == Place(A, B)
    assert place(A, [yes(B)], with_merge.__getitem__) == Place(B, B, by_hand=True)
    # Without the merge, the first goes back and the second stays.
    assert place(A, [], alone) == Place(A, A)
    assert place(A, [yes(B)], alone) == Place(B, B, by_hand=True)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations([yes(B), no(C), yes(D)]))
def test_words_on_other_persons_do_not_disturb_one_another(words: list[Word]) -> None:
    last = [word for word in words if word.yes][-1]
    assert place(A, words, alone).home == last.people[0]


def test_each_act_on_faces_is_a_word_on_each_of_them() -> None:
    act = ACTS[0]
    assert words_of(act, A, people.FacesMoved((F, G), B)) == {F: Word(act, (A,), True), G: Word(act, (A,), True)}
    assert words_of(act, A, people.FacesConfirmed((F,))) == {F: Word(act, (A,), True)}
    denied = words_of(act, A, people.FacesRejected((F,), (B,)))[F]
    assert (set(denied.people), denied.yes) == ({A, B}, False)
    assert words_of(act, A, people.PersonNamed("Ann")) == {}


# --- undoing ------------------------------------------------------------------------------------------------


def history(*facts: object) -> list[tuple[UUID, object]]:
    return list(zip(ACTS, facts, strict=False))


def test_an_act_undone_is_as_if_it_had_never_been_done_and_counts_again_in_its_old_place() -> None:
    said = [people.PersonNamed("Ann"), people.PersonNamed("Anna"), people.BirthdaySet("1990-07-31")]
    assert people.said_in(history(*said)) == Said("Anna", "1990-07-31")
    undone = [*said, people.ActUndone(ACTS[1])]
    assert people.said_in(history(*undone)) == Said("Ann", "1990-07-31")
    later = [*undone, people.PersonNamed("Annie")]
    again = [*later, people.ActUndone(ACTS[3])]
    assert people.said_in(history(*later)).name == people.said_in(history(*again)).name == "Annie"


def test_what_is_no_act_or_was_undone_already_is_not_undone() -> None:
    known = history(people.PersonBegun(A), people.PersonNamed("Ann"))
    assert people.decide_undo(known, ACTS[1]) == [people.ActUndone(ACTS[1])]
    with pytest.raises(NotUndoable, match="not a change"):
        people.decide_undo(known, ACTS[0])
    with pytest.raises(NotUndoable, match="not a change"):
        people.decide_undo(known, UUID(int=9))
    with pytest.raises(NotUndoable, match="undone already"):
        people.decide_undo(
            history(people.PersonBegun(A), people.PersonNamed("Ann"), people.ActUndone(ACTS[1])), ACTS[1]
        )


# --- what may be said ---------------------------------------------------------------------------------------


def test_names_and_birthdays_are_cleaned_and_saying_them_twice_is_no_news() -> None:
    assert people.decide_named(Said(), "  Ann\n Lee ") == [people.PersonNamed("Ann Lee")]
    assert people.decide_named(Said("Ann Lee"), "Ann  Lee") == []
    assert people.decide_named(Said("Ann"), " ") == [people.PersonNamed("")]
    assert people.decide_birthday(Said(), "1990-07-31") == [people.BirthdaySet("1990-07-31")]
    assert people.decide_birthday(Said(birthday="1990-07-31"), "") == [people.BirthdaySet("")]
    assert people.decide_hidden(Said(), False) == []
    assert people.decide_cover(Said(), F) == [people.CoverChosen(F)]


@pytest.mark.parametrize("day", ["31.7.1990", "1990-13-01", "1990-7-31", "19900731", "0190-07-31", "x"])
def test_what_is_no_day_is_no_birthday(day: str) -> None:
    with pytest.raises(BadValue, match="1990-07-31"):
        people.decide_birthday(Said(), day)


def test_an_act_names_some_faces_and_not_too_many() -> None:
    for faces in ([], [UUID(int=n) for n in range(people.FACES_LIMIT + 1)]):
        with pytest.raises(BadValue):
            people.decide_confirmed(faces)
    assert people.decide_moved([G, F, F], A) == [people.FacesMoved((F, G), A)]


def test_who_has_a_name_survives_a_merge() -> None:
    for (name, other), kept in {("", ""): B, ("Ann", ""): A, ("", "Bo"): B, ("Ann", "Bo"): B}.items():
        assert people.survivor((A, Said(name)), (B, Said(other)))[1] == kept
    with pytest.raises(BadValue):
        people.survivor((A, Said()), (A, Said()))
    with pytest.raises(BadValue):
        people.decide_told_apart(A, A)


def test_the_order_of_merges_that_have_nothing_in_common_makes_no_difference() -> None:
    results = [roots([A, B, C, D], order) for order in permutations([(A, B), (C, D)])]
    assert results[0] == results[1]


# --- how much of a face is there ----------------------------------------------------------------------------


def seen_at(x: float, y: float, size: float, high: float = 1.0) -> Face:
    """A face whose square for the embedding begins at x, y, in a picture so many times as wide as high."""
    parts = ((0.342, 0.462), (0.657, 0.460), (0.5, 0.64), (0.501, 0.824))
    points = tuple((x + size * a, y + size * high * b) for a, b in parts)
    return Face(A, (x, y, x + size, y + size), points, 0.9, 100.0, 0.5, 1.0)


@pytest.mark.parametrize(
    ("face", "whole"),
    [
        (seen_at(0.4, 0.2, 0.3), True),
        (seen_at(0.4, 0.2, 0.3, high=2.0), True),
        (seen_at(-0.05, 0.2, 0.3), True),
        (seen_at(-0.15, 0.2, 0.3), False),
        (seen_at(0.4, -0.3, 0.4, high=2.0), False),
        (seen_at(-0.2, -0.2, 1.4), False),
        (turn(seen_at(-0.15, 0.2, 0.3), 1), False),
        (turn(seen_at(0.4, 0.2, 0.3), 3), True),
    ],
)
def test_a_face_is_whole_while_most_of_what_tells_people_apart_is_in_the_picture(face: Face, whole: bool) -> None:
    assert is_whole(face) is whole
