"""The settings of libraries, by page and by API, and the photos whose originals are missing."""

import io
import json
import logging
import sys
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client

from core.accounts import Account
from core.commands.files import KnownFile, record_missing
from core.commands.libraries import record_folder
from core.domain import libraries
from core.domain.files import file_id
from core.readmodels.libraries import Folder, Library, folders_of
from core.readmodels.photos import Photo
from tests.web.conftest import Shelf

pytestmark = pytest.mark.django_db


def lose(shelf: Shelf, name: str) -> UUID:
    """The file of a photo is not where it was."""
    photo = Photo.objects.get(path=name)
    file = file_id(shelf.library, name)
    record_missing([KnownFile(file, shelf.library, shelf.library, name, 1, 1, photo.id)], actor="worker:scan")
    return photo.id


def test_only_administrators_change_libraries(shelf: Shelf, page: Client, admin_client: Client) -> None:
    assert page.get("/libraries/").status_code == 403
    assert page.post(f"/libraries/{shelf.library}/remove/").status_code == 403
    assert "/libraries/" not in page.get("/").content.decode()
    assert str(shelf.root) in admin_client.get("/libraries/").content.decode()


def test_page_and_api_say_the_same_of_a_library_that_is_not_the_askers_and_no_traceback_is_logged(
    shelf: Shelf, page: Client, stranger: Account
) -> None:
    other = Client()
    other.force_login(stranger)
    addresses = (f"/libraries/{shelf.library}/", f"/api/v1/libraries/{shelf.library}")
    assert [other.get(address).status_code for address in addresses] == [404, 404]
    assert other.post(f"/libraries/{shelf.library}/rescan/").status_code == 404
    assert other.post(f"/api/v1/libraries/{shelf.library}/rescan").status_code == 404
    assert page.post(f"/api/v1/libraries/{shelf.library}/rescan").status_code == 403
    [handler] = [one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler]
    written = io.StringIO()
    before = handler.setStream(written)
    try:
        assert page.get(f"/libraries/{shelf.library}/").status_code == 403
    finally:
        handler.setStream(before or sys.stderr)
    assert "Forbidden" in written.getvalue()
    assert "Traceback" not in written.getvalue()


def test_a_folder_is_added_when_it_can_be_read_and_refused_with_words_when_not(
    admin_client: Client, tmp_path: Path
) -> None:
    (tmp_path / "pictures" / "2024").mkdir(parents=True)
    for wrong in ("", "pictures", str(tmp_path / "nowhere")):
        answer = admin_client.post("/libraries/add/", {"folder": wrong})
        assert answer.status_code == 400
        assert 'role="alert"' in answer.content.decode()
    answer = admin_client.post("/libraries/add/", {"folder": str(tmp_path / "pictures"), "name": "Ours"})
    library = Library.objects.get(name="Ours")
    assert answer.url == f"/libraries/{library.id}/"
    inside = admin_client.post("/libraries/add/", {"folder": str(tmp_path / "pictures" / "2024")})
    assert "overlaps" in inside.content.decode()


def test_name_rules_and_watch_are_kept_and_folders_come_and_go(
    shelf: Shelf, admin_client: Client, tmp_path: Path
) -> None:
    form = {"name": "Family", "rules": "*.tmp\r\n\r\n@eaDir/\r\n"}
    admin_client.post(f"/libraries/{shelf.library}/change/", form)
    library = Library.objects.get()
    assert (library.name, library.ignore_rules, library.watching) == ("Family", ["*.tmp", "@eaDir/"], False)
    (tmp_path / "more").mkdir()
    admin_client.post(f"/libraries/{shelf.library}/folders/", {"folder": str(tmp_path / "more")})
    first, second = folders_of(shelf.library)
    text = admin_client.get(f"/libraries/{shelf.library}/").content.decode()
    assert str(tmp_path / "more") in text
    admin_client.post(f"/libraries/{shelf.library}/folders/{second.id}/remove/")
    assert [folder.id for folder in folders_of(shelf.library)] == [first.id]
    refused = admin_client.post(f"/libraries/{shelf.library}/folders/{first.id}/remove/")
    assert "only folder" in refused.content.decode()
    admin_client.post(f"/libraries/{shelf.library}/remove/")
    assert admin_client.get(f"/libraries/{shelf.library}/").status_code == 404


def test_each_analysis_is_switched_by_the_page_and_by_the_api(shelf: Shelf, admin_client: Client) -> None:
    address = f"/libraries/{shelf.library}/"
    assert admin_client.get(address).content.decode().count('name="analysis"') == 9
    form = {"name": "Ours", "rules": "", "analyses": "shown", "analysis": ["objects", "places", "scenes"]}
    admin_client.post(f"{address}change/", form)
    off = ["faces", "similar", "meaning", "colours", "styles", "dates"]
    assert Library.objects.get().analyses_off == off
    page = admin_client.get(address).content.decode()
    assert 'value="objects" checked' in page
    assert 'value="faces" checked' not in page
    admin_client.post(f"{address}change/", {"name": "A form of before", "rules": ""})
    assert Library.objects.get().analyses_off == off
    api = f"/api/v1/libraries/{shelf.library}"
    asked = {"data": json.dumps({"analyses_off": ["dates"]}), "content_type": "application/json"}
    assert admin_client.patch(api, **asked).json()["analyses_off"] == ["dates"]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
        admin_client.post(f"{address}analyse/")
        admin_client.post(f"{api}/analyse")
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'analyse_library'")
        assert cursor.fetchone() == (2,)
    asked["data"] = json.dumps({"analyses_off": ["weather"]})
    assert admin_client.patch(api, **asked).status_code == 422


