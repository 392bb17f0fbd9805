"""Which photos are one shot: by name, moment and camera, or by Apple's identifier; and never by a moment alone."""

from datetime import datetime
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from core.domain.stacks import (
    Candidate,
    Membership,
    NotStacked,
    PhotoStacked,
    PhotoUnstacked,
    StackRule,
    beginnings,
    decide_on_top,
    decide_stacked,
    decide_unstacked,
    group_of,
    is_edited,
    membership,
    shot_name,
    stack_id,
)

FOLDER, OTHER = UUID(int=1), UUID(int=2)
NOON = datetime(2024, 5, 1, 12, 0, 0)
K, L = UUID(int=100), UUID(int=101)


def one(number: int, path: str, media: str = "image", folder: UUID = FOLDER, **more: Any) -> Candidate:
    known = {"taken": NOON, "camera": "Canon EOS 5D", **more}
    return Candidate(UUID(int=number), media, frozenset({(folder, path)}), **known)


RAW = one(1, "a/IMG_1234.CR2", "raw")
JPEG = one(2, "a/IMG_1234.JPG")


def film(number: int, path: str, **more: Any) -> Candidate:
    return one(number, path, "video", **{"camera": "", "seconds": 2.5, **more})


def together(*candidates: Candidate) -> set[int]:
    return {found.int for found in group_of(candidates[0].id, candidates)}


@pytest.mark.parametrize(
    ("path", "name", "edited"),
    [
        ("a/IMG_1234.HEIC", "a/IMG_1234", False),
        ("a/IMG_E1234.HEIC", "a/IMG_1234", True),
        ("IMG_1234-edited.jpg", "IMG_1234", True),
        ("x.y/beach (edited).jpg", "x.y/beach", True),
        ("IMG_7943_HEVC.MOV", "IMG_7943", False),
        ("IMG_1234(1).jpg", "IMG_1234(1)", False),
        ("IMG_EAST.jpg", "IMG_EAST", False),
        (".hidden", ".hidden", False),
    ],
)
def test_the_name_of_a_shot_is_that_of_its_unedited_file(path: str, name: str, edited: bool) -> None:
    assert (shot_name(path), is_edited(path)) == (name, edited)
    assert any(path.startswith(start) for start in beginnings(path)) or "." not in path[1:]


def test_raw_and_jpeg_of_one_shot_are_one() -> None:
    assert together(RAW, JPEG) == together(JPEG, RAW) == {1, 2}


@pytest.mark.parametrize(
    "other",
    [
        one(2, "a/IMG_1235.JPG"),
        one(2, "b/IMG_1234.JPG"),
        one(2, "a/IMG_1234.JPG", folder=OTHER),
        one(2, "a/IMG_1234.JPG", taken=datetime(2024, 5, 1, 12, 0, 1)),
        one(2, "a/IMG_1234.JPG", taken=None),
        one(2, "a/IMG_1234.JPG", camera="Nikon D5"),
        one(2, "a/IMG_1234.JPG", camera=""),
        one(2, "a/IMG_1234(1).JPG"),
    ],
)
def test_another_name_folder_moment_or_camera_is_another_shot(other: Candidate) -> None:
    assert together(RAW, other) == set()


def test_fractions_of_a_second_count_where_both_say_them() -> None:
    tenth, half = NOON.replace(microsecond=100_000), NOON.replace(microsecond=500_000)
    assert together(one(1, "a.CR2", "raw", taken=tenth), one(2, "a.JPG", taken=half)) == set()
    assert together(one(1, "a.CR2", "raw", taken=tenth), one(2, "a.JPG")) == {1, 2}


def test_a_burst_of_one_moment_stays_apart() -> None:
    burst = [one(n, f"a/IMG_{1000 + n}.JPG") for n in range(1, 8)]
    assert all(together(start, *burst) == set() for start in burst)


