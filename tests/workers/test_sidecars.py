"""Sidecars: found in any order, written atomically, and never news twice."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from PIL import Image

from core.commands import edits as edit_commands
from core.commands.files import record_missing
from core.commands.libraries import add_library, switch_sidecars
from core.commands.sidecars import ask_for_sidecar
from core.domain import edits
from core.readmodels.files import PhotoFile
from core.readmodels.libraries import Folder, folder_by_id
from core.readmodels.photos import Photo
from core.readmodels.sidecars import Sidecar
from core.storage import path_to_text
from events.reading import read_stream
from tests.workers.pipelines.test_pipeline_sidecars import GOOGLE, xmp
from workers import halfmade, imports, sidecars, sidecarwriting, tasks
from workers.errors import PoisonError
from workers.imports import import_found
from workers.knownfiles import known_file
from workers.pipelines.files import KINDS
from workers.pipelines.sidecars import SidecarContent, read_sidecar
from workers.pipelines.xmp import read_xmp
from workers.pipelines.xmpwriting import merge_xmp


def _here(_lane: str, function: Callable[..., Any], *given: Any, seconds: float, memory_mib: int) -> Any:
    return function(*given)


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipelines in this process: what is tested here is not the children."""
    for module in (imports, sidecars, sidecarwriting):
        monkeypatch.setattr(module, "run_in_child", _here)


@pytest.fixture
def folder(tmp_path: Path, db: None, inside: None) -> Folder:
    root = tmp_path / "photos"
    root.mkdir()
    return folder_by_id(add_library(root, actor="cli"))


def found(folder: Folder, name: str, content: str | None = None) -> str:
    """Put a file into the folder and import it, with every job about sidecars that follows."""
    path = folder.place / name
    if content is None:
        shade = sum(name.encode()) % 255
        Image.new("RGB", (16, 16), (shade, 0, 99)).save(path, "JPEG")
    else:
        path.write_text(content)
    outcome = import_found(folder, name)
    settle()
    return outcome


def settle() -> None:
    """Work off the jobs about sidecars, as a worker does."""
    names = ["import_file", "forget_sidecar", "attach_sidecars", "write_sidecar"]
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE procrastinate_jobs SET status = 'cancelled' WHERE id IN (SELECT id FROM procrastinate_jobs"
                " WHERE status = 'todo' AND task_name = ANY(%s) LIMIT 1) RETURNING task_name, args",
                [names],
            )
            row = cursor.fetchone()
        if row is None:
            return
        getattr(tasks, row[0])(**(json.loads(row[1]) if isinstance(row[1], str) else row[1]))


def only() -> Photo:
    return Photo.objects.get()


def title() -> tuple[str, str] | None:
    fact = only().facts.get("title")
    return (fact["value"], fact["source"]) if fact else None


def events_of(photo: UUID, type_: str) -> int:
    return sum(event.type == type_ for event in read_stream(f"photo-{photo}"))


def lose(folder: Folder, name: str) -> None:
    (folder.place / name).unlink()
    record_missing([known_file(PhotoFile.objects.get(path=name))], actor="worker:scan")
    settle()


@pytest.mark.parametrize("order", [("IMG_1.jpg", "IMG_1.jpg.xmp"), ("IMG_1.jpg.xmp", "IMG_1.jpg")])
def test_a_sidecar_and_its_picture_find_each_other_in_either_order(folder: Folder, order: tuple[str, str]) -> None:
    for name in order:
        found(folder, name, xmp() if name.endswith("xmp") else None)
    assert title() == ("beside", "sidecar")
    assert only().rating == 3
    assert events_of(only().id, "photo.sidecar_read") == 1


def test_a_changed_sidecar_counts_anew_and_an_unchanged_one_is_no_news(folder: Folder) -> None:
    found(folder, "IMG_1.jpg")
    found(folder, "IMG_1.xmp", xmp("first"))
    found(folder, "IMG_1.xmp", xmp("second"))
    assert title() == ("second", "sidecar")
    import_found(folder, "IMG_1.xmp")
    assert events_of(only().id, "photo.sidecar_read") == 2


