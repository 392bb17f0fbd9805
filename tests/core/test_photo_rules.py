"""The rules of a photo: given events, when something is decided, then these events."""

from uuid import UUID, uuid4

import pytest

from core.domain import codec, photos
from core.domain.forgetting import PhotoForgotten, StillThere, refuse_while_there
from core.domain.photos import Fact, Step
from events.event import NewEvent

LIBRARY = UUID(int=1)
FILE = photos.OriginalFile(UUID(int=2), "a/b.jpg", 10, 20)
COPY = photos.OriginalFile(UUID(int=3), "a/copy.jpg", 10, 20)
IMPORTED = photos.PhotoImported(LIBRARY, FILE, "00" * 32, "jpeg", "image", "image/jpeg")
READ = photos.MetadataRead(1, {"iso": Fact(100, "exif")})
PREVIEWS = photos.PreviewsRendered(
    1, "r1", 40, 30, photos.Rendition(4, 3, 99), photos.Rendition(40, 30, 999), "aGk=", "decoded"
)
LABELS = photos.LabelsFound(1, "yolox", "1", (photos.Label("cat", 0.9, (0.0, 0.0, 1.0, 1.0)),))
FAILED = photos.StepFailed(Step.PREVIEWS, "truncated", "This file ends in the middle.", 7, "PoisonError")


def test_new_content_becomes_a_photo_with_its_metadata() -> None:
    assert photos.decide_import(photos.fold([]), IMPORTED, READ) == [IMPORTED, READ]


def test_importing_the_same_file_twice_changes_nothing() -> None:
    assert photos.decide_import(photos.fold([IMPORTED, READ]), IMPORTED, READ) == []


def test_the_same_content_at_another_path_is_one_more_copy_of_the_same_photo() -> None:
    again = photos.PhotoImported(LIBRARY, COPY, "00" * 32, "jpeg", "image", "image/jpeg")
    assert photos.decide_import(photos.fold([IMPORTED, READ]), again, READ) == [photos.FileAdded(COPY)]
    assert photos.photo_id(LIBRARY, "00" * 32) == photos.photo_id(LIBRARY, "00" * 32)
    assert photos.photo_id(uuid4(), "00" * 32) != photos.photo_id(LIBRARY, "00" * 32)


def test_a_file_that_came_back_after_it_was_gone_is_added_again() -> None:
    state = photos.fold([IMPORTED, READ, photos.FileGone(FILE.id, "replaced")])
    assert state.files == {}
    assert photos.decide_import(state, IMPORTED, READ) == [photos.FileAdded(FILE)]


def test_nothing_is_left_of_a_photo_that_was_forgotten_and_its_id_is_never_used_again() -> None:
    state = photos.fold([IMPORTED, READ, PREVIEWS, PhotoForgotten(LIBRARY)])
    assert not state.exists
    assert (state.sha256, state.files, state.done) == ("", {}, {})
    with pytest.raises(photos.OtherContent):
        photos.decide_import(state, IMPORTED, READ)
    moved = photos.FileMoved(FILE.id, COPY)
    named = photos.files_named([IMPORTED, READ, moved, photos.FileMissing(COPY.id, COPY.path)])
    assert [file for file, _, _ in named] == [FILE.id, COPY.id]


def test_a_photo_is_not_forgotten_while_its_file_would_be_found_again() -> None:
    refuse_while_there([])
    with pytest.raises(StillThere, match=r"only reads \(a/b.jpg and 1 more\)"):
        refuse_while_there(["a/copy.jpg", "a/b.jpg"])


def test_a_second_result_of_the_same_step_version_is_no_news() -> None:
    state = photos.fold([IMPORTED, READ, PREVIEWS])
    assert photos.decide_result(state, Step.PREVIEWS, PREVIEWS) == []
    assert photos.decide_result(state, Step.LABELS, LABELS) == [LABELS]


def test_a_photo_is_processed_once_when_every_step_has_a_result() -> None:
    almost = photos.fold([IMPORTED, READ, PREVIEWS])
    assert photos.decide_processed(almost) == []
    done = photos.fold([IMPORTED, READ, PREVIEWS, LABELS])
    follow_up = photos.decide_processed(done)
    assert follow_up == [photos.PhotoProcessed((Step.PREVIEWS, Step.LABELS))]
    assert photos.decide_processed(photos.evolve(done, follow_up[0])) == []


def test_only_a_failed_step_can_be_retried_or_set_aside() -> None:
    fine = photos.fold([IMPORTED, READ])
    for decide in (photos.decide_retry, photos.decide_set_aside):
        with pytest.raises(photos.NothingToRetry):
            decide(fine, Step.PREVIEWS)
    failed = photos.fold([IMPORTED, READ, FAILED])
    assert photos.decide_retry(failed, Step.PREVIEWS) == [photos.StepRetried(Step.PREVIEWS)]
    assert photos.decide_set_aside(failed, Step.PREVIEWS) == [photos.StepSetAside(Step.PREVIEWS)]


def test_a_result_after_a_failure_mends_it() -> None:
    assert photos.fold([IMPORTED, READ, FAILED, PREVIEWS]).failed == frozenset()


@pytest.mark.parametrize("event", [IMPORTED, READ, PREVIEWS, LABELS, FAILED, photos.FileAdded(COPY)])
def test_an_event_survives_its_way_through_json(event: photos.PhotoEvent) -> None:
    name, data = codec.encode(event)
    assert codec.decode(_stored(name, data)) == event


def test_a_payload_with_keys_of_a_later_version_is_still_read() -> None:
    name, data = codec.encode(FAILED)
    assert codec.decode(_stored(name, {**data, "from_the_future": 1})) == FAILED


def _stored(name: str, data: dict[str, object]) -> NewEvent:
    return NewEvent(name, data)
