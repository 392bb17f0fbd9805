"""Search by meaning, from a preset in a folder to the photos on the page: real workers, real jobs, a real page."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.journeys.browsing import Browser
from tests.journeys.conftest import Installation
from tests.workers.ml.test_meaning import tiny

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PASSWORD = "a darkroom at night"
MADE = "SELECT count(*) FROM core_photo_meaning"


def shown(page: bytes) -> list[str]:
    return re.findall(r'id="m-([^"]+)"', page.decode())


def test_a_preset_is_added_photos_are_looked_at_and_found_by_what_words_mean(
    installation: Installation, serve: Callable[[], str], tmp_path: Path
) -> None:
    known = tiny(tmp_path / "disk" / "tiny_clip", "clip", "a red boat")
    for number in range(4):
        colours = np.random.default_rng(number).integers(0, 256, (5, 6, 3), np.uint8)
        picture = Image.fromarray(colours).resize((480, 400), Image.Resampling.BICUBIC)
        picture.save(installation.photos / f"{number}.jpg")
    browser = Browser(serve())
    browser.post("/welcome/", username="ada", password=PASSWORD)
    assert "text-image: not installed" in installation.manage("models")
    section = "/search/meaning/?meaning=A+red+boat"
    assert "there is no preset" in browser.get(section).decode()

    assert "added tiny_clip" in installation.manage("models", "add", str(tmp_path / "disk"))
    listed = installation.manage("models", "list", "text-image")
    version = re.search(r"text-image (clip [0-9a-f]{12}): ready", listed)
    assert version, listed
    installation.manage("import", str(installation.photos))
    worker = installation.start("worker")
    installation.until(MADE, 4, timeout=120)
    # The page asks, a worker answers while it waits; asked again, no worker is needed.
    first = shown(browser.get(section))
    kept = installation.rows("SELECT model, vector::real[] FROM core_text_meaning WHERE vector IS NOT NULL")
    assert kept[0][0] == version[1]
    assert kept[0][1] == pytest.approx(known["text"], abs=1e-5)
    pictures = installation.rows("SELECT photo_id::text, vector::real[] FROM core_photo_meaning")
    alike = {photo: float(np.dot(numbers, known["text"]) / np.linalg.norm(numbers)) for photo, numbers in pictures}
    assert len(first) == 4
    assert [alike[photo] for photo in first] == pytest.approx(sorted(alike.values(), reverse=True), abs=1e-4)
    events = installation.rows("SELECT data ->> 'model_version' FROM event WHERE type = 'photo.meaning_made'")
    assert {f"clip {one}" for (one,) in events} == {version[1]}
    installation.kill(worker)
    assert shown(browser.get(section)) == first
    page = browser.get("/search/?q=a+red+boat").decode()
    assert 'hx-get="/search/meaning/?meaning=a+red+boat"' in page
    # The web server has done all of this without TensorFlow.
    web = Path(f"/proc/{installation.processes[0].pid}/maps")
    assert not web.exists() or "tensorflow" not in web.read_text()