def test_a_sidecar_that_is_gone_counts_no_longer(folder: Folder) -> None:
    found(folder, "IMG_1.jpg")
    found(folder, "IMG_1.xmp", xmp())
    lose(folder, "IMG_1.xmp")
    assert title() is None
    assert not Sidecar.objects.exists()


def test_the_more_special_sidecar_counts_more_and_xmp_more_than_google(folder: Folder) -> None:
    found(folder, "IMG_1.jpg")
    found(folder, "IMG_1.jpg.json", json.dumps(GOOGLE))
    found(folder, "IMG_1.xmp", xmp("general"))
    found(folder, "IMG_1.jpg.xmp", xmp("special"))
    facts = only().facts
    assert facts["title"] == {
        "value": "special",
        "source": "sidecar",
        "also": [{"value": "general", "source": "sidecar"}],
    }
    assert (facts["caption"]["source"], facts["people"]["value"]) == ("takeout", ["Ada", "Grace"])
    assert only().favourite


def test_an_aae_is_tied_to_its_photo_and_an_albums_notes_to_none(folder: Folder) -> None:
    found(folder, "IMG_1.jpg")
    found(folder, "IMG_1.AAE", "<?xml version='1.0'?><!DOCTYPE plist><plist version='1.0'><dict/></plist>")
    found(folder, "metadata.json", json.dumps({"title": "Summer", "access": "protected", "date": {}}))
    assert [(row.source, row.photo_id) for row in Sidecar.objects.all()] == [("aae", only().id)]
    listed = {row.path: row.reason for row in PhotoFile.objects.filter(state="skipped")}
    assert "Apple's list of edits" in listed["IMG_1.AAE"]
    assert "on an album" in listed["metadata.json"]


def test_a_refused_sidecar_costs_the_picture_nothing(folder: Folder) -> None:
    found(folder, "IMG_1.jpg")
    before = only().facts
    with pytest.raises(PoisonError):
        found(folder, "IMG_1.xmp", "no xml")
    assert only().facts == before