def test_what_is_wrong_with_a_folder_is_said_on_the_page_and_by_the_api(
    shelf: Shelf, admin_client: Client
) -> None:
    away = libraries.FolderOffline(shelf.library, "empty", "The folder is empty where photos were.")
    limit = libraries.FolderWatchFailed(shelf.library, "watch-limit", "Raise fs.inotify.max_user_watches.")
    assert record_folder(shelf.library, away, actor="worker:folders")
    assert record_folder(shelf.library, limit, actor="worker:watch")
    assert not record_folder(shelf.library, limit, actor="worker:watch")
    text = admin_client.get("/libraries/").content.decode()
    assert "The folder is empty where photos were." in text
    assert "fs.inotify.max_user_watches" in text
    [library] = json.loads(admin_client.get("/api/v1/libraries").content)
    assert library["folders"][0]["watch_code"] == "watch-limit"
    record_folder(shelf.library, libraries.FolderOnline(shelf.library, 5, back=True), actor="worker:folders")
    assert Folder.objects.get().offline_since is None


def test_a_missing_photo_stays_visible_with_a_note_is_listed_and_can_be_taken_out(
    shelf: Shelf, page: Client
) -> None:
    shelf.photo("here.jpg")
    shelf.photo("gone.jpg")
    photo = lose(shelf, "gone.jpg")
    assert f"p-{photo}" in page.get("/").content.decode()
    assert "original is missing since" in page.get(f"/photos/{photo}/").content.decode()
    listed = page.get("/missing/").content.decode()
    assert "gone.jpg" in listed
    assert "here.jpg" not in listed
    kept = Photo.objects.get(path="here.jpg").id
    for one in (photo, kept):
        assert page.post(f"/missing/{one}/take-out/").url == "/missing/"
    assert set(Photo.objects.filter(hidden="").values_list("id", flat=True)) == {kept}
    assert page.get(f"/photos/{photo}/").status_code == 404


def test_all_missing_photos_are_taken_out_at_once_and_other_peoples_stay(
    shelf: Shelf, page: Client, stranger: Account
) -> None:
    for number in range(3):
        shelf.photo(f"{number}.jpg")
        lose(shelf, f"{number}.jpg")
    other = Client()
    other.force_login(stranger)
    other.post("/missing/take-out/")
    assert Photo.objects.filter(hidden="").count() == 3
    page.post("/missing/take-out/")
    assert Photo.objects.filter(hidden="").count() == 0


def test_a_photo_on_a_disk_that_is_away_says_so(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo("one.jpg")
    away = libraries.FolderOffline(shelf.library, "not-there", "The folder is not there.")
    record_folder(shelf.library, away, actor="worker:folders")
    text = page.get(f"/photos/{photo}/").content.decode()
    assert "cannot be reached since" in text
    assert "The folder is not there." in text


def test_programs_change_libraries_with_an_administrators_key(
    shelf: Shelf, page: Client, admin_client: Client, tmp_path: Path
) -> None:
    address = "/api/v1/libraries"

    def send(client: Client, method: str, path: str = "", **body: object) -> tuple[int, object]:
        answer = client.generic(method, address + path, json.dumps(body), content_type="application/json")
        return answer.status_code, json.loads(answer.content or "null")

    assert send(page, "POST", folder=str(tmp_path))[0] == 403
    (tmp_path / "more").mkdir()
    (tmp_path / "second").mkdir()
    status, made = send(admin_client, "POST", folder=str(tmp_path / "more"), name="More")
    assert status == 201
    one = f"/{made['id']}"  # type: ignore[index]
    assert send(admin_client, "POST", folder=str(tmp_path / "nowhere"))[0] == 422
    assert send(admin_client, "PATCH", one, write_sidecars=True)[1]["write_sidecars"] is True  # type: ignore[index]
    assert send(admin_client, "PATCH", one, watching=False, ignore_rules=["x"])[1]["ignore_rules"] == ["x"]  # type: ignore[index]
    assert send(admin_client, "POST", f"{one}/folders", folder=str(tmp_path / "second"))[0] == 201
    assert send(admin_client, "DELETE", f"{one}/folders/{made['id']}")[0] == 200  # type: ignore[index]
    assert send(admin_client, "POST", f"{one}/rescan")[0] == 202
    assert send(page, "GET", one)[0] == 404
    assert send(admin_client, "DELETE", one)[0] == 204
    assert send(admin_client, "GET", one)[0] == 404
