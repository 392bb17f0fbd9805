"""What an earlier version made is made again when asked for, and nothing that a person typed meanwhile is lost."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from core.commands.edits import edit_photo
from core.commands.libraries import ask_to_remake
from core.domain import edits
from core.readmodels.analysis import PhotoAnalysis
from core.readmodels.photos import Photo
from core.storage import preview_path, previews_folder
from tests.workers.files.conftest import Home, history, work
from workers import analysing, imports, modelfiles, oldpreviews, tasks
from workers.errors import JobError
from workers.pipelines import versions
from workers.pipelines.analysis import Previews, Seen
from workers.pipelines.looks import looks_in_file

pytestmark = pytest.mark.django_db


def queued(*tasks: str) -> list[int]:
    """The priorities of the waiting jobs of these tasks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT priority FROM procrastinate_jobs WHERE status = 'todo' AND task_name = ANY(%s) ORDER BY id",
            [list(tasks)],
        )
        return [row[0] for row in cursor.fetchall()]


def told(photo: UUID) -> list[str]:
    """The events of a photo that are about what is known of it."""
    return [one for one in history(photo) if one in ("metadata_read", "dated", "content_replaced")]


def analyses() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'labels'")
        return int(cursor.fetchone()[0])


@pytest.fixture
def upgrade(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Another version is installed, in which pictures, or the reading of facts, are better."""

    def act(*, pictures: bool = False, facts: bool = False) -> None:
        if pictures:
            newer = versions.PREVIEWS_VERSION + 1
            monkeypatch.setattr("workers.rendering.PREVIEWS_VERSION", newer)
            monkeypatch.setattr("workers.remaking.PREVIEWS_VERSION", newer)
        if facts:
            newer = imports.METADATA_VERSION + 1
            monkeypatch.setattr(imports, "METADATA_VERSION", newer)
            monkeypatch.setattr("workers.remaking.METADATA_VERSION", newer)

    return act


def test_older_previews_and_facts_are_made_again_behind_all_else_and_only_when_asked(
    home: Home, upgrade: Any, admin_client: Client
) -> None:
    for number in range(3):
        home.put(f"{number}.jpg", number)
    home.scan()
    before = {photo.id: photo.revision for photo in Photo.objects.all()}
    Photo.objects.update(processed_at="2024-01-01T00:00:00Z")
    some = next(iter(before))
    edit_photo(some, [edits.PhotoTitled("Lake"), edits.PhotoDated("2001-02-03T04:05:06")], actor="account:1")
    upgrade(pictures=True, facts=True)
    home.put("new.jpg", 9)
    home.scan()
    looked_at = analyses()
    assert {one.id: one.revision for one in Photo.objects.filter(id__in=before)} == before, "never by itself"
    admin_client.post(f"/libraries/{home.library}/remake/")
    ask_to_remake(home.library, actor="account:1")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE task_name = 'scan_library'")
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'remake_library'")
        assert cursor.fetchone()[0] == 2
    call_command("remake", verbosity=0)
    assert queued("remake_photo") == [-50, -50, -50]
    work()
    after = {photo.id: photo.revision for photo in Photo.objects.filter(id__in=before)}
    assert set(after) == set(before) and not set(after.values()) & set(before.values())
    assert all(preview_path(one, revision, "tile").exists() for one, revision in after.items())
    assert history(some).count("metadata_read") == 2
    photo = Photo.objects.get(id=some)
    assert (photo.facts["title"]["value"], photo.taken_local.year) == ("Lake", 2001)
    assert analyses() == looked_at, "what is in a picture stays, whoever drew it"
    call_command("remake", verbosity=0)
    assert queued("remake_photo") == []


def test_previews_that_are_gone_are_made_again_when_asked_for(home: Home) -> None:
    for number in range(2):
        home.put(f"{number}.jpg", number)
    home.scan()
    photo = Photo.objects.get(path="0.jpg")
    preview_path(photo.id, photo.revision, "large").unlink()
    call_command("remake", verbosity=0)
    assert len(queued("remake_photo")) == 1
    work()
    assert files_of(photo) == {f"{photo.revision}-tile.webp", f"{photo.revision}-large.webp"}
    call_command("remake", verbosity=0)
    assert queued("remake_photo") == []


def unlink(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20])


@pytest.mark.parametrize(("name", "harm"), [("tile", unlink), ("large", unlink), ("tile", cut)])
def test_who_looks_at_previews_that_are_gone_or_spoilt_makes_them_again_first(
    home: Home, monkeypatch: pytest.MonkeyPatch, name: str, harm: Callable[[Path], None]
) -> None:
    home.put("one.jpg", 1)
    home.scan()
    photo = Photo.objects.get()
    preview = preview_path(photo.id, photo.revision, name)

    def look(_lane: str, _look_at: object, previews: Previews, *_: object, **__: object) -> Seen:
        assert previews.large.is_file() and looks_in_file(previews.tile)
        return Seen(similar=[0.5] * 1024)

    monkeypatch.setattr(modelfiles, "find", lambda model: {"one": home.root} if "v1" in model else None)
    monkeypatch.setattr(analysing, "run_in_child", look)
    harm(preview)
    assert "similar done" in analysing.analyse(photo.id)
    assert PhotoAnalysis.objects.get(photo_id=photo.id).made.keys() == {"similar"}
    harm(preview)
    assert "colours" in tasks.find_looks(str(photo.id))
    assert looks_in_file(preview_path(photo.id, photo.revision, "tile"))
    assert history(photo.id).count("previews_rendered") == 1, "the same previews are no news"
    harm(preview)
    home.root.joinpath("one.jpg").unlink()
    with pytest.raises(JobError, match="its original is not there"):
        tasks.find_looks(str(photo.id))


def test_former_previews_go_once_newer_ones_have_stood_for_a_day_and_never_what_a_row_names(
    home: Home, upgrade: Any, admin_client: Client
) -> None:
    for number in range(4):
        home.put(f"{number}.jpg", number)
    home.scan()
    first = {photo.path: photo for photo in Photo.objects.all()}
    edited, waiting, lost = first["1.jpg"], first["2.jpg"], first["3.jpg"]
    face = preview_path(edited.id, edited.revision, "face-1")
    face.write_bytes(b"cut out")
    home.put("1.jpg", 11)
    home.scan()
    upgrade(pictures=True)
    call_command("remake", verbosity=0)
    work()
    age(seconds=3600)
    assert oldpreviews.clear() == 0
    for photo in first.values():
        tile = f"/photos/{photo.id}/tile/{photo.revision}.webp"
        assert admin_client.get(tile).status_code == 200, "a page that was loaded before is whole"
    age(seconds=2 * 86_400)
    # One is edited and has the new version's row, but not its previews; another's new previews are not on disk.
    Photo.objects.filter(id=waiting.id).update(sha256="e" * 64, revision=waiting.revision)
    made = files_of(waiting)
    preview_path(lost.id, Photo.objects.get(id=lost.id).revision, "tile").unlink()
    unknown = preview_path(uuid4(), lost.revision, "tile")
    for path in (unknown, unknown.with_name("e" * 12 + "-1-tile.webp")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"of a photo without a row")
    age(seconds=2 * 86_400)
    assert oldpreviews.clear(seconds=-1) + worked_off() == 2 + 5 + 2
    for photo in Photo.objects.exclude(id=lost.id):
        assert {name.partition("-face")[0] for name in files_of(photo)} == {
            f"{photo.revision}-tile.webp",
            f"{photo.revision}-large.webp",
        }
    assert files_of(waiting) < made and len(files_of(lost)) == 3
    assert unknown.exists() and not face.exists()


def age(seconds: float) -> None:
    """Let every preview have been made so long ago."""
    for path in previews_folder().rglob("*.webp"):
        os.utime(path, (time.time() - seconds,) * 2)


def files_of(photo: Photo) -> set[str]:
    return {path.name for path in preview_path(photo.id, photo.revision, "tile").parent.iterdir()}


def worked_off() -> int:
    """Work off the slices that are left; how many files went."""
    gone = 0
    while queued(oldpreviews.TASK):
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE procrastinate_jobs SET status = 'succeeded' WHERE status = 'todo' AND task_name = %s"
                " RETURNING args->>'after'",
                [oldpreviews.TASK],
            )
            gone += oldpreviews.clear(cursor.fetchone()[0], seconds=-1)
    return gone


def test_j22_a_date_typed_while_the_metadata_is_read_stays(
    home: Home, upgrade: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home.put("one.jpg", 1)
    home.scan()
    photo = Photo.objects.get().id
    run, typed = imports.run_in_child, iter(("1999-09-09T09:09:09", "1998-08-08T08:08:08"))

    def type_meanwhile(lane: str, function: Any, *given: Any, **limits: Any) -> Any:
        done = run(lane, function, *given, **limits)
        edit_photo(photo, [edits.PhotoDated(next(typed))], actor="account:1")
        return done

    monkeypatch.setattr(imports, "run_in_child", type_meanwhile)
    # The file is edited, and read again; then another version of Filmroll reads it once more.
    home.put("one.jpg", 2)
    os.utime(path, ns=(1, 1_000_000_000))
    home.scan()
    assert told(photo) == ["metadata_read", "dated", "content_replaced", "metadata_read"]
    assert (Photo.objects.get().taken_local.year, Photo.objects.get().taken_source) == (1999, "user")
    upgrade(facts=True)
    call_command("remake", verbosity=0)
    work()
    assert told(photo)[4:] == ["dated", "metadata_read"]
    assert (Photo.objects.get().taken_local.year, Photo.objects.get().taken_source) == (1998, "user")
