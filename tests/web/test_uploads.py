"""Uploads: the tus protocol to the letter, and what becomes of the files."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone

from core import partials
from core.accounts import Account
from core.commands.accounts import create_api_key
from core.domain.uploads import Looked, clean_name
from core.readmodels.libraries import Library
from core.readmodels.uploads import UploadedFile
from core.storage import partial_path
from core.uploads import Upload
from events.models import StoredEvent
from tests.web.conftest import Shelf
from tests.web.uploading import (
    Tus,
    checksum,
    gathering,
    kept_by,
    library_of,
    metadata,
    picture,
    sha256,
)
from workers.uploads import sweep

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["pages", "api"])
def tus(request: pytest.FixtureRequest, owner: Account) -> Tus:
    client = Client()
    if request.param == "pages":
        client.force_login(owner)
        return Tus(client)
    return Tus(client, "/api/v1/uploads/", create_api_key("script", "olga"))


@pytest.fixture
def sender(page: Client) -> Tus:
    return Tus(page)


def jobs(task: str) -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT priority, args->>'path' FROM procrastinate_jobs WHERE task_name = %s ORDER BY id", [task]
        )
        return cursor.fetchall()


def test_a_server_says_what_it_can_do(tus: Tus) -> None:
    answer = tus.ask("OPTIONS", tus.base)
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert set(answer.headers["Tus-Extension"].split(",")) == {
        "creation",
        "creation-with-upload",
        "termination",
        "expiration",
        "checksum",
    }
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"


def test_a_file_goes_up_in_parts_and_is_kept_by_its_hash(tus: Tus, owner: Account) -> None:
    data = picture()
    made = tus.create(data, "Oma am See.JPG")
    assert made.status_code == 201
    address = made.headers["Location"]
    assert address.startswith(tus.base)
    assert tus.offset(address) == 0
    first = tus.patch(address, 0, data[:100])
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "100")
    told = tus.ask("HEAD", address)
    assert told.headers["Upload-Offset"] == "100"
    assert told.headers["Upload-Length"] == str(len(data))
    assert told.headers["Cache-Control"] == "no-store"
    assert parsedate_to_datetime(told.headers["Upload-Expires"]) > timezone.now() + timedelta(days=6)
    assert kept_by(owner) == {}
    last = tus.patch(address, 100, data[100:])
    assert (last.status_code, last.headers["Filmroll-Outcome"]) == (204, "kept")
    digest = sha256(data)
    assert kept_by(owner) == {f"{digest[:2]}/{digest[2:4]}/{digest}.jpg": data}
    assert UploadedFile.objects.get().name == "Oma am See.JPG"
    assert gathering() == []
    assert tus.offset(address) == len(data)


def test_a_sidecar_whose_coming_could_not_be_recorded_is_taken_when_it_comes_again(
    sender: Tus, owner: Account, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.UPLOAD_LOOK = "tests.web.test_uploads.a_sidecar"
    with monkeypatch.context() as away, pytest.raises(DatabaseError):
        away.setattr("core.receiving.record_upload", no_database)
        sender.send(b"<x:xmpmeta/>", "IMG_1.xmp")
    answer = sender.send(b"<x:xmpmeta/>", "IMG_1.xmp")
    assert (answer.status_code, answer.headers["Filmroll-Outcome"]) == (204, "kept")
    assert UploadedFile.objects.get().name == "IMG_1.xmp"
    assert sender.send(b"<x:xmpmeta/>", "IMG_1.xmp").headers["Filmroll-Outcome"] == "there-already"


def a_sidecar(*_: object) -> Looked:
    return Looked(sidecar=True)


def no_database(*_: object, **__: object) -> None:
    raise DatabaseError("the database is away")


def test_every_answer_names_the_protocols_version_and_every_question_must(tus: Tus) -> None:
    refused = tus.client.generic("POST", tus.base, headers={"Authorization": f"Bearer {tus.key}"})
    assert (refused.status_code, refused.headers["Tus-Version"]) == (412, "1.0.0")
    assert refused.headers["Tus-Resumable"] == tus.create(picture()).headers["Tus-Resumable"] == "1.0.0"


def test_bytes_for_another_place_are_refused_with_the_right_one(tus: Tus) -> None:
    data = picture()
    address = tus.create(data).headers["Location"]
    tus.patch(address, 0, data[:50])
    answer = tus.patch(address, 20, data[20:])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (409, "50")
    assert tus.offset(address) == 50


def test_more_than_was_announced_is_refused_and_none_of_it_is_kept(tus: Tus) -> None:
    data = picture()
    address = tus.create(data).headers["Location"]
    assert tus.patch(address, 0, data + b"more").status_code == 413
    assert tus.offset(address) == 0


def test_more_than_was_announced_is_noticed_without_a_length_as_well(sender: Tus, owner: Account) -> None:
    address = sender.create(picture()[:100]).headers["Location"]
    part = partial_path(Upload.objects.get().id)
    with partials.exclusive(part) as file, pytest.raises(partials.TooMuch):
        partials.append(file, iter([b"x" * 90, b"y" * 20]), 100)
    assert sender.offset(address) == 0


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_bytes_with_their_right_checksum_are_taken(sender: Tus, algorithm: str) -> None:
    data = picture()
    address = sender.create(data).headers["Location"]
    answer = sender.patch(address, 0, data[:99], Upload_Checksum=checksum(data[:99], algorithm))
    assert (answer.status_code, sender.offset(address)) == (204, 99)


def test_bytes_with_a_wrong_checksum_are_not_kept(tus: Tus) -> None:
    data = picture()
    address = tus.create(data).headers["Location"]
    tus.patch(address, 0, data[:10])
    assert tus.patch(address, 10, data[10:60], Upload_Checksum=checksum(b"other")).status_code == 460
    assert tus.offset(address) == 10
    assert tus.patch(address, 10, data[10:], Upload_Checksum="md5 AAAA").status_code == 400
    assert tus.patch(address, 10, data[10:]).status_code == 204


def test_unverified_bytes_of_a_killed_process_do_not_count(sender: Tus) -> None:
    data = picture()
    address = sender.create(data).headers["Location"]
    sender.patch(address, 0, data[:10])
    upload = Upload.objects.get()
    Upload.objects.update(unverified_from=10)
    with partial_path(upload.id).open("ab") as file:
        file.write(b"half a checked request")
    assert sender.offset(address) == 10
    assert sender.patch(address, 10, data[10:]).headers["Filmroll-Outcome"] == "kept"


def test_an_upload_may_begin_with_its_first_bytes_or_all_of_them(tus: Tus, owner: Account) -> None:
    data, told = picture(), metadata(filename="all.jpg")
    part = tus.ask("POST", tus.base, data[:30], Upload_Length=str(len(data)), Upload_Metadata=told)
    assert (part.status_code, part.headers["Upload-Offset"]) == (201, "30")
    whole = tus.ask("POST", tus.base, data, Upload_Length=str(len(data)), Upload_Metadata=told)
    assert (whole.status_code, whole.headers["Filmroll-Outcome"]) == (201, "kept")
    assert list(kept_by(owner).values()) == [data]


def test_a_terminated_upload_is_gone_with_its_bytes(tus: Tus) -> None:
    data = picture()
    address = tus.create(data).headers["Location"]
    tus.patch(address, 0, data[:30])
    assert tus.ask("DELETE", address).status_code == 204
    assert gathering() == []
    assert tus.ask("HEAD", address).status_code == 404
    assert tus.patch(address, 30, data[30:]).status_code == 404


def test_a_client_without_patch_says_it_in_a_header(tus: Tus) -> None:
    data = picture()
    address = tus.create(data).headers["Location"]
    said = {"X_HTTP_Method_Override": "PATCH", "Upload_Offset": "0"}
    assert tus.ask("POST", address, data[:10], **said).status_code == 204
    assert tus.offset(address) == 10


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Upload_Length": "-1"},
        {"Upload_Length": "many"},
        {"Upload_Length": "10", "Upload_Metadata": "filename ???"},
        {"Upload_Length": "10", "Upload_Metadata": metadata(sha256="short")},
    ],
)
def test_a_beginning_that_makes_no_sense_is_refused(sender: Tus, headers: dict[str, str]) -> None:
    assert sender.ask("POST", "/uploads/", **headers).status_code == 400
    assert not Upload.objects.exists()


def test_bytes_of_another_content_type_are_refused(page: Client, sender: Tus) -> None:
    address = sender.create(picture()).headers["Location"]
    said = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
    assert page.generic("PATCH", address, b"x", content_type="text/plain", headers=said).status_code == 415


def test_an_empty_file_is_refused_before_it_begins(tus: Tus) -> None:
    answer = tus.create(b"")
    assert answer.status_code == 415
    assert "empty" in answer.json()["detail"]


def test_what_is_no_picture_is_refused_by_its_content_and_thrown_away(tus: Tus, owner: Account) -> None:
    answer = tus.send(b"%PDF-1.7 some words", "holiday.jpg")
    assert answer.status_code == 415
    assert answer.json()["detail"] == "This is a PDF document, and only photos and videos are kept here."
    assert gathering() == []
    assert kept_by(owner) == {}


def test_a_large_file_that_is_no_picture_is_refused_with_its_first_part(sender: Tus) -> None:
    data = b"PK\x03\x04" + os.urandom(200_000)
    address = sender.create(data, "all-my-photos.zip").headers["Location"]
    assert sender.patch(address, 0, data[:70_000]).status_code == 415
    assert gathering() == []


def test_a_file_other_than_the_announced_one_is_refused(sender: Tus, owner: Account) -> None:
    answer = sender.send(picture(), sha256=sha256(b"another"))
    assert answer.status_code == 422
    assert kept_by(owner) == {}
    assert sender.send(data := picture(), sha256=sha256(data)).headers["Filmroll-Outcome"] == "kept"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("../../../etc/passwd", "passwd"),
        ("C:\\Users\\Oma\\IMG.jpg", "IMG.jpg"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("a\nb\0c\x1b[31m.jpg", "abc[31m.jpg"),
        ("\u202egpj.exe", "gpj.exe"),
        ("日本 🏔 Ünïcode.HEIC", "日本 🏔 Ünïcode.HEIC"),
        ("x" * 300 + ".jpg", "x" * 251 + ".jpg"),
    ],
)
def test_a_name_is_only_a_name(said: str, kept: str) -> None:
    assert clean_name(said) == kept


@pytest.mark.parametrize("name", ["../../evil.jpg/..", "a.<script>", "x.j p", "p.ööö", "q.abcdefghijkl", "/abs/r"])
def test_no_name_moves_a_file_out_of_its_place(sender: Tus, owner: Account, name: str) -> None:
    data = picture()
    assert sender.send(data, name).status_code == 204
    digest = sha256(data)
    assert kept_by(owner) == {f"{digest[:2]}/{digest[2:4]}/{digest}": data}


def test_the_library_of_uploads_is_made_once_and_its_owners(
    sender: Tus, owner: Account, stranger: Account
) -> None:
    sender.send(picture())
    sender.send(picture())
    library = Library.objects.get()
    assert (str(library.id), library.owner_id, library.managed) == (library_of(owner), owner.pk, True)
    assert library.watching is False
    other = Client()
    other.force_login(stranger)
    Tus(other).send(picture())
    assert Library.objects.count() == 2


def test_an_uploaded_file_is_imported_before_the_backlog(sender: Tus) -> None:
    sender.send(data := picture())
    [(priority, path)] = jobs("import_file")
    assert priority == 60
    assert sha256(data) in path


def test_the_event_keeps_the_name_and_who_sent_it(sender: Tus, owner: Account) -> None:
    sender.send(data := picture(), "Oma am See.jpg", modified="1600000000123")
    event = StoredEvent.objects.get(type="file.uploaded")
    assert event.data["name"] == "Oma am See.jpg"
    assert event.data["sha256"] == sha256(data)
    assert event.data["mtime_ns"] == 1600000000123000000
    assert event.meta["actor"] == f"account:{owner.pk}"


def test_the_same_content_is_kept_once(sender: Tus, owner: Account) -> None:
    data = picture()
    first, second = sender.send(data, "one.jpg"), sender.send(data, "two.jpeg")
    assert second.headers["Filmroll-Outcome"] == "there-already"
    assert first.headers["Filmroll-Photo"] == second.headers["Filmroll-Photo"]
    assert len(kept_by(owner)) == len(jobs("import_file")) == 1
    assert gathering() == []


def test_what_is_there_is_told_before_it_is_sent(page: Client, sender: Tus, shelf: Shelf, owner: Account) -> None:
    photo = shelf.photo("one.jpg", content=(indexed := picture()))
    from core.readmodels.photos import Photo

    indexed_hash = Photo.objects.get(id=photo).sha256
    sender.send(uploaded := picture())
    hashes = [indexed_hash, sha256(uploaded), sha256(b"new")]
    answer = page.post("/uploads/known", {"hashes": hashes}, content_type="application/json")
    assert answer.json() == {"known": {indexed_hash: f"/photos/{photo}/", sha256(uploaded): ""}}
    assert indexed
    key = {"Authorization": f"Bearer {create_api_key('k', 'olga')}"}
    told = Client().post("/api/v1/uploads/known", {"hashes": hashes}, "application/json", headers=key)
    assert told.json() == {"known": {indexed_hash: str(photo), sha256(uploaded): None}}


def test_nobody_hears_of_what_others_have(stranger: Account, shelf: Shelf) -> None:
    photo = shelf.photo("one.jpg")
    from core.readmodels.photos import Photo

    client = Client()
    client.force_login(stranger)
    asked = {"hashes": [Photo.objects.get(id=photo).sha256]}
    assert client.post("/uploads/known", asked, content_type="application/json").json() == {"known": {}}
    assert client.post("/uploads/known", "[", content_type="application/json").status_code == 400


def test_another_accounts_upload_does_not_exist(sender: Tus, stranger: Account) -> None:
    address = sender.create(picture()).headers["Location"]
    other = Client()
    other.force_login(stranger)
    assert Tus(other).ask("HEAD", address).status_code == 404
    assert Tus(other).patch(address, 0, b"x").status_code == 404
    assert Tus(other).ask("DELETE", address).status_code == 404
    assert sender.offset(address) == 0


def test_an_upload_from_another_site_is_refused(owner: Account) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert Tus(client).create(picture()).status_code == 403


def test_two_requests_do_not_write_to_one_upload(sender: Tus) -> None:
    data = picture()
    address = sender.create(data).headers["Location"]
    with partials.exclusive(partial_path(Upload.objects.get().id)):
        answer = sender.patch(address, 0, data)
    assert answer.status_code == 423
    assert sender.patch(address, 0, data).status_code == 204


def test_beyond_the_quota_nothing_begins(sender: Tus, settings: object, owner: Account) -> None:
    settings.UPLOAD_QUOTA_GIB = 1  # type: ignore[attr-defined]
    sender.send(picture())
    Upload.objects.create(account=owner, name="x", size=(1 << 30) - 1000, expires_at=timezone.now())
    answer = sender.create(picture("too much", more=1000))
    assert answer.status_code == 507
    assert answer.json()["code"] == "quota"
    assert "1.1 GB in all" in answer.json()["detail"]


def test_a_file_for_which_there_is_no_room_does_not_begin(sender: Tus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.receiving.room_for_originals", lambda: (5_000_000, 1_000_000))
    answer = sender.ask("POST", "/uploads/", Upload_Length="4700000")
    assert answer.status_code == 507
    assert answer.json() == {
        "code": "disk-full",
        "detail": "There is no room for it: it needs 4.7 MB, and the server's disk has 4.0 MB left. "
        "Nothing is lost; it can go on once there is room.",
    }


def test_what_others_have_announced_is_not_promised_twice(sender: Tus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.receiving.room_for_originals", lambda: (5_000_000, 1_000_000))
    assert sender.ask("POST", "/uploads/", Upload_Length="3000000").status_code == 201
    assert sender.ask("POST", "/uploads/", Upload_Length="3000000").status_code == 507


def test_an_upload_that_fills_the_disk_stops_and_goes_on_once_there_is_room(sender: Tus, owner: Account) -> None:
    data = picture(more=4_000_000)
    address = sender.create(data).headers["Location"]
    with files_end_at(3_000_000):
        answer = sender.patch(address, 0, data)
    assert (answer.status_code, answer.json()["code"]) == (507, "disk-full")
    assert sender.offset(address) == 3_000_000
    assert sender.patch(address, 3_000_000, data[3_000_000:]).headers["Filmroll-Outcome"] == "kept"
    assert list(kept_by(owner).values()) == [data]


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """A write beyond this is refused by the system, half-way through, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_an_upload_that_nobody_goes_on_with_is_swept_when_it_expires(sender: Tus) -> None:
    data = picture()
    address = sender.create(data).headers["Location"]
    sender.patch(address, 0, data[:30])
    assert len(jobs("sweep_uploads")) == 1
    assert sweep() == 0
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert sender.ask("HEAD", address).status_code == 404
    assert sweep() == 1
    assert (gathering(), Upload.objects.count()) == ([], 0)


