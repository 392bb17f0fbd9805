"""One photo's way from a file on disk to a tile on the page."""

import io
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable

import pytest
from PIL import Image

from tests.journeys.browsing import Browser
from tests.journeys.conftest import Installation
from tests.journeys.pictures import make_picture

PASSWORD = "a darkroom at night"


def test_a_file_becomes_a_tile_on_the_page_and_a_program_with_a_key_reads_it(
    installation: Installation, serve: Callable[[], str]
) -> None:
    original = make_picture(installation.photos / "2024" / "garden.jpg", 5, (1600, 1200), quality=90)
    installation.manage("import", str(installation.photos))
    installation.start("worker")
    browser = Browser(serve())
    assert installation.status(wait_idle=True)["photos"] == {"shown": 1, "waiting": 0, "failed": 0, "skipped": 0}

    browser.post("/welcome/", username="ada", password=PASSWORD)
    page = browser.get("/").decode()
    tile = re.search(r'"(/photos/([0-9a-f-]{36})/tile/[^"]+\.webp)"', page)
    assert tile, page
    picture = Image.open(io.BytesIO(browser.get(tile[1])))
    assert picture.format == "WEBP"
    assert picture.width / picture.height == pytest.approx(4 / 3, rel=0.01)
    assert "exif" not in picture.info
    assert browser.get(f"/photos/{tile[2]}/original") == original.read_bytes()

    history = [
        row[0] for row in installation.rows("SELECT type FROM event WHERE stream_id = %s", f"photo-{tile[2]}")
    ]
    assert history[:3] == ["photo.imported", "photo.metadata_read", "photo.previews_rendered"]
    a_program_with_a_key_reads_the_photo_and_one_without_is_refused(installation, browser.address, tile[2])


def a_program_with_a_key_reads_the_photo_and_one_without_is_refused(
    installation: Installation, address: str, photo: str
) -> None:
    key = installation.manage("api_key", "create", "backup script").strip()

    def ask(path: str, key: str) -> dict[str, object]:
        request = urllib.request.Request(address + path, headers={"Authorization": f"Bearer {key}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            made: dict[str, object] = json.load(answer)
        return made

    listed = ask("/api/v1/photos", key)["photos"]
    assert isinstance(listed, list)
    assert [one["id"] for one in listed] == [photo]
    detail = ask(f"/api/v1/photos/{photo}", key)
    assert detail["name"] == "garden.jpg"
    facts = detail["facts"]
    assert isinstance(facts, dict)
    assert facts["taken_at"]["source"] == "file time"
    assert ask("/api/v1/jobs", key)["jobs"]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        ask("/api/v1/photos", "filmroll_wrong")
