"""Forgetting a photo: nothing of it is left anywhere, everything else is as before, and only its owner may."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from core import codes, groups, meaning, nearby, receiving, vectors
from core.accounts import Account
from core.commands import albums
from core.commands import duplicates as duplicate_commands
from core.commands import files as file_commands
from core.commands import people as people_commands
from core.commands import photos as photo_commands
from core.commands import stacks as stack_commands
from core.commands.analysis import Numbers, record_seen
from core.commands.edits import edit_photo, version_of
from core.commands.log import photo_events
from core.commands.places import record_place
from core.commands.sidecars import record_sidecar
from core.domain import edits, photos
from core.domain.analysis import MeaningMade, VectorMade
from core.domain.photos import PhotoNotFound
from core.domain.places import PlaceFound
from core.domain.sidecars import SidecarRead
from core.domain.stacks import StackRule
from core.domain.uploads import Announced
from core.readmodels.faces import Face
from core.readmodels.files import files_of_photo
from core.readmodels.libraries import folder_by_id, lies_at
from core.readmodels.photos import Photo
from core.readmodels.places import places_waiting
from core.readmodels.uploads import UploadedFile
from core.storage import original_path, preview_path, previews_of
from events.erasure import erase
from events.replay import read_models, replay
from events.verify import verify_seals, verify_streams
from tests.web.conftest import Shelf, jpeg
from tests.web.peopling import find_faces, numbers_of, person_of
from workers import forgetting, tasks
from workers.imports import import_found
from workers.knownfiles import known_file
from workers.queue import NewJob, defer_batch
from workers.sidecarwriting import write_sidecar

pytestmark = pytest.mark.django_db
# Words that are nowhere else.
TITLE, KEYWORD, CAPTION, NAME = "Grandmama swims", "gooseberries", "A jolly day", "zebedee.jpg"
SIDECAR = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt>
<rdf:li xml:lang="x-default">{TITLE}</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"""


def forget_at(client: Client, photo: UUID) -> Any:
    return client.post(f"/photos/{photo}/forget/")


def lose_file(photo: UUID) -> None:
    """Its original is deleted by hand, and a scan has seen that."""
    [file] = files_of_photo(photo)
    lies_at(file.folder_id, file.path).unlink(missing_ok=True)
    file_commands.record_missing([known_file(file)], actor="worker:scan")


def carry_out() -> None:
    """The jobs of forgetting that wait, one after the other, as a worker would run them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, args::text FROM procrastinate_jobs WHERE task_name = %s AND status = 'todo' ORDER BY id",
            [forgetting.TASK],
        )
        for job, text in cursor.fetchall():
            context = SimpleNamespace(job=SimpleNamespace(id=job))
            tasks.clear_forgotten(context, **json.loads(text))
            # Killed at its very end it comes again, without its arguments.
            cursor.execute("SELECT args::text FROM procrastinate_jobs WHERE id = %s", [job])
            assert tasks.clear_forgotten(context, **json.loads(cursor.fetchone()[0])) is False
            cursor.execute("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = %s", [job])


def everything_said() -> Iterator[tuple[str, str]]:
    """Every table with all its rows as text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(table_name) FROM information_schema.tables"
            " WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT string_agg(t::text, chr(10)) FROM {table} AS t")
            yield table, cursor.fetchone()[0] or ""


def found_of(*words: str) -> list[str]:
    told = [f"{table}: {word}" for table, text in everything_said() for word in words if word in text]
    for path in Path(settings.DATA_DIR).rglob("*"):
        told += [f"{path}: {word}" for word in words if word in str(path)]
        if path.is_file():
            content = path.read_bytes()
            told += [f"in {path}: {word}" for word in words if word.encode() in content]
    return told


