"""Adding photos in a real browser: files are dropped or chosen, told, paused, resumed, and their tiles appear."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.db import connection
from django.test import Client

from core.accounts import Account
from core.readmodels.uploads import UploadedFile
from core.uploads import Upload
from tests.web.browsing import CHROMIUM, PATIENCE, serving, wait_until
from tests.web.uploading import gathering, kept_by, picture, sha256
from workers import tasks

VENDORED = {
    "sha2.js": "471746bba6ec4c6238ca41358d1d3b40b6ff31cf3363f0b4d550c649c1a8e83b",
    "_md.js": "60cf3010fda89e3e4d3f0e7ff1ce249e9c467f34b4fd41b6fd6101d9f69be763",
    "_u64.js": "b09da8c07fe8187c07649494cdb7cd0bcf13df90b506a9473d19e4d5f8c2e102",
    "utils.js": "037ad49adb78168b6b699598fd33f85f7877456b1d28b4d032e2a1a16807947c",
    "LICENSE": "4f221aee6e072336700c408c68ab3b96a3fc09f6aebe6f48f1bd99e5ef13faec",
}


def test_the_hash_library_is_the_one_that_its_makers_published() -> None:
    # @noble/hashes 2.4.0, as the registry of npm has it.
    folder = settings.BASE_DIR / "static" / "vendor" / "noble-hashes"
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    assert there == VENDORED


browser_test = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium here"),
]


@pytest.fixture
def window(browser: Any, transactional_db: None, page: Client) -> Iterator[Any]:
    """The timeline, for its signed-in owner."""
    with serving() as address:
        context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 800})
        context.add_cookies([{"name": "sessionid", "value": page.cookies["sessionid"].value, "url": address}])
        context.set_default_timeout(PATIENCE)
        opened = context.new_page()
        faults: list[str] = []
        opened.on("pageerror", lambda error: faults.append(str(error)))
        opened.goto("/")
        opened.wait_for_selector("#uploads", state="attached")
        yield opened
        context.close()
        assert faults == []


def files(*named: tuple[str, bytes]) -> list[dict[str, Any]]:
    return [{"name": name, "mimeType": "image/jpeg", "buffer": data} for name, data in named]


def choose(window: Any, *named: tuple[str, bytes]) -> None:
    window.set_input_files("input[data-upload-input=files]", files(*named))


def state(window: Any, name: str, words: str) -> Any:
    row = window.locator(".upload", has_text=name)
    row.locator("[data-row-state]", has_text=words).wait_for()
    return row


def work_off_uploads() -> None:
    """What the workers would do."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT args FROM procrastinate_jobs WHERE task_name = 'import_file' AND status = 'todo'")
        jobs = [json.loads(row[0]) for row in cursor.fetchall()]
    # The queue may hold what an earlier test has left.
    kept = {str(library) for library in UploadedFile.objects.values_list("library_id", flat=True)}
    for job in [one for one in jobs if one.get("library") in kept]:
        photo = tasks.import_file(**job).removeprefix("photo ")
        tasks.render_previews(photo=photo)


