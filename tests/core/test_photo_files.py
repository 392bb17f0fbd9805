"""The files of a photo: found, moved, missing, back, edited; and the folders of a library."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from core.domain import codec, libraries, photos
from core.domain.files import FileVanished, file_id
from events.event import NewEvent

LIBRARY = UUID(int=1)
OLD, NEW = "00" * 32, "11" * 32


def at(path: str, size: int = 10) -> photos.OriginalFile:
    return photos.OriginalFile(file_id(LIBRARY, path), path, size, 20)


def found(path: str, sha256: str = OLD, size: int = 10) -> photos.PhotoImported:
    return photos.PhotoImported(LIBRARY, at(path, size), sha256, "jpeg", "image", "image/jpeg")


A, B = at("a.jpg"), at("b.jpg")
IMPORTED, READ = found("a.jpg"), photos.MetadataRead(1, {})


def test_content_found_elsewhere_is_a_moved_file_when_the_old_one_is_gone_and_a_copy_when_it_is_there() -> None:
    state = photos.fold([IMPORTED, READ])
    assert photos.decide_import(state, found("b.jpg"), READ, frozenset({A.id})) == [photos.FileMoved(A.id, B)]
    assert photos.decide_import(state, found("b.jpg"), READ) == [photos.FileAdded(B)]


def test_a_moved_file_keeps_its_place_among_the_files_of_its_photo() -> None:
    state = photos.fold([IMPORTED, READ, photos.FileAdded(B), photos.FileMoved(A.id, at("c.jpg"))])
    assert [file.path for file in state.there] == ["c.jpg", "b.jpg"]


def test_a_file_that_was_missing_and_is_found_again_is_back() -> None:
    gone = photos.fold([IMPORTED, READ, photos.FileMissing(A.id, "a.jpg")])
    assert (gone.there, list(gone.files)) == ([], [A.id])
    assert photos.decide_import(gone, IMPORTED, READ) == [photos.FileBack(A)]
    assert photos.evolve(gone, photos.FileBack(A)).there == [A]


def test_an_edited_file_is_a_new_version_of_the_same_photo() -> None:
    state = photos.fold([IMPORTED, READ])
    edited = found("a.jpg", NEW, 12)
    replaced, read = photos.decide_replaced(state, edited, READ)
    assert replaced == photos.ContentReplaced(
        edited.file, NEW, "jpeg", "image", "image/jpeg", previous=OLD, copies=()
    )
    after = photos.fold([IMPORTED, READ, replaced, read])
    assert (after.sha256, after.edition, after.done) == (NEW, 1, {})
    assert photos.decide_replaced(after, edited, READ) == []


def test_the_photo_follows_the_file_it_is_known_by_and_its_copies_are_read_again() -> None:
    state = photos.fold([IMPORTED, READ, photos.FileAdded(B)])
    [replaced, _] = photos.decide_replaced(state, found("a.jpg", NEW), READ)
    assert isinstance(replaced, photos.ContentReplaced)
    assert replaced.copies == (B,)
    assert photos.decide_replaced(state, found("b.jpg", NEW), READ) == [photos.FileGone(B.id, "replaced")]


def test_old_content_that_turns_up_elsewhere_begins_a_photo_of_its_own() -> None:
    edited = photos.fold([IMPORTED, READ, photos.ContentReplaced(A, NEW, "jpeg", "image", "image/jpeg")])
    with pytest.raises(photos.OtherContent):
        photos.decide_import(edited, found("backup.jpg"), READ)
    assert photos.photo_id(LIBRARY, OLD, 1) != photos.photo_id(LIBRARY, OLD)


def test_a_result_for_a_new_version_has_an_id_of_its_own() -> None:
    photo = uuid4()
    assert photos.result_id(photo, "previews", 1, 1) != photos.result_id(photo, "previews", 1)
    assert photos.result_id(photo, "previews", 1, 0) == photos.result_id(photo, "previews", 1)


def test_only_a_photo_without_any_original_is_taken_out() -> None:
    state = photos.fold([IMPORTED, READ])
    with pytest.raises(photos.NotMissing):
        photos.decide_taken_out(state, "")
    missing = photos.evolve(state, photos.FileMissing(A.id, A.path))
    assert photos.decide_taken_out(missing, "unwanted") == [photos.TakenOut("unwanted")]
    out = photos.evolve(missing, photos.TakenOut("unwanted"))
    assert photos.decide_import(out, IMPORTED, READ) == [photos.FileBack(A)]


def test_a_folder_inside_another_is_refused_and_the_last_one_stays() -> None:
    library = libraries.fold(LIBRARY, [libraries.LibraryAdded("Home", "/photos")])
    for overlapping in ("/photos/2024", "/"):
        with pytest.raises(libraries.FolderTaken):
            libraries.decide_folder(LIBRARY, library, overlapping)
    [added] = libraries.decide_folder(LIBRARY, library, "/photos2")
    assert isinstance(added, libraries.FolderAdded)
    assert libraries.decide_folder(LIBRARY, library, "/photos") == []
    with pytest.raises(libraries.LastFolder):
        libraries.decide_removal(library, LIBRARY)
    assert libraries.decide_removal(libraries.evolve(LIBRARY, library, added), LIBRARY) == [
        libraries.FolderRemoved(LIBRARY)
    ]


def test_what_was_seen_of_a_folder_is_news_once() -> None:
    library = libraries.fold(LIBRARY, [libraries.LibraryAdded("Home", "/photos")])
    there, away = libraries.FolderOnline(LIBRARY, 5), libraries.FolderOffline(LIBRARY, "empty", "It is empty.")
    assert libraries.decide_health(library, there)
    library = libraries.evolve(LIBRARY, library, there)
    assert not libraries.decide_health(library, there)
    assert libraries.decide_health(library, away)
    library = libraries.evolve(LIBRARY, library, away)
    assert not libraries.decide_health(library, away)
    assert libraries.decide_health(library, replace(there, back=True))
    assert not libraries.decide_health(library, replace(away, folder=uuid4()))


@pytest.mark.parametrize(
    "event",
    [
        photos.FileMoved(A.id, replace(B, folder=UUID(int=7))),
        photos.ContentReplaced(A, NEW, "jpeg", "image", "image/jpeg", copies=(B,)),
        libraries.IgnoreRulesChanged(("*.tmp", "@eaDir/")),
        FileVanished(LIBRARY, "a.jpg"),
    ],
)
def test_an_event_survives_its_way_through_json(event: codec.DomainEvent) -> None:
    name, data = codec.encode(event)
    assert codec.decode(NewEvent(name, data)) == event