def test_an_edited_version_is_one_with_its_shot() -> None:
    assert together(one(1, "IMG_1234.HEIC"), one(2, "IMG_E1234.HEIC")) == {1, 2}
    assert together(one(1, "IMG_1234.jpg"), one(2, "IMG_1234-edited.jpg")) == {1, 2}


@pytest.mark.parametrize(
    ("still", "moving", "belong"),
    [
        ({"identifier": "A"}, {"identifier": "A", "path": "other/clip.mov"}, True),
        ({"identifier": "A"}, {"identifier": "B"}, False),
        ({"offset": "+02:00"}, {"taken": datetime(2024, 5, 1, 10, 0, 3), "offset": "+00:00"}, True),
        ({"offset": "+02:00"}, {"taken": datetime(2024, 5, 1, 12, 0, 3), "offset": "+00:00"}, False),
        ({}, {"taken": datetime(2024, 5, 1, 10, 0, 3), "offset": "+00:00"}, True),
        ({}, {"taken": datetime(2024, 5, 1, 10, 7, 0), "offset": "+00:00"}, False),
        ({}, {"taken": datetime(2024, 5, 4, 12, 0, 0), "offset": "+00:00"}, False),
        ({}, {"seconds": 60.0}, False),
        ({}, {"taken": None}, False),
    ],
)
def test_a_still_and_its_film(still: dict[str, Any], moving: dict[str, Any], belong: bool) -> None:
    path = moving.pop("path", "IMG_1.MOV")
    pair = one(1, "IMG_1.HEIC", **still), film(2, path, **moving)
    assert together(*pair) == ({1, 2} if belong else set())
    assert group_of(UUID(int=2), pair).get(UUID(int=2)) == (StackRule.LIVE if belong else None)


def test_the_order_of_arrival_makes_no_difference() -> None:
    shot = [RAW, JPEG, film(3, "a/IMG_1234.MOV"), one(4, "a/IMG_E1234.JPG"), one(5, "a/IMG_1235.JPG")]
    for order in permutations(shot):
        stacks: dict[UUID, UUID] = {}
        for count in range(1, 6):
            here = [replaced(one_, stacks.get(one_.id)) for one_ in order[:count]]
            group = group_of(order[count - 1].id, here)
            chosen = stack_id(FOLDER, [one_ for one_ in here if one_.id in group]) if group else None
            stacks |= {member: chosen for member in group if chosen}
        assert {member.int for member in stacks} == {1, 2, 3, 4}
        assert len(set(stacks.values())) == 1


def replaced(candidate: Candidate, stack: UUID | None) -> Candidate:
    from dataclasses import replace

    return replace(candidate, stack=stack)


# --- decisions ----------------------------------------------------------------------------------------------


def test_the_machine_says_a_thing_once_and_never_what_a_person_has_undone() -> None:
    assert decide_stacked(Membership(), K, StackRule.SHOT) == [PhotoStacked(K, StackRule.SHOT)]
    stacked = membership([PhotoStacked(K, StackRule.SHOT)])
    assert decide_stacked(stacked, K, StackRule.SHOT) == []
    apart = membership([PhotoStacked(K, StackRule.SHOT), PhotoUnstacked(K)])
    assert apart == Membership(None, True)
    for stack in (K, L):
        assert decide_stacked(apart, stack, StackRule.LIVE) == []
    assert decide_stacked(apart, K, StackRule.HAND) == [PhotoStacked(K, StackRule.HAND)]


def test_what_a_person_put_together_the_machine_does_not_move() -> None:
    by_hand = membership([PhotoStacked(K, StackRule.HAND)])
    assert decide_stacked(by_hand, L, StackRule.SHOT) == []
    assert decide_stacked(by_hand, L, StackRule.HAND) == [PhotoStacked(L, StackRule.HAND)]


def test_only_what_is_in_a_stack_leaves_it_or_comes_on_top() -> None:
    assert decide_unstacked(Membership(K), L) == []
    assert decide_unstacked(Membership(K), K) == [PhotoUnstacked(K)]
    with pytest.raises(NotStacked):
        decide_on_top(Membership(K), L)
