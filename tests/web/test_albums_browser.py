"""Albums in a real browser: from a selection into an album and on inside it, and a search that is kept."""

import os
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from core.domain.photos import Label
from core.readmodels.albums import Album
from tests.web.browsing import CHROMIUM, RULES
from tests.web.conftest import Shelf, minute
from tests.web.test_looks import looked
from tests.web.test_search import SOMEWHERE

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium here"),
]


@pytest.fixture
def window_options() -> dict[str, Any]:
    # Without motion, so that colours are what they will be once a window is another one.
    return {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}


def fits_and_is_accessible(window: Any, name: str) -> None:
    for width, scheme in ((390, "light"), (390, "dark"), (1280, "light"), (1920, "dark")):
        window.set_viewport_size({"width": width, "height": 800})
        window.emulate_media(color_scheme=scheme)
        if folder := os.environ.get("FILMROLL_SHOTS"):
            window.screenshot(path=str(Path(folder) / f"{name}-{width}-{scheme}.png"))
        assert window.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        if width != 1920:
            found = Axe().run(window, options={"runOnly": RULES})
            assert found.response["violations"] == [], (name, width, found.generate_report())


def test_photos_are_put_into_an_album_by_keys_and_one_is_looked_at_inside_it(shelf: Shelf, window: Any) -> None:
    photos = [str(shelf.photo(f"{number}.jpg", taken=minute(number))) for number in range(4)]
    window.goto("/")
    window.locator("[data-select]:visible").wait_for()
    for photo in (photos[3], photos[1]):
        window.locator(f"#p-{photo}").focus()
        window.keyboard.press("x")
    fits_and_is_accessible(window, "album-selection")
    window.get_by_label("Album: one of yours").fill("Summer at the sea")
    window.keyboard.press("Enter")
    window.get_by_text("2 photos put into Summer at the sea.").wait_for()
    window.get_by_role("link", name="To the album").click()
    window.locator(".tile").nth(1).wait_for()
    assert window.locator(".tile").count() == 2
    window.locator(".album-history > summary").click()
    fits_and_is_accessible(window, "album-by-hand")
    # Inside the album one goes from photo to photo, and back to it.
    window.locator(f"#p-{photos[3]}").click()
    window.wait_for_url(f"**/photos/{photos[3]}/**")
    window.keyboard.press("ArrowRight")
    window.wait_for_url(f"**/photos/{photos[1]}/**")
    assert window.locator("a[rel=next]").count() == 0
    window.keyboard.press("Escape")
    window.wait_for_url("**/albums/*/*")
    # What is taken out goes at once, and comes back.
    tile = window.locator(f"#p-{photos[1]}")
    tile.focus()
    window.keyboard.press("x")
    fits_and_is_accessible(window, "album-selecting")
    window.get_by_role("button", name="Take out").click()
    window.get_by_text("1 photo taken out of").wait_for()
    tile.wait_for(state="detached")
    window.get_by_role("button", name="Undo").first.click()
    tile.wait_for()


def test_a_search_becomes_an_album_and_its_rule_is_changed_there(shelf: Shelf, window: Any) -> None:
    for number in range(6):
        photo = shelf.photo(
            f"{number}.jpg", taken=minute(number), rating=number, iso=100 * 2**number, aperture=2.8
        )
        shelf.label(photo, Label("cat", 0.9, SOMEWHERE))
    window.goto("/albums/")
    fits_and_is_accessible(window, "albums-empty")
    window.goto("/search/?label=cat&rating=3")
    window.locator(".album-save > summary").click()
    fits_and_is_accessible(window, "search-save")
    window.get_by_label("Name of the album").fill("Good cats")
    window.keyboard.press("Enter")
    window.wait_for_url("**/albums/*/")
    assert window.locator(".tile").count() == 3
    fits_and_is_accessible(window, "album-by-rule")
    window.get_by_role("link", name="Change the rule").click()
    window.get_by_role("link", name="Rating").click()
    window.locator(".filters > summary").click()
    window.get_by_label("ISO, from").fill("800")
    fits_and_is_accessible(window, "search-editing")
    window.keyboard.press("Enter")
    window.wait_for_url("**iso=800..*")
    window.get_by_role("button", name="Save the rule").click()
    window.wait_for_url("**/albums/*/")
    window.get_by_text("800 or more").wait_for()
    assert window.locator(".tile").count() == 3
    window.goto("/albums/")
    window.get_by_label("Name of a new album").fill("Empty")
    window.keyboard.press("Enter")
    window.get_by_text("Nothing in it yet").wait_for()
    fits_and_is_accessible(window, "album-nothing")
    window.goto("/albums/")
    fits_and_is_accessible(window, "albums")
    window.get_by_role("link", name="Empty").click()
    window.get_by_role("button", name="Remove the album").click()
    window.get_by_text("This album was removed").wait_for()
    window.goto("/albums/?show=removed")
    fits_and_is_accessible(window, "albums-removed")
    window.get_by_role("button", name="Bring back").click()
    window.get_by_text("Nothing in it yet").wait_for()
    assert not Album.objects.filter(removed=True).exists()


def test_in_the_panel_a_style_is_corrected_and_a_photo_put_into_an_album_and_the_eye_stays_where_it_was(
    shelf: Shelf, window: Any
) -> None:
    photo = shelf.photo("one.jpg", keywords=["sea"], camera_model="K-1", iso=100)
    looked(photo, ("azure", 0.6, "#3d8be8"), styles=("vivid",))
    window.goto(f"/photos/{photo}/")
    window.get_by_role("button", name="Take the style vivid off").click()
    window.get_by_role("button", name="Take the style vivid off").wait_for(state="detached")
    place = window.locator("#details").evaluate("one => one.scrollTop")
    assert place > 0
    window.locator('.edit[data-edit="style"] summary').click()
    window.get_by_label("Style", exact=True).select_option("sepia")
    window.locator('.edit[data-edit="style"] .button-main').click()
    window.get_by_role("button", name="Take the style sepia off").wait_for()
    window.locator('.edit[data-edit="album"] summary').click()
    window.get_by_label("Album: one of yours").fill("Summer")
    window.keyboard.press("Enter")
    window.get_by_role("button", name="Take out of Summer").wait_for()
    assert window.locator("#details").evaluate("one => one.scrollTop") >= place
    window.set_viewport_size({"width": 390, "height": 800})
    window.locator(".stage-bar [data-toggle-panel]").click()
    window.locator(".viewer.sheet").wait_for()
    fits_and_is_accessible(window, "album-panel")
