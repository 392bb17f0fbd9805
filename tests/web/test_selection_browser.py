"""Selecting, editing and reading tags in a real browser: by mouse, by touch and by keys alone."""

from typing import Any
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe

from core.readmodels.photos import Photo
from core.readmodels.stacks import StackMember
from tests.web.browsing import CHROMIUM, RULES, wait_until
from tests.web.conftest import Shelf, minute

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium here"),
]


@pytest.fixture
def window_options() -> dict[str, Any]:
    return {"viewport": {"width": 1100, "height": 800}, "has_touch": True}


LONG_PRESS = """tile => {
  const told = { bubbles: true, cancelable: true, pointerType: "touch", pointerId: 1 };
  tile.dispatchEvent(new PointerEvent("pointerdown", told));
  return new Promise((done) => setTimeout(() => {
    tile.dispatchEvent(new PointerEvent("pointerup", told));
    tile.click();
    done();
  }, 700));
}"""


def selected(window: Any) -> list[str]:
    return window.eval_on_selector_all('.tile[aria-checked="true"]', "all => all.map(one => one.id.slice(2))")


def ready(window: Any) -> None:
    window.goto("/")
    window.locator("[data-select]:visible").wait_for()


def test_photos_are_selected_by_mouse_touch_and_keys_and_what_is_done_is_taken_back(
    shelf: Shelf, window: Any
) -> None:
    photos = [str(shelf.photo(f"{number}.jpg", taken=minute(number))) for number in range(5)][::-1]
    ready(window)
    tile = {photo: window.locator(f"#p-{photo}") for photo in photos}
    # The mouse: Ctrl begins, a click goes on, Shift takes all between.
    tile[photos[0]].click(modifiers=["Control"])
    tile[photos[1]].click()
    tile[photos[1]].click()
    tile[photos[3]].click(modifiers=["Shift"])
    assert selected(window) == photos[:4]
    assert [Axe().run(window, options={"runOnly": RULES}).response["violations"]] == [[]]
    window.get_by_role("button", name="Favourite").click()
    window.get_by_text("4 photos now among the favourites.").wait_for()
    assert Photo.objects.filter(favourite=True).count() == 4
    window.get_by_role("button", name="Undo").click()
    window.get_by_text("Taken back for 4 photos.").wait_for()
    assert not Photo.objects.filter(favourite=True).exists()
    # Keys alone: Escape ends it, x begins anew, Space and arrows of the browser's own.
    window.keyboard.press("Escape")
    assert selected(window) == [] and window.locator("#selection").is_hidden()
    tile[photos[4]].focus()
    window.keyboard.press("x")
    tile[photos[2]].focus()
    window.keyboard.press("Space")
    assert selected(window) == [photos[2], photos[4]]
    window.get_by_label("Keywords, with commas between").fill("lake")
    window.keyboard.press("Enter")
    window.get_by_text("lake: added to 2 photos.").wait_for()
    window.get_by_role("button", name="Stack").click()
    window.get_by_text("2 photos are shown as one.").wait_for()
    # The one that was chosen first is on top; the other tile is gone, and this one says how many it stands for.
    tile[photos[2]].wait_for(state="detached")
    window.locator(f"#p-{photos[4]} .tile-mark").wait_for()
    assert StackMember.objects.get(tucked=True).photo_id == UUID(photos[2])
    window.get_by_role("button", name="Undo").click()
    window.locator(f"#p-{photos[2]}").wait_for()
    # A finger: a long press begins, and is no click.
    ready(window)
    window.locator(f"#p-{photos[1]}").evaluate(LONG_PRESS)
    assert selected(window) == [photos[1]]
    window.locator(f"#p-{photos[3]}").tap()
    assert selected(window) == [photos[1], photos[3]]
    window.keyboard.press("Control+a")
    assert len(selected(window)) == 5
    window.set_viewport_size({"width": 390, "height": 800})
    assert window.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_in_the_viewer_keys_give_stars_and_a_heart_and_forms_open_close_and_keep_the_focus(
    shelf: Shelf, window: Any
) -> None:
    photo = shelf.photo("one.jpg")
    window.goto(f"/photos/{photo}/")
    window.locator("#details .heart button").wait_for()

    def now() -> Photo:
        return Photo.objects.get(id=photo)

    window.keyboard.press("4")
    wait_until(lambda: now().rating == 4)
    window.keyboard.press("f")
    wait_until(lambda: now().favourite)
    window.locator('.edit[data-edit="title"] summary').click()
    field = window.locator('.edit[data-edit="title"] [name="value"]')
    window.locator('.edit[data-edit="title"] [name="value"]:focus').wait_for()
    # Numbers typed into a field are no stars, and Escape closes the form, not the viewer.
    window.keyboard.type("Lake 5")
    window.keyboard.press("Escape")
    assert field.is_hidden() and f"/photos/{photo}/" in window.url
    assert window.locator('.edit[data-edit="title"] summary').evaluate("one => one === document.activeElement")
    window.keyboard.press("Enter")
    field.fill("Lake 2")
    window.keyboard.press("Enter")
    wait_until(lambda: now().facts.get("title", {}).get("value") == "Lake 2")
    assert now().rating == 4
    window.locator('.edit[data-edit="title"] summary', has_text="").wait_for()


def test_on_a_phone_values_of_tags_have_the_whole_row(shelf: Shelf, window: Any) -> None:
    photo = shelf.photo("one.jpg")
    window.set_viewport_size({"width": 390, "height": 800})
    window.goto(f"/photos/{photo}/metadata/")
    window.locator(".tags-row dd").first.wait_for()
    shares = "all => all.map(one => one.offsetWidth / one.parentElement.offsetWidth)"
    assert min(window.eval_on_selector_all(".tags-row dd", shares)) > 0.95
