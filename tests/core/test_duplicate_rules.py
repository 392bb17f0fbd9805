"""The rules about photos that look alike: who is near whom, what is a group, which is best, what was decided."""

import random
from itertools import permutations
from uuid import UUID

import pytest
from PIL import Image

from core.domain import duplicates
from core.domain.duplicates import Candidate, best_of
from core.domain.likeness import NEAR_ALONE, Likeness, grouped, of_one_tone, spread
from workers.pipelines.previews import thumbhash_of

A, B, C, D = (UUID(int=number) for number in (1, 2, 3, 4))
REVIEW, LATER = UUID(int=90), UUID(int=91)


def flipped(look: Likeness, bits: list[int]) -> Likeness:
    parts = [look.across, look.fields, look.waves]
    for bit in bits:
        parts[bit // 64] ^= 1 << bit % 64
    return Likeness(*parts)


def some(number: int) -> Likeness:
    chance = random.Random(number)
    return Likeness(*(chance.getrandbits(64) for _ in range(3)))


def test_whatever_is_near_shares_a_piece_with_what_is_asked_for() -> None:
    chance = random.Random(7)
    for number in range(300):
        look = some(number)
        # As far as near goes in one of the two hashes, and anything in the other.
        word, other = chance.choice([(0, 64), (64, 0)])
        bits = [word + bit for bit in chance.sample(range(64), NEAR_ALONE)]
        bits += [other + bit for bit in chance.sample(range(64), 20)]
        there = flipped(look, bits)
        assert look.is_near(there)
        assert set(look.probes) & set(there.pieces)


def test_beyond_the_bounds_nothing_is_near() -> None:
    look = some(1)
    eight = [*range(8), *range(64, 72)]
    assert not look.is_near(flipped(look, eight))
    assert look.is_near(flipped(look, eight[1:]))
    assert not look.is_near(flipped(look, list(range(128, 159))))
    assert look.is_near(flipped(look, list(range(128, 158))))


def test_a_likeness_survives_being_written_down() -> None:
    look = some(3)
    assert Likeness.parse(f"{look.across:016x}{look.fields:016x}{look.waves:016x}") == look
    with pytest.raises(ValueError, match="48 digits"):
        Likeness.parse("ff")


def test_groups_go_over_third_ones_and_know_no_order() -> None:
    first = some(5)
    known = {
        A: first,
        B: flipped(first, list(range(128, 148))),
        C: flipped(first, list(range(128, 168))),
        D: some(6),
    }
    assert not known[A].is_near(known[C])
    for order in permutations(known):
        assert grouped({photo: known[photo] for photo in order}) == [[A, B, C]]
    assert spread([known[A], known[B], known[C]]) == 40


def test_a_grey_version_is_of_another_tone() -> None:
    def placeholder(mode: str, size: tuple[int, int]) -> str:
        sea = Image.linear_gradient("L").resize(size)
        blue = Image.merge(
            "RGB", (sea.point(lambda light: light // 3), sea, sea.transpose(Image.Transpose.ROTATE_180))
        )
        return thumbhash_of(blue.convert(mode).convert("RGB"))

    plain, small, grey = (
        placeholder(*one) for one in (("RGB", (660, 440)), ("RGB", (330, 220)), ("L", (660, 440)))
    )
    assert of_one_tone([plain, small, ""])
    assert not of_one_tone([plain, small, grey])


def test_what_was_told_apart_ties_nothing_together() -> None:
    known = dict.fromkeys((A, B, C), some(5))
    assert grouped(known, lambda one, other: {one, other} == {A, B}) == [[A, B, C]]
    assert grouped(known, lambda one, other: A in (one, other)) == [[B, C]]
    assert grouped(known, lambda _one, _other: True) == []


def candidate(photo: UUID, **values: object) -> Candidate:
    plain = {"there": True, "pixels": 100, "words": 0, "dated": True, "size": 10, **values}
    return Candidate(photo, **plain)  # type: ignore[arg-type]  # a test's shorthand


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ({"there": False, "pixels": 900}, "its original is there"),
        ({"pixels": 99, "words": 3}, "it has the most pixels"),
        ({"size": 9}, "its file is the largest"),
        ({"dated": False, "size": 90}, "it has the camera's date"),
        ({}, ""),
    ],
)
def test_the_best_one_and_why(rest: dict[str, object], reason: str) -> None:
    assert best_of([candidate(A), candidate(B, **rest)]) == (A, reason)


def test_stars_win_among_pictures_of_one_size() -> None:
    assert best_of([candidate(A, size=99), candidate(B, words=1)]) == (B, "it has your stars and words")


def test_each_reason_that_left_one_behind_is_named() -> None:
    found = best_of([candidate(A), candidate(B, pixels=50), candidate(C, size=5)])
    assert found == (A, "it has the most pixels and its file is the largest")


def decided(*events: duplicates.DuplicateEvent) -> duplicates.Judgement:
    return duplicates.judgement(("", event) for event in events)


def test_decided_twice_is_decided_once() -> None:
    marked, apart = duplicates.MarkedDuplicate(A, REVIEW), duplicates.ToldApart((B, C), REVIEW)
    assert duplicates.decide_marked(decided(marked), A, LATER) == []
    assert duplicates.decide_told_apart(decided(apart), [B, C], LATER) == []
    assert duplicates.decide_told_apart(decided(apart), [C, D], LATER) == [duplicates.ToldApart((D,), LATER)]


def test_an_undo_takes_back_its_own_review_and_no_other() -> None:
    state = decided(duplicates.MarkedDuplicate(A, REVIEW), duplicates.ToldApart((B,), LATER))
    assert duplicates.decide_undone(state, REVIEW) == [duplicates.UnmarkedDuplicate(A)]
    assert duplicates.decide_undone(state, LATER) == [duplicates.ApartTakenBack(LATER)]
    assert duplicates.decide_undone(decided(duplicates.MarkedDuplicate(A, LATER)), REVIEW) == []


def test_of_another_content_nobody_has_said_that_it_is_a_duplicate() -> None:
    marked = ("photo.marked_duplicate", duplicates.MarkedDuplicate(A, REVIEW))
    assert duplicates.judgement([marked, ("photo.content_replaced", object())]).of is None
