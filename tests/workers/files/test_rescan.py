"""A rescan finds what is new, moved, edited, gone and back, and tells a disk that is away from deleted files."""

import os
import shutil
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.commands.failures import retry_failure
from core.commands.files import record_moved
from core.commands.libraries import add_folder, add_library, change_ignore_rules, remove_folder, remove_library
from core.commands.photos import take_out
from core.readmodels.failures import Failure
from core.readmodels.files import PhotoFile
from core.readmodels.libraries import Folder, library_by_id
from core.readmodels.photos import Photo
from core.storage import path_to_text, preview_path
from tests.workers.files.conftest import Home, history, jobs, last_position, work
from tests.workers.pipelines.test_pipeline_sidecars import xmp
from workers.imports import import_found
from workers.knownfiles import known_file
from workers.progress import progress
from workers.scan import scan_folders

pytestmark = pytest.mark.django_db

HOSTILE = [
    "日本語/猫の写真.jpg",
    "😀 emoji 🏖.jpg",
    "e\u0301te\u0301.jpg",
    "été.jpg",
    'quote\'s "double" `back`.jpg',
    "line\nbreak.jpg",
    "back\\slash.jpg",
    "trailing .jpg ",
    " leading.jpg",
    "x" * 251 + ".jpg",
    "%41 + &amp; ;$HOME.jpg",
    b"latin-\xe9\xff.jpg",
    b"dir-\xfe/\x80.jpg",
]


def test_every_hostile_name_is_imported_and_an_unchanged_library_writes_nothing(home: Home) -> None:
    for number, name in enumerate(HOSTILE):
        home.put(name, number)
    (home.root / "loop").symlink_to(home.root)
    (home.root / "nowhere.jpg").symlink_to("gone.jpg")
    home.scan()
    texts = {path_to_text(name) for name in HOSTILE}
    assert set(home.photos()) == texts
    assert Photo.objects.exclude(preview_state="ready").count() == 0
    before = jobs("todo"), last_position()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        told = home.scan()
    assert (told["files"], told["queued"], told["missing"]) == (len(HOSTILE), 0, 0)
    assert (jobs("todo"), last_position()) == before
    assert len(asked) < 12


def test_a_renamed_file_and_a_renamed_folder_keep_their_photos_and_their_way_to_the_original(home: Home) -> None:
    home.put("2024/one.jpg", 1)
    home.put("2024/two.jpg", 2)
    home.scan()
    before = home.photos()
    (home.root / "2024").rename(home.root / "Summer")
    (home.root / "Summer/two.jpg").rename(home.root / "three.jpg")
    home.scan()
    assert home.photos() == {"Summer/one.jpg": before["2024/one.jpg"], "three.jpg": before["2024/two.jpg"]}
    photo = Photo.objects.get(path="three.jpg")
    assert (photo.name, photo.missing) == ("three.jpg", False)
    assert "file_moved" in history(photo.id)
    assert home.files() == {"Summer/one.jpg", "three.jpg"}


def test_j16_an_edited_file_is_a_new_version_with_new_previews_under_a_new_address(
    home: Home,
) -> None:
    path = home.put("one.jpg", 1)
    home.scan()
    photo = Photo.objects.get()
    home.put("one.jpg", 2)
    os.utime(path, ns=(1, photo.id.int % 10**9))
    home.scan()
    now = Photo.objects.get()
    assert now.id == photo.id
    assert (now.sha256 != photo.sha256, now.revision != photo.revision) == (True, True)
    assert preview_path(now.id, now.revision, "tile").exists()
    told = [one for one in history(now.id) if one != "looks_found"]
    assert told[3:] == ["content_replaced", "metadata_read", "previews_rendered"]
    # The former content, found again elsewhere, is a photo of its own; in its old place it is a version again.
    home.put("backup.jpg", 1)
    home.scan()
    assert home.photos()["one.jpg"] == str(photo.id) != home.photos()["backup.jpg"]
    (home.root / "backup.jpg").rename(path)
    home.scan()
    again = Photo.objects.get(path="one.jpg", missing=False)
    assert again.sha256 == photo.sha256


def test_the_photo_follows_the_file_it_is_known_by_when_one_of_two_copies_is_edited(home: Home) -> None:
    home.put("a.jpg", 1)
    shutil.copy(home.root / "a.jpg", home.root / "b.jpg")
    home.scan()
    photo = Photo.objects.get()
    home.put("a.jpg", 2)
    home.scan()
    assert home.photos()["a.jpg"] == str(photo.id)
    assert set(home.photos()) == {"a.jpg", "b.jpg"}
    assert Photo.objects.get(path="b.jpg").sha256 == photo.sha256