def test_the_pair_of_raw_and_jpeg_shares_no_sidecar(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    found(folder, "IMG_1.jpg")
    found(folder, "IMG_1.nef.jpg")
    PhotoFile.objects.filter(path="IMG_1.nef.jpg").update(id=sidecars.file_id(folder.id, "IMG_1.NEF"), kind="nef")
    found(folder, "IMG_1.xmp", xmp())
    [row] = Sidecar.objects.all()
    assert row.photo_id == PhotoFile.objects.get(kind="nef").photo_id


# --- writing ------------------------------------------------------------------------------------------------

CHANGES: list[edits.Edit] = [
    edits.PhotoRated(4),
    edits.PhotoTitled("Lake & <sea>"),
    edits.PhotoCaptioned("At\nnoon"),
    edits.KeywordsChanged(("water", "été")),
    edits.PhotoPlaced(-48.858370, 2.294480, -12.5),
    edits.PhotoDated("2001-02-03T04:05:06", "+05:45"),
]


def written(folder: Folder, name: str) -> dict[str, list[str]]:
    return dict(read_xmp((folder.place / name).read_bytes()))


def test_a_sidecar_is_written_when_asked_for_and_is_no_news_when_found(folder: Folder) -> None:
    found(folder, "IMG_1.jpg")
    edit_commands.edit_photo(only().id, CHANGES, actor="cli")
    settle()
    assert not (folder.place / "IMG_1.jpg.xmp").exists(), "nothing is written unless somebody wants it"
    ask_for_sidecar(only().id, actor="cli")
    settle()
    assert written(folder, "IMG_1.jpg.xmp")["dc:title"] == ["Lake & <sea>"]
    before = len(read_stream(f"photo-{only().id}"))
    import_found(folder, "IMG_1.jpg.xmp")
    assert len(read_stream(f"photo-{only().id}")) == before
    assert sorted(path.name for path in folder.place.iterdir()) == ["IMG_1.jpg", "IMG_1.jpg.xmp"]


@pytest.mark.parametrize("name", ["no ending", "wrong.txt", "trailing.jpg "])
def test_the_sidecar_of_a_picture_that_is_called_otherwise_stays_its_own(folder: Folder, name: str) -> None:
    Image.new("RGB", (16, 16)).save(folder.place / name, "JPEG")
    import_found(folder, name)
    edit_commands.edit_photo(only().id, CHANGES, actor="cli")
    ask_for_sidecar(only().id, actor="cli")
    settle()
    import_found(folder, f"{name}.xmp")
    assert [row.path for row in Sidecar.objects.all()] == [f"{name}.xmp"]
    assert events_of(only().id, "photo.sidecar_gone") == 0


def test_with_the_switch_on_every_change_is_written(folder: Folder) -> None:
    found(folder, "IMG_1.jpg")
    switch_sidecars(folder.library_id, on=True, actor="cli")
    edit_commands.edit_photo(only().id, [edits.PhotoRated(2)], actor="cli")
    settle()
    assert written(folder, "IMG_1.jpg.xmp")["xmp:Rating"] == ["2"]
    edit_commands.edit_photo(only().id, [edits.PhotoRated(5)], actor="cli")
    settle()
    assert written(folder, "IMG_1.jpg.xmp")["xmp:Rating"] == ["5"]
    assert events_of(only().id, "photo.sidecar_read") == 0


def test_what_is_in_a_sidecar_already_stays(folder: Folder) -> None:
    found(folder, "IMG_1.jpg")
    found(folder, "IMG_1.xmp", xmp("old"))
    edit_commands.edit_photo(only().id, [edits.PhotoTitled("new")], actor="cli")
    ask_for_sidecar(only().id, actor="cli")
    settle()
    text = (folder.place / "IMG_1.xmp").read_text()
    assert 'crs:Exposure2012="+0.35"' in text
    assert "new" in text and "old" not in text
    assert not (folder.place / "IMG_1.jpg.xmp").exists()
    assert only().facts["title"] == {"value": "new", "source": "user"}


def test_a_sidecar_that_cannot_be_read_is_not_thrown_away(folder: Folder) -> None:
    found(folder, "IMG_1.jpg")
    (folder.place / "IMG_1.jpg.xmp").write_text("my notes")
    ask_for_sidecar(only().id, actor="cli")
    settle()
    assert (folder.place / "IMG_1.jpg.xmp").read_text() == "my notes"
    assert events_of(only().id, "photo.sidecar_not_written") == 1


def test_a_folder_that_can_only_be_read_is_told_in_the_history_and_nothing_else(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(folder, "IMG_1.jpg")

    def refuse(*given: object, **named: object) -> None:
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr(halfmade.tempfile, "mkstemp", refuse)
    ask_for_sidecar(only().id, actor="cli")
    settle()
    [told] = [e for e in read_stream(f"photo-{only().id}") if e.type == "photo.sidecar_not_written"]
    assert "can only be read" in told.data["reason"]
    assert [path.name for path in folder.place.iterdir()] == ["IMG_1.jpg"]


@pytest.mark.parametrize(
    ("name", "there"),
    [
        (b"x" * 251 + b".jpg", "no name is left"),
        (b"\xff" * 251 + b".jpg", "no name is left"),
        (b"\xff" * 240 + b".jpg", ""),
        (b"pipe.jpg", "that is no file"),
        (b"folder.jpg", "that is no file"),
        (b"loop.jpg", "in a circle"),
    ],
)
def test_where_no_sidecar_can_lie_the_history_says_why_and_the_job_is_done(
    folder: Folder, name: bytes, there: str
) -> None:
    place = folder.place / os.fsdecode(name)
    beside = Path(f"{place}.xmp")
    Image.new("RGB", (16, 16)).save(folder.place / "plain", "JPEG")
    (folder.place / "plain").rename(place)
    import_found(folder, path_to_text(name))
    match name:
        case b"pipe.jpg":
            os.mkfifo(beside)
        case b"folder.jpg":
            beside.mkdir()
        case b"loop.jpg":
            beside.symlink_to(beside.name)
    ask_for_sidecar(only().id, actor="cli")
    settle()
    told = [e.data["reason"] for e in read_stream(f"photo-{only().id}") if e.type == "photo.sidecar_not_written"]
    assert [there in reason for reason in told] == ([True] if there else [])
    assert there or beside.read_bytes()


def test_a_raw_file_has_its_sidecar_though_the_longer_of_its_names_does_not_fit(folder: Folder) -> None:
    folder_of = {"folder_id": folder.id, "name": "", "media": "raw"}
    assert (
        sidecarwriting.sidecar_path(Photo(id=uuid4(), path="x" * 251 + ".NEF", **folder_of)) == "x" * 251 + ".xmp"
    )


def test_a_failure_after_the_event_leaves_neither_event_nor_half_a_file(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(folder, "IMG_1.jpg")

    def fail(*given: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(sidecarwriting, "put_in_place", fail)
    with pytest.raises(OSError, match="No space"):
        sidecarwriting.write_sidecar(only())
    assert events_of(only().id, "photo.sidecar_written") == 0
    assert [path.name for path in folder.place.iterdir()] == ["IMG_1.jpg"]


@pytest.mark.django_db
def test_photos_hear_of_a_sidecar_in_one_order_so_that_two_sidecars_of_them_do_not_wait_in_a_circle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photos = [uuid4() for _ in range(8)]
    told: list[UUID] = []
    monkeypatch.setattr(sidecars, "_photos_of", lambda *_: photos)
    monkeypatch.setattr("core.commands.sidecars.record_sidecar", lambda photo, *_, **__: told.append(photo))
    content = SidecarContent("sidecar")
    sidecars.attach(Folder(id=uuid4(), library_id=uuid4(), root="/photos"), "IMG_1.xmp", "0" * 64, content)
    assert told == sorted(photos)


def test_a_guessed_date_is_not_written(folder: Folder) -> None:
    found(folder, "IMG_20240501_123456.jpg")
    edit_commands.edit_photo(only().id, [edits.PhotoRated(1)], actor="cli")
    ask_for_sidecar(only().id, actor="cli")
    settle()
    assert "exif:DateTimeOriginal" not in written(folder, "IMG_20240501_123456.jpg.xmp")


FACTS = {
    "rating": 4,
    "title": "Lake & <sea>",
    "caption": "At\nnoon",
    "keywords": ["water", "été"],
    "keyword_paths": ["places|water"],
    "latitude": -48.85837,
    "longitude": 2.29448,
    "altitude": -12.5,
    "taken_at": "2001-02-03T04:05:06.25",
    "taken_offset": "+05:45",
}


def test_written_facts_are_read_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "a.xmp"
    path.write_bytes(merge_xmp(None, FACTS))
    back = read_sidecar(path, KINDS["xmp"]).facts
    assert {**back, "taken_at": back["taken_at"][:22]} == FACTS
    assert merge_xmp(path.read_bytes(), FACTS) == path.read_bytes()


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize("before", [None, xmp().encode()])
def test_another_program_reads_what_was_written(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "a.xmp"
    path.write_bytes(merge_xmp(before, FACTS))
    command = ["exiftool", "-j", "-n", "-api", "MissingTagValue=", str(path)]
    [said] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    expected = {
        "Rating": 4,
        "Title": "Lake & <sea>",
        "Description": "At\nnoon",
        "Subject": ["water", "été"],
        "HierarchicalSubject": "places|water",
        "GPSLatitude": -48.85837,
        "GPSLongitude": 2.29448,
        "GPSAltitude": -12.5,
        "DateTimeOriginal": "2001:02:03 04:05:06.250+05:45",
        "CreateDate": "2001:02:03 04:05:06.250+05:45",
        "DateCreated": "2001:02:03 04:05:06.250+05:45",
    }
    assert {
        name: pytest.approx(said[name]) if isinstance(value, float) else said[name]
        for name, value in expected.items()
    } == expected
    assert "Warning" not in said


def test_a_position_never_has_sixty_minutes() -> None:
    merged = merge_xmp(None, {"latitude": 47.99999999999, "longitude": -0.0000001})
    assert b"48,0.000000N" in merged
    assert b"0,0.000006W" in merged
