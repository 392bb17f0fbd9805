"""Search by keyboard in a real browser, boxes over the picture, and pages that fit every window."""

import os
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from core.accounts import Account
from core.commands.occasions import name_date
from core.domain.photos import Label
from tests.web.browsing import CHROMIUM, RULES, wait_until
from tests.web.conftest import Shelf
from tests.web.test_search import in_paris

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium here"),
]
WIDTHS = (390, 820, 1920)


@pytest.fixture
def window_options() -> dict[str, Any]:
    return {"viewport": {"width": 390, "height": 800}, "reduced_motion": "reduce"}


@pytest.mark.slow
def test_from_some_letters_to_a_photo_its_boxes_and_back(shelf: Shelf, window: Any, owner: Account) -> None:
    photo = in_paris(shelf, taken="2023-12-25T10:00:00", keywords=["party"], camera_model="Pentax K-1")
    shelf.label(photo, Label("dog", 0.9, (0.1, 0.2, 0.6, 0.9)), Label("cat", 0.8, (0.7, 0.0, 1.0, 0.4)))
    shelf.photo("other.jpg", keywords=["party"])
    name_date(owner.pk, "A fair", 5, 1, actor="account:1")

    window.goto("/search/?keyword=party")
    window.keyboard.press("/")
    window.keyboard.type("par")
    window.get_by_role("link", name="Paris, Île-de-France, France").first.wait_for()
    window.keyboard.press("ArrowDown")
    window.keyboard.press("Enter")
    window.wait_for_url("**/search/?keyword=party&place=*")
    assert window.locator(".tile").count() == 1
    assert window.get_by_role("link", name="take this filter away").count() == 2
    _fits_and_is_accessible(window, "search")

    window.locator(f"#p-{photo}").click()
    _boxes(window)
    _fits_and_is_accessible(window, "viewer")
    window.keyboard.press("Escape")
    window.wait_for_url("**/search/?keyword=party&place=*")

    for address in ("/search/", "/places/", "/dates/"):
        window.goto(address)
        for summary in window.locator("main details > summary").all():
            if not summary.evaluate("one => one.parentElement.open"):
                summary.click()
        _fits_and_is_accessible(window, address.strip("/") + "-open")
    window.set_viewport_size({"width": 390, "height": 800})
    window.locator(".rail-menu > summary").click()
    window.get_by_role("link", name="Duplicates").wait_for()


def _boxes(window: Any) -> None:
    """Shown by the key b, where they belong, with labels inside the picture; remembered by the browser."""
    shown = "[...document.querySelectorAll('.box')].map(one => getComputedStyle(one).opacity).join()"
    window.locator(".box").nth(1).wait_for(state="attached")
    assert window.evaluate(shown) == "0,0"
    window.keyboard.press("b")
    wait_until(lambda: window.evaluate(shown) == "1,1")
    window.reload()
    wait_until(lambda: window.evaluate(shown) == "1,1")
    assert window.locator("[data-toggle-boxes]").get_attribute("aria-pressed") == "true"
    picture = window.locator(".picture").bounding_box()
    for label in window.locator(".box span").all():
        box = label.bounding_box()
        assert box["x"] >= picture["x"] - 3
        assert box["x"] + box["width"] <= picture["x"] + picture["width"] + 3
    window.locator("[data-toggle-boxes]").click()
    wait_until(lambda: window.evaluate(shown) == "0,0")
    window.keyboard.press("b")


def _fits_and_is_accessible(window: Any, name: str) -> None:
    for width, scheme in zip(WIDTHS, ("dark", "light", "dark"), strict=True):
        window.set_viewport_size({"width": width, "height": 800})
        window.emulate_media(color_scheme=scheme)
        assert window.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        if folder := os.environ.get("FILMROLL_SHOTS"):
            window.screenshot(path=str(Path(folder) / f"{name}-{width}-{scheme}.png"))
        if width != 820:
            found = Axe().run(window, options={"runOnly": RULES})
            assert found.response["violations"] == [], (name, width, found.generate_report())