def test_a_program_that_saves_beside_and_renames_edits_the_photo(home: Home) -> None:
    home.put("a.jpg", 1)
    home.scan()
    photo = Photo.objects.get()
    home.put("a-new.jpg", 2)
    home.scan()
    (home.root / "a-new.jpg").rename(home.root / "a.jpg")
    home.scan()
    assert home.photos() == {"a.jpg": str(photo.id)}
    assert home.missing() == set()


def test_deleted_files_make_their_photos_missing_in_one_batch_and_they_are_back_without_being_read(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        home.put(f"day/{number:02}.jpg", number)
    home.put("kept.jpg", 99)
    home.scan()
    shutil.move(home.root / "day", home.root.parent / "aside")
    assert home.scan()["missing"] == 12
    assert len(home.missing()) == 12
    assert set(home.photos()) == {"kept.jpg"}
    assert Photo.objects.filter(missing=True, missing_since=None).count() == 0
    shutil.move(home.root.parent / "aside", home.root / "day")
    monkeypatch.setattr("workers.imports.read_file", lambda _: pytest.fail("it was read"))
    assert home.scan()["back"] == 12
    assert home.missing() == set()


@pytest.mark.parametrize("away", ["not there", "empty", "another disk"])
def test_j17_a_disk_that_is_away_takes_nothing_along_and_everything_is_back_with_it(home: Home, away: str) -> None:
    home.put("one.jpg", 1)
    home.put("two.jpg", 2)
    home.scan()
    before, events = home.photos(), last_position()
    shutil.move(home.root, home.root.parent / "elsewhere")
    if away != "not there":
        home.root.mkdir()
    if away == "another disk":
        (home.root / "other.jpg").write_bytes(b"")
        Folder.objects.update(device=1)
    assert home.scan()["offline"] == [path_to_text(home.root)]
    assert home.photos() == before
    assert Folder.objects.get().offline_since is not None
    # One event tells of the whole disk.
    assert last_position() - events == 1
    shutil.rmtree(home.root, ignore_errors=True)
    shutil.move(home.root.parent / "elsewhere", home.root)
    assert home.scan()["missing"] == 0
    assert home.photos() == before
    assert Folder.objects.get().offline_since is None


def test_photos_whose_disk_went_away_before_their_preview_was_made_get_it_when_it_is_back(home: Home) -> None:
    home.put("one.jpg", 1)
    scan_folders(library_by_id(home.library))
    import_found(Folder.objects.get(), "one.jpg")
    shutil.move(home.root, home.root.parent / "elsewhere")
    work()
    assert Photo.objects.get().preview_state == "waiting"
    assert jobs("failed") == 0
    shutil.move(home.root.parent / "elsewhere", home.root)
    home.scan()
    assert Photo.objects.get().preview_state == "ready"


def test_photos_that_were_deleted_before_their_preview_was_made_are_nothing_to_go(home: Home) -> None:
    for number in range(3):
        home.put(f"{number}.jpg", number)
    folder = Folder.objects.get()
    for number in range(3):
        import_found(folder, f"{number}.jpg")
    assert progress().photos.waiting == 3
    for number in range(2):
        (home.root / f"{number}.jpg").unlink()
    home.scan()
    counted = progress().photos
    assert (counted.shown, counted.waiting, len(home.missing())) == (1, 0, 2)


def test_two_files_that_swap_their_names_swap_their_photos(home: Home) -> None:
    one, two = home.put("one.jpg", 1), home.put("two.jpg", 2)
    home.scan()
    before = home.photos()
    one.rename(home.root / "aside")
    two.rename(one)
    (home.root / "aside").rename(two)
    home.scan()
    assert home.photos() == {"one.jpg": before["two.jpg"], "two.jpg": before["one.jpg"]}


def test_a_failed_file_that_was_deleted_is_forgotten_when_it_is_tried_again_and_its_job_rests(home: Home) -> None:
    (home.root / "empty.jpg").write_bytes(b"")
    home.put("kept.jpg", 1)
    home.scan()
    failure = Failure.objects.get()
    assert jobs("failed") == 1
    (home.root / "empty.jpg").unlink()
    retry_failure(failure, actor="account:1")
    work()
    assert not Failure.objects.exists()
    assert not PhotoFile.objects.filter(state="failed").exists()
    assert jobs("failed") == 0


def test_a_failed_file_that_was_mended_leaves_no_dead_job(home: Home) -> None:
    path = home.root / "one.jpg"
    path.write_bytes(b"")
    home.scan()
    assert jobs("failed") == 1
    home.put("one.jpg", 1)
    home.scan()
    assert (jobs("failed"), Failure.objects.count(), len(home.photos())) == (0, 0, 1)


def test_a_photo_whose_file_breaks_stays_itself_and_is_edited_when_the_file_is_whole_again(home: Home) -> None:
    path = home.put("one.jpg", 1)
    home.scan()
    photo = Photo.objects.get()
    path.write_bytes(b"")
    home.scan()
    assert Failure.objects.get().path == "one.jpg"
    home.put("one.jpg", 2)
    home.scan()
    assert home.photos() == {"one.jpg": str(photo.id)}
    assert not Failure.objects.exists()


def test_ignore_rules_hold_and_what_they_leave_out_comes_back_when_they_change(home: Home) -> None:
    home.put("keep/one.jpg", 1)
    home.put("@eaDir/thumb.jpg", 2)
    home.put("raw/deep/two.jpg", 3)
    home.scan()
    assert set(home.photos()) == {"keep/one.jpg", "raw/deep/two.jpg"}
    before = home.photos()
    change_ignore_rules(home.library, ["@eaDir/", "raw/deep"], actor="test")
    assert home.scan()["ignored"] == 1
    assert (set(home.photos()), home.missing()) == ({"keep/one.jpg"}, set())
    change_ignore_rules(home.library, [], actor="test")
    home.scan()
    assert set(home.photos()) == {"keep/one.jpg", "raw/deep/two.jpg", "@eaDir/thumb.jpg"}
    assert home.photos()["raw/deep/two.jpg"] == before["raw/deep/two.jpg"]


def test_a_folder_and_a_library_are_taken_out_and_are_back_with_everything(home: Home, tmp_path: Path) -> None:
    home.put("same/name.jpg", 1)
    more = tmp_path / "more"
    more.mkdir()
    add_folder(home.library, more, actor="test")
    shutil.copytree(home.root / "same", more / "same")
    Home(more, home.library).put("same/other.jpg", 2)
    home.scan()
    assert (Photo.objects.count(), PhotoFile.objects.count()) == (2, 3)
    other = home.photos()["same/other.jpg"]
    folder = Folder.objects.exclude(id=home.library).get()
    remove_folder(home.library, folder.id, actor="test")
    assert set(home.photos()) == {"same/name.jpg"}
    add_folder(home.library, more, actor="test")
    home.scan()
    assert home.photos()["same/other.jpg"] == other
    remove_library(home.library, actor="test")
    assert home.photos() == {}
    assert add_library(home.root, actor="test") == home.library
    assert home.photos()["same/other.jpg"] == other


@pytest.mark.parametrize("away", ["renamed", "taken out"])
def test_what_is_no_photo_is_listed_again_when_it_is_back_as_it_was(home: Home, away: str) -> None:
    home.put("kept/one.jpg", 1)
    (home.root / "kept/one.jpg.xmp").write_text(xmp("Lake"))
    (home.root / "kept/notes.txt").write_text("notes")
    home.scan()
    before = home.files()
    assert before == {"kept/one.jpg", "kept/one.jpg.xmp", "kept/notes.txt"}
    if away == "renamed":
        (home.root / "kept").rename(home.root / "elsewhere")
        home.scan()
        (home.root / "elsewhere").rename(home.root / "kept")
    else:
        remove_library(home.library, actor="test")
        add_library(home.root, actor="test")
    home.scan()
    assert home.files() == before
    assert Photo.objects.get().facts["title"]["value"] == "Lake"
    assert home.scan()["queued"] == 0


def test_a_file_that_another_photo_was_said_to_be_is_its_photos_again_once_it_is_looked_at(home: Home) -> None:
    home.put("a.jpg", 1)
    home.put("b.jpg", 2)
    home.scan()
    before = home.photos()
    (home.root / "a.jpg").unlink()
    wrong = known_file(PhotoFile.objects.get(path="a.jpg"))
    record_moved([(wrong, home.library, "b.jpg")], actor="worker:watch")
    home.scan()
    assert home.photos() == {"b.jpg": before["b.jpg"]}
    assert len(home.missing()) == 1 and home.scan()["queued"] == 0


def test_a_missing_photo_can_be_taken_out_and_is_back_as_soon_as_its_file_is_found(home: Home) -> None:
    home.put("kept.jpg", 2)
    path = home.put("one.jpg", 1)
    home.scan()
    photo = Photo.objects.get(path="one.jpg")
    content = path.read_bytes()
    path.unlink()
    home.scan()
    take_out(photo.id, "", actor="account:1")
    assert (home.missing(), set(home.photos())) == (set(), {"kept.jpg"})
    (home.root / "found.jpg").write_bytes(content)
    home.scan()
    assert home.photos()["found.jpg"] == str(photo.id)


def test_everything_is_the_same_after_a_replay(home: Home) -> None:
    for number in range(4):
        home.put(f"{number}.jpg", number)
    home.scan()
    (home.root / "0.jpg").unlink()
    (home.root / "1.jpg").rename(home.root / "one.jpg")
    home.put("2.jpg", 9)
    (home.root / "3.jpg").write_bytes(b"")
    home.scan()
    tables = (Photo, PhotoFile, Failure, Folder)
    before = [list(table.objects.order_by("id").values()) for table in tables]
    call_command("replay", verbosity=0)
    assert [list(table.objects.order_by("id").values()) for table in tables] == before