def test_a_finished_upload_outlives_its_sweep(sender: Tus, owner: Account) -> None:
    sender.send(data := picture())
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert sweep() == 1
    assert list(kept_by(owner).values()) == [data]


def test_an_end_that_a_kill_cut_off_is_made_up_for(sender: Tus, owner: Account) -> None:
    data = picture()
    address = sender.create(data).headers["Location"]
    path = partial_path(Upload.objects.get().id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    assert sender.ask("HEAD", address).headers["Filmroll-Outcome"] == "kept"
    assert list(kept_by(owner).values()) == [data]


@pytest.fixture
def key(owner: Account) -> dict[str, str]:
    return {"Authorization": f"Bearer {create_api_key('script', 'olga')}"}


def test_a_script_sends_a_file_as_the_body_of_one_request(
    client: Client, key: dict[str, str], owner: Account
) -> None:
    data = picture()

    def post(**query: str):  # type: ignore[no-untyped-def]
        address = "/api/v1/photos?" + "&".join(f"{name}={value}" for name, value in query.items())
        return client.generic("POST", address, data, content_type="image/jpeg", headers=key)

    first, second = post(name="a.jpg", sha256=sha256(data)), post(name="b.jpg")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == {**second.json(), "outcome": "kept"} | {"name": "a.jpg"}
    assert list(kept_by(owner).values()) == [data]
    assert post(name="c.jpg", sha256="0" * 64).status_code == 422
    assert gathering() == []


def test_a_script_sends_a_file_in_a_form(client: Client, key: dict[str, str], owner: Account) -> None:
    data = picture()
    file = SimpleUploadedFile("from a form.jpg", data, "image/jpeg")
    answer = client.post("/api/v1/photos", {"file": file}, headers=key)
    assert (answer.status_code, answer.json()["name"]) == (201, "from a form.jpg")
    assert list(kept_by(owner).values()) == [data]
    assert client.post("/api/v1/photos", {"other": "x"}, headers=key).status_code == 400


def test_a_script_hears_why_a_file_is_refused(client: Client, key: dict[str, str]) -> None:
    answer = client.generic("POST", "/api/v1/photos?name=x.jpg", b"%PDF-1.4", "image/jpeg", headers=key)
    assert (answer.status_code, answer.json()["code"]) == (415, "not-a-picture")
    assert client.generic("POST", "/api/v1/photos", b"x", "image/jpeg").status_code == 401
    assert gathering() == []
