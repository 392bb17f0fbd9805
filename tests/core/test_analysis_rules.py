"""What is known of a photo by its analyses: results that count once, and faces that keep their ids."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from core.domain import analysis, photos
from core.domain.analysis import Analysis, FacesFound, PhotoAnalysed, ScenesFound, VectorMade
from core.domain.faces import NAMELESS, Face, match_faces, overlap, turn
from core.domain.kinds import words_for
from core.domain.photos import Step
from tests.core.test_photo_rules import FILE, IMPORTED, LABELS, PREVIEWS, READ

CONTENT, OTHER = "00" * 32, "11" * 32
SCENES = ScenesFound(CONTENT, "mobilenet", "2", (analysis.Scene("Egyptian cat", 0.8, ("cat", "animal")),))
ANNA, BERT = UUID(int=11), UUID(int=12)


def face(x: float, y: float, size: float = 0.2, identity: UUID = NAMELESS) -> Face:
    """A face whose upper left corner is there, with its eyes in its upper half."""
    eyes = ((x + size * 0.3, y + size * 0.3), (x + size * 0.7, y + size * 0.3))
    points = (*eyes, *((x + size * a, y + size * b) for a, b in ((0.5, 0.5), (0.5, 0.8), (0, 0.4), (1, 0.4))))
    return Face(identity, (x, y, x + size, y + size), points, 0.9, 100.0, 0.5, 1.0)


def found(*faces: Face, content: str = CONTENT, version: str = "1", turned: int = 0) -> FacesFound:
    return FacesFound(content, "blazeface", version, faces, turned)


def replaced() -> photos.ContentReplaced:
    return photos.ContentReplaced(FILE, OTHER, "jpeg", "image", "image/jpeg")


@pytest.mark.parametrize("result", [LABELS, SCENES, found(), VectorMade(CONTENT, "embedding", "1")])
def test_a_second_result_of_the_same_model_is_no_news_and_one_of_another_version_is(result: photos.Seen) -> None:
    begun = photos.fold([IMPORTED, READ])
    assert photos.decide_seen(begun, result) == [result]
    seen = photos.fold([IMPORTED, READ, result])
    assert photos.decide_seen(seen, result) == []
    newer = replace(result, model_version="newer")
    assert photos.decide_seen(seen, newer) == [newer]
    assert photos.seen_id(ANNA, seen, newer) != photos.seen_id(ANNA, seen, result)
    assert photos.decide_seen(photos.fold([IMPORTED, READ, result, replaced()]), result) == [result]


def test_a_photo_is_done_when_it_was_looked_at_even_if_nobody_wants_to_know_its_things() -> None:
    looked = PhotoAnalysed(CONTENT, (), (Analysis.OBJECTS,))
    state = photos.fold([IMPORTED, READ, PREVIEWS])
    assert photos.decide_seen(state, looked) == [looked]
    assert photos.decide_processed(photos.evolve(state, looked)) == [photos.PhotoProcessed(tuple(Step))]
    assert photos.decide_seen(photos.fold([IMPORTED, READ, LABELS]), looked) == []
    assert photos.decide_processed(photos.fold([IMPORTED, READ, PREVIEWS, SCENES])) == []


def test_an_analysis_that_is_not_switched_off_is_wanted() -> None:
    assert analysis.wanted([]) == tuple(Analysis)
    assert Analysis.FACES not in analysis.wanted(["faces", "dates"])
    assert set(analysis.BY_MODEL) < set(Analysis)


def test_a_thing_is_found_by_its_name_and_by_its_kinds() -> None:
    assert words_for(["cat", "cat", "TV"]) == ["animal", "cat", "mammal", "pet", "tv"]


def test_overlap_is_the_shared_part_of_the_union() -> None:
    assert overlap((0, 0, 1, 1), (0, 0, 1, 1)) == 1
    assert overlap((0, 0, 1, 1), (0.5, 0, 1.5, 1)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 0.1, 0.1), (0.5, 0.5, 1, 1)) == overlap((0, 0, 0, 0), (0, 0, 0, 0)) == 0


def test_four_quarter_turns_change_nothing_and_one_turns_clockwise() -> None:
    left = face(0.0, 0.4)
    assert turn(left, 1).box == pytest.approx((0.4, 0.0, 0.6, 0.2))
    assert turn(left, 4).box == pytest.approx(left.box)
    assert turn(left, 1).points[0] == pytest.approx((1 - left.points[0][1], left.points[0][0]))


def test_a_face_at_the_same_place_keeps_its_id_and_another_one_is_new() -> None:
    known = [face(0.1, 0.1, identity=ANNA), face(0.6, 0.6, identity=BERT)]
    matched = match_faces([face(0.62, 0.6), face(0.1, 0.6), face(0.1, 0.11)], known, same=True)
    assert [one.id for one in matched.faces] == [BERT, NAMELESS, ANNA]
    assert matched.turned == 0


def test_of_two_faces_at_one_place_the_nearer_keeps_the_id() -> None:
    matched = match_faces([face(0.14, 0.1), face(0.1, 0.1)], [face(0.1, 0.1, identity=ANNA)], same=True)
    assert [one.id for one in matched.faces] == [NAMELESS, ANNA]


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
@pytest.mark.parametrize("place", [(0.1, 0.2), (0.4, 0.4)])  # a face in the middle is there in each turn
def test_faces_are_known_again_in_a_picture_that_was_turned(quarters: int, place: tuple[float, float]) -> None:
    known = [face(*place, identity=ANNA), face(0.7, 0.1, identity=BERT)]
    now = [replace(turn(one, quarters), id=NAMELESS) for one in known]
    matched = match_faces(now, known, same=False)
    assert [one.id for one in matched.faces] == [ANNA, BERT]
    assert matched.turned == quarters
    unturned = match_faces(now, known, same=True)
    assert quarters == 0 or BERT not in [one.id for one in unturned.faces]


def test_in_another_picture_a_face_at_the_same_place_is_somebody_else_if_it_does_not_look_alike() -> None:
    known = [face(0.1, 0.1, identity=ANNA)]
    assert match_faces([face(0.1, 0.1)], known, same=False).faces[0].id == ANNA
    unlike = match_faces([face(0.1, 0.1)], known, same=False, alike=lambda _at, _known: False)
    assert unlike.faces[0].id == NAMELESS


def test_a_face_that_was_missed_once_is_known_when_it_is_found_again() -> None:
    both = found(face(0.1, 0.1, identity=ANNA), face(0.6, 0.6, identity=BERT))
    one = found(face(0.1, 0.1, identity=ANNA), version="2")
    state = photos.fold([IMPORTED, READ, both, one])
    assert set(state.analysed.faces) == {ANNA, BERT}
    again = match_faces([face(0.6, 0.6)], state.analysed.faces.values(), same=True)
    assert again.faces[0].id == BERT


def test_known_faces_turn_with_their_picture_and_are_forgotten_with_another_one() -> None:
    both = found(face(0.1, 0.1, identity=ANNA), face(0.6, 0.2, identity=BERT))
    turned = found(turn(face(0.1, 0.1, identity=ANNA), 1), content=OTHER, turned=1)
    state = photos.fold([IMPORTED, READ, both, replaced(), turned])
    assert state.analysed.faces[BERT].box == pytest.approx(turn(face(0.6, 0.2), 1).box)
    other = found(face(0.5, 0.5, identity=uuid4()), content=OTHER)
    state = photos.fold([IMPORTED, READ, both, replaced(), other])
    assert set(state.analysed.faces) == {other.faces[0].id}


def test_the_id_of_a_new_face_differs_by_content_model_and_place() -> None:
    ids = {
        analysis.new_face_id(ANNA, found(content=content, version=version), at)
        for content in (CONTENT, OTHER)
        for version in "12"
        for at in range(3)
    }
    assert len(ids) == 12