class TestInTheBrowser:
    pytestmark = browser_test

    def test_chosen_files_go_up_and_their_tiles_appear(self, window: Any, owner: Account) -> None:
        one, two = picture("one"), picture("two", more=3_000_000)
        choose(window, ("Oma am See.jpg", one), ("zwei.jpg", two))
        state(window, "zwei.jpg", "Uploaded")
        window.locator("[data-upload-title]", has_text="2 uploaded").wait_for()
        assert sorted(kept_by(owner).values(), key=len) == sorted((one, two), key=len)
        assert set(UploadedFile.objects.values_list("name", flat=True)) == {"Oma am See.jpg", "zwei.jpg"}
        work_off_uploads()
        window.locator(".tile img").nth(1).wait_for()

    @pytest.mark.slow
    def test_what_is_there_already_is_not_sent(self, window: Any) -> None:
        choose(window, ("one.jpg", data := picture()))
        state(window, "one.jpg", "Uploaded")
        work_off_uploads()
        window.reload()
        sent: list[str] = []
        window.on("request", lambda request: sent.append(request.method))
        choose(window, ("again.jpg", data))
        row = state(window, "again.jpg", "There already")
        assert row.locator("a").get_attribute("href").startswith("/photos/")
        assert "PATCH" not in sent

    @pytest.mark.slow
    def test_an_upload_survives_a_lost_connection(self, window: Any, owner: Account) -> None:
        data = picture(more=2_000_000)
        window.route("**/uploads/*", _cut_once())
        choose(window, ("long.jpg", data))
        state(window, "long.jpg", "Uploaded")
        assert list(kept_by(owner).values()) == [data]

    def test_after_a_reload_the_same_file_goes_on_where_the_server_has_it(
        self, window: Any, owner: Account
    ) -> None:
        data = picture(more=1_000_000)
        window.route(
            "**/uploads/*-*", lambda route: route.abort() if route.request.method == "PATCH" else route.fallback()
        )
        choose(window, ("long.jpg", data))
        wait_until(Upload.objects.exists)
        wait_until(lambda: "upload:" in "".join(window.evaluate("Object.keys(localStorage)")))
        window.on("dialog", lambda dialog: dialog.accept())
        # Cut off until the reload is over: a further try in between would end the upload.
        window.reload()
        window.locator("[data-upload-interrupted-words]", has_text="long.jpg").wait_for()
        window.unroute_all()
        choose(window, ("long.jpg", data))
        state(window, "long.jpg", "Uploaded")
        assert Upload.objects.count() == 1
        assert list(kept_by(owner).values()) == [data]

    @pytest.mark.slow
    def test_pause_cancel_and_a_full_disk_are_said(
        self, window: Any, owner: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as full:
            full.setattr("core.receiving.room_for_originals", lambda: (1000, 0))
            choose(window, ("one.jpg", data := picture(more=5000)))
            window.locator("[data-upload-trouble]", has_text="There is no room for it").wait_for()
        window.get_by_role("button", name="Resume", exact=True).click()
        state(window, "one.jpg", "Uploaded")
        assert list(kept_by(owner).values()) == [data]
        window.get_by_role("button", name="Close").click()
        window.get_by_role("region", name="Uploads").wait_for(state="hidden")
        window.route("**/uploads/*-*", lambda _: None)  # an answer that never comes
        choose(window, ("two.jpg", picture()))
        row = state(window, "two.jpg", "Uploading")
        row.get_by_role("button", name="Pause").click()
        state(window, "two.jpg", "Paused")
        window.unroute_all()
        row.get_by_role("button", name="Cancel").click()
        window.get_by_role("region", name="Uploads").wait_for(state="hidden")
        wait_until(lambda: not Upload.objects.filter(finished_at=None).exists())
        assert gathering() == []

    @pytest.mark.slow
    def test_what_is_no_picture_is_warned_of_and_refused_by_its_content(self, window: Any) -> None:
        choose(window, ("fake.jpg", b"%PDF-1.7 words"))
        window.locator(".upload-said", has_text="This is a PDF document, and only photos").wait_for()
        found = Axe().run(window).response["violations"]
        assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == []
        window.set_input_files(
            "input[data-upload-input=files]",
            [{"name": "notes.txt", "mimeType": "text/plain", "buffer": picture()}],
        )
        row = state(window, "notes.txt", "Not sent")
        row.get_by_role("button", name="Send anyway").click()
        state(window, "notes.txt", "Uploaded")

    @pytest.mark.slow
    def test_a_folder_is_dropped(self, window: Any, owner: Account, tmp_path: Path) -> None:
        (tmp_path / "trip" / "day 1").mkdir(parents=True)
        data = {name: picture(name) for name in ("a.jpg", "day 1/b.jpg")}
        for name, content in data.items():
            (tmp_path / "trip" / name).write_bytes(content)
        window.set_input_files("input[data-upload-input=folder]", str(tmp_path / "trip"))
        state(window, "b.jpg", "Uploaded")
        window.locator("[data-upload-title]", has_text="2 uploaded").wait_for()
        dropped = picture("dropped")
        window.evaluate(
            """(bytes) => {
                const transfer = new DataTransfer();
                transfer.items.add(new File([new Uint8Array(bytes)], "dropped.jpg", { type: "image/jpeg" }));
                const said = { dataTransfer: transfer, bubbles: true, cancelable: true };
                for (const name of ["dragenter", "dragover", "drop"])
                    document.body.dispatchEvent(new DragEvent(name, said));
            }""",
            list(dropped),
        )
        state(window, "dropped.jpg", "Uploaded")
        assert sorted(kept_by(owner).values()) == sorted([*data.values(), dropped])

    @pytest.mark.slow
    def test_large_files_have_the_hash_that_others_compute(self, window: Any) -> None:
        data = bytes(range(256)) * 5000
        said = window.evaluate(
            """async (length) => {
                const { sha256 } = await import("/static/vendor/noble-hashes/sha2.js");
                const data = Uint8Array.from({ length }, (_, at) => at % 256);
                const hash = sha256.create();
                for (let at = 0; at < length; at += 7919) hash.update(data.subarray(at, at + 7919));
                return Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, "0")).join("");
            }""",
            len(data),
        )
        assert said == sha256(data)


def _cut_once():  # type: ignore[no-untyped-def]
    """The first PATCH is lost on the way."""
    lost: list[str] = []

    def handle(route: Any) -> None:
        if route.request.method == "PATCH" and not lost:
            lost.append(route.request.url)
            route.abort("connectionreset")
        else:
            route.fallback()

    return handle