def rows() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all read models."""
    found = {}
    with connection.cursor() as cursor:
        for module in read_models().values():
            for table in module.TABLES:
                cursor.execute(f"SELECT t::text FROM {table._meta.db_table} AS t ORDER BY 1")
                found[table._meta.db_table] = cursor.fetchall()
    return found


@pytest.fixture
def known(shelf: Shelf) -> UUID:
    """A photo of which much is known, among others that go on."""
    assert vectors.make_tables() and codes.make_table() and meaning.make_tables() and groups.make_table()
    alike = "0123456789abcdef" * 3
    photo = shelf.photo(NAME, likeness=alike, camera_model="Zorki 4", keywords=["holiday", KEYWORD])
    other = shelf.photo("other.jpg", likeness=alike, keywords=["holiday"])
    third = shelf.photo("third.jpg", likeness=alike)
    actor = shelf.owner.actor
    edit_photo(photo, [edits.PhotoTitled(TITLE), edits.PhotoPlaced(50.0, 8.0), edits.PhotoRated(5)], actor=actor)
    asked = places_waiting([photo])[0].asked
    place = ("Ruritania", "Strelsau", "Zenda", "RU", False, "Europe/Zenda", "map", "1")
    record_place(photo, PlaceFound(50.0, 8.0, *place), asked=asked, actor="worker:places")
    beside = SidecarRead(uuid4(), f"{NAME}.xmp", "sidecar", "00", {"caption": {"value": CAPTION}})
    record_sidecar(photo, beside, actor="worker:sidecars")
    shelf.label(photo, photos.Label("zeppelin", 0.9, (0.1, 0.1, 0.2, 0.2)))
    shelf.fail(photo, "labels", f"Cannot look at {NAME}.")
    faces = [find_faces(one, numbers_of("Olga", at))[0] for at, one in enumerate([photo, other, third])]
    people_commands.name_person(person_of(faces[0]) or uuid4(), "Olga", actor=actor)
    for one in (photo, other):
        sha256 = Photo.objects.get(id=one).sha256
        made = [VectorMade(sha256, "see", "1"), MeaningMade(sha256, "mean", "1")]
        numbers = Numbers(photo=[float(at % 7) for at in range(vectors.PHOTO_NUMBERS)], meaning=[1.0, 0.0])
        record_seen(one, made, numbers, content=sha256, actor="worker:analysis")
    album = albums.make_album(shelf.owner.pk, "Summer", photos=[photo, other], actor=actor)
    albums.choose_cover(album, photo, actor=actor)
    stack_commands.stack_photos(uuid4(), dict.fromkeys([photo, other], StackRule.HAND), top=photo, actor=actor)
    duplicate_commands.keep_best(photo, [third], review=uuid4(), actor=actor)
    portrait = preview_path(photo, "r0", f"face-{faces[0]}-x")
    portrait.write_bytes(b"a face")
    return photo


def test_nothing_is_left_of_a_forgotten_photo_in_any_table_or_file_and_a_replay_gives_the_same(
    known: UUID, page: Client, shelf: Shelf
) -> None:
    words = (
        TITLE,
        KEYWORD,
        CAPTION,
        NAME,
        NAME.split(".")[0],
        "Zorki",
        "zeppelin",
        "Zenda",
        Photo.objects.get(id=known).sha256,
    )
    assert found_of(*words)
    face = Face.objects.get(photo_id=known)
    job = defer_batch([NewJob("render_previews", "previews", {"photo": str(known)})])[0]
    with connection.cursor() as cursor:
        for said in ((job, f"{NAME} broke"), (0, f"while {NAME} was read")):
            cursor.execute(
                "INSERT INTO job_attempt (job_id, number, task, queue, started_at, message, traceback)"
                " VALUES (%s, 1, '', '', now(), %s, %s)",
                [*said, f"open({NAME})"],
            )
    lose_file(known)

    asked = page.get(f"/photos/{known}/forget/").content.decode()
    assert "This cannot be undone." in asked
    answer = forget_at(page, known)
    assert (answer.status_code, answer["Location"]) == (302, "/?from=2024-05-01")
    assert page.get(f"/photos/{known}/").status_code == 404
    carry_out()  # once more as it comes again, until there is nothing
    carry_out()

    assert found_of(*words) == []
    assert not previews_of(known).exists()
    for table in ("core_face_vector", "core_photo_vector", "core_photo_code", "core_photo_meaning"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table} WHERE photo_id = %s", [known])
            assert cursor.fetchone() == (0,), table
    left = {table for table, text in everything_said() if str(known) in text}
    # As a bare id: in the log, in what was done to albums, and as that of a tombstone.
    assert left == {"event", "forgotten_photo", "album", "album_change", "photo", "procrastinate_jobs"}
    assert {table for table, text in everything_said() if str(face.id) in text} <= {"event", "person_act"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT size FROM core_group_vector WHERE kind = 0")
        assert cursor.fetchall() == [(2,)], "the mean of the group is of the faces that are left"

    assert [*verify_streams(), *verify_seals()] == []
    before = rows()
    replay()
    assert rows() == before
    assert page.get("/").status_code == 200
    assert page.get(f"/people/{Face.objects.first().person_id}/").status_code == 200  # type: ignore[union-attr]


def test_a_photo_whose_original_is_there_is_not_forgotten_and_says_why(known: UUID, page: Client) -> None:
    assert (
        "is still in a folder that Filmroll only reads (zebedee.jpg)"
        in page.get(f"/photos/{known}/forget/").content.decode()
    )
    assert forget_at(page, known).status_code == 409
    refused = page.delete(f"/api/v1/photos/{known}")
    assert (refused.status_code, "would be found again" in refused.json()["detail"]) == (409, True)
    with pytest.raises(CommandError, match="would be found again"):
        call_command("forget", "photo", str(known), "--reason", "a test", "--yes")
    # Said to be missing, yet there: it came back and no scan has seen that.
    file_commands.record_missing([known_file(one) for one in files_of_photo(known)], actor="worker:scan")
    assert forget_at(page, known).status_code == 409
    assert Photo.objects.filter(id=known).exists()


def test_only_the_owner_may_forget_and_a_stranger_is_told_that_there_is_no_such_photo(
    known: UUID, stranger: Account
) -> None:
    lose_file(known)
    for account in (stranger, Account.objects.create_user("ada", is_staff=True)):
        other = Client()
        other.force_login(account)
        assert other.get(f"/photos/{known}/forget/").status_code == 404
        assert forget_at(other, known).status_code == 404
        assert other.delete(f"/api/v1/photos/{known}").status_code == 404
    assert b"Forget this photo" not in other.get(f"/photos/{known}/").content  # an administrator sees it
    assert Photo.objects.filter(id=known).exists()


def test_by_the_api_and_by_the_command_and_nothing_is_said_of_it_any_more(known: UUID, page: Client) -> None:
    other = Photo.objects.exclude(id=known).exclude(duplicate_of=known).get().id
    for photo in (known, other):
        lose_file(photo)
    assert page.delete(f"/api/v1/photos/{known}").status_code == 204
    assert page.delete(f"/api/v1/photos/{known}").status_code == 404
    said = StringIO()
    call_command("forget", "photo", str(other), "--reason", "a test", "--yes", stdout=said)
    assert "other.jpg" in said.getvalue()
    with pytest.raises(PhotoNotFound):
        version_of(known)
    with pytest.raises(PhotoNotFound):
        edit_photo(known, [edits.PhotoRated(1)], actor="account:1")
    with pytest.raises(PhotoNotFound):
        photo_commands.take_out(known, "", actor="account:1")
    before = rows()
    replay()
    assert rows() == before


def test_the_command_forgets_nothing_unless_yes_is_typed(known: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    lose_file(known)
    monkeypatch.setattr("builtins.input", lambda _: "no")
    with pytest.raises(CommandError, match="Nothing was forgotten"):
        call_command("forget", "photo", str(known), "--reason", "a test", stdout=StringIO())
    assert Photo.objects.filter(id=known).exists()


def test_the_same_content_that_comes_again_is_a_new_photo_of_which_nothing_is_known(
    known: UUID, page: Client, shelf: Shelf
) -> None:
    was = Photo.objects.get(id=known)
    [file] = files_of_photo(known)
    lose_file(known)
    assert forget_at(page, known).status_code == 302
    original = photos.OriginalFile(file.id, NAME, 5, 2)
    found = photos.PhotoImported(shelf.library, original, was.sha256, "jpeg", "image", "image/jpeg")
    made = photo_commands.import_photo(found, photos.MetadataRead(1, {}), actor="worker:import")
    assert made != known
    shelf.render(made)
    assert Photo.objects.get(id=made).facts.get("title") is None
    # What is cleared afterwards is the old one's alone.
    carry_out()
    assert preview_path(made, "r1", "tile").exists()
    assert [one.photo_id for one in files_of_photo(made)] == [made]


def test_an_uploaded_original_goes_with_its_photo_and_its_sidecars_also_after_a_kill_in_between(
    owner: Account, page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = jpeg("uploaded")
    photo, place = upload(owner, NAME, content)
    _, beside = take(owner, f"{NAME}.xmp", SIDECAR.encode())
    assert Photo.objects.get(id=photo).facts["title"]["value"] == TITLE
    edit_photo(photo, [edits.PhotoTitled(f"{TITLE} far")], actor=owner.actor)
    write_sidecar(Photo.objects.get(id=photo))
    written = place.with_name(f"{place.name}.xmp")
    assert TITLE in written.read_text()
    assert TITLE in beside.read_text()

    asked = page.get(f"/photos/{photo}/forget/").content.decode()
    assert NAME in asked
    assert "It is deleted from this server." in asked
    assert forget_at(page, photo).status_code == 302
    assert place.exists()
    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        carry_out()
    monkeypatch.undo()
    carry_out()
    assert [one for one in (place, beside, written) if one.exists()] == []
    assert not previews_of(photo).exists()
    carry_out()
    assert found_of(NAME, TITLE, place.name) == []


def test_what_is_uploaded_again_before_all_is_cleared_is_left_alone(owner: Account, page: Client) -> None:
    content = jpeg("uploaded")
    photo, _ = upload(owner, NAME, content)
    forget_at(page, photo)
    again, there = upload(owner, NAME, content)
    assert again != photo
    waiting = import_jobs()
    before = rows()
    carry_out()
    carry_out()
    assert there.exists()
    assert import_jobs() == waiting[1:], "the former one's went, the new one's waits"
    assert rows() == before
    replay()
    assert rows() == before


def import_jobs() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM procrastinate_jobs WHERE task_name = 'import_file' ORDER BY id")
        return [job for (job,) in cursor.fetchall()]


def killed(*_: object) -> None:
    raise KeyboardInterrupt


def upload(owner: Account, name: str, content: bytes) -> tuple[UUID, Path]:
    """A photo that was uploaded and imported, with a preview; where it lies."""
    said, place = take(owner, name, content)
    photo = UUID(said.split()[1])
    preview_path(photo, "r1", "tile").parent.mkdir(parents=True)
    return photo, place


def take(owner: Account, name: str, content: bytes) -> tuple[str, Path]:
    """An upload that was imported; what became of it, and where it lies."""
    announced = Announced(name, len(content), hashlib.sha256(content).hexdigest(), 1)
    receiving.keep_at_once(owner, announced, iter([content]), actor=owner.actor)
    [kept] = UploadedFile.objects.filter(name=name)
    folder = folder_by_id(kept.library_id)
    return import_found(folder, kept.path), original_path(folder.root, kept.path)


def test_what_work_under_way_says_afterwards_is_erased_too(known: UUID, page: Client, shelf: Shelf) -> None:
    [file] = files_of_photo(known)
    lose_file(known)
    forget_at(page, known)
    file_commands.record_missing([known_file(file)], actor="worker:scan")  # by a scan that had begun before
    shelf.fail_file(NAME, f"{NAME} is empty.")  # by an import that had
    assert "failure" in {said.split(":")[0] for said in found_of(NAME)}
    preview_path(known, "r2", "tile").parent.mkdir(parents=True, exist_ok=True)
    carry_out()
    assert found_of(NAME) == [f"procrastinate_jobs: {NAME}"]  # it comes again
    carry_out()
    assert found_of(NAME) == []
    before = rows()
    replay()
    assert rows() == before


def test_pictures_in_memory_are_read_anew_once_one_was_forgotten(known: UUID, page: Client, shelf: Shelf) -> None:
    import numpy as np

    nearby.forget()
    numbers = np.arange(vectors.PHOTO_NUMBERS, dtype=np.float32) % 7
    assert known.hex in nearby.nearby("see 1", numbers, None, 10)[0]
    lose_file(known)
    forget_at(page, known)
    found, _ = nearby.nearby("see 1", numbers, None, 10)
    assert len(found) == 1
    assert known.hex not in found


def test_a_photo_of_which_one_event_was_erased_is_shown_and_changed_as_before(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo(NAME)
    edit_photo(photo, [edits.PhotoTitled(TITLE)], actor=shelf.owner.actor)
    [said] = [one.event_id for one in photo_events(photo) if one.type == "photo.titled"]
    erase([said], "cli", "a test")
    assert page.get(f"/photos/{photo}/").status_code == 200
    assert TITLE not in page.get(f"/api/v1/photos/{photo}/history").content.decode()
    edit_photo(photo, [edits.PhotoRated(5)], actor=shelf.owner.actor)
    assert Photo.objects.get(id=photo).rating == 5
