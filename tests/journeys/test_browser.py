"""The main way through the product, in a real browser, as a new owner would go it."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.journeys.conftest import Installation
from tests.journeys.scenes import save_scenes

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
DOCS = Path(__file__).parents[2] / "docs"
PASSWORD = "a darkroom at night"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Chromium is not here"),
]


@pytest.fixture
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=60_000)  # for a slow machine: what is expected comes as soon as it can
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()


def test_a_new_owner_makes_an_account_watches_photos_arrive_and_mends_a_failure(
    installation: Installation, serve: Callable[[], str], chromium: Browser
) -> None:
    photos = 24 if os.environ.get("FILMROLL_SCREENSHOT") else 8
    save_scenes(installation.photos / "summer", photos)
    broken = installation.photos / "summer" / "broken.jpg"
    broken.write_bytes((installation.photos / "summer" / "P1001.jpg").read_bytes()[:20_000])
    address = serve()
    page = chromium.new_page(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)

    make_account(page, address)
    expect(page.locator("main")).to_contain_text("photos")
    installation.manage("import", str(installation.photos))
    installation.start("worker")
    installation.status(wait_idle=True)
    page.goto(address)
    tiles = page.locator("a[href^='/photos/'] img")
    expect(tiles).to_have_count(photos)
    expect(page.get_by_role("heading", name="17 Aug 2024")).to_be_visible()
    page.wait_for_function(
        "[...document.querySelectorAll('a[href^=\"/photos/\"] img')].slice(0, 8).every(i => i.complete)"
    )
    page.wait_for_timeout(400)  # the tiles fade in
    keep_screenshot(page, installation.folder)

    look_through_the_viewer(page, address)
    mend_the_broken_one(page, address, installation, broken, photos + 1)
    assert errors == []


def make_account(page: Page, address: str) -> None:
    page.goto(address)
    expect(page).to_have_url(f"{address}/welcome/")
    page.get_by_label("Your name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{address}/")


def look_through_the_viewer(page: Page, address: str) -> None:
    page.locator("a[href^='/photos/']").first.click()
    expect(page).to_have_title("P1000.jpg · Filmroll")
    page.wait_for_load_state()  # the keys' script comes after the page
    page.keyboard.press("ArrowRight")
    expect(page).to_have_title("P1001.jpg · Filmroll")
    page.wait_for_load_state()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_title("P1000.jpg · Filmroll")
    expect(page.get_by_text("Paintbox 1")).to_be_visible()
    expect(page.get_by_text("1/250 s")).to_be_visible()
    expect(page.get_by_text(re.compile("Previews made of 1,800 . 1,200 pixels"))).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{address}/")


def mend_the_broken_one(page: Page, address: str, installation: Installation, broken: Path, photos: int) -> None:
    """The failures page says in plain words what is wrong; with the file put right, Retry makes it a photo."""
    page.goto(f"{address}/failures/")
    expect(page.get_by_text("broken.jpg").first).to_be_visible()
    expect(page.get_by_text("This file ends in the middle")).to_be_visible()
    page.goto(f"{address}/jobs/dead/")
    expect(page.get_by_text("This file ends in the middle").first).to_be_visible()
    page.goto(f"{address}/failures/")
    page.get_by_role("button", name="Retry broken.jpg").click()
    installation.until("SELECT count(*) FROM job_attempt WHERE outcome = 'dead'", 2)
    whole = Image.open(installation.photos / "summer" / "P1001.jpg").rotate(180)
    whole.save(broken, quality=88)
    installation.manage("import", str(broken))
    installation.status(wait_idle=True)
    page.goto(address)
    expect(page.locator("a[href^='/photos/'] img")).to_have_count(photos)
    page.goto(f"{address}/failures/")
    expect(page.get_by_text("broken.jpg")).to_have_count(0)


def keep_screenshot(page: Page, folder: Path) -> None:
    """The README's picture; `FILMROLL_SCREENSHOT=1` puts it into docs/."""
    page.screenshot(path=folder / "timeline.png")
    if os.environ.get("FILMROLL_SCREENSHOT"):
        Image.open(folder / "timeline.png").save(DOCS / "timeline.webp", quality=82, method=6)
