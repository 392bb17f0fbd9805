"""A review of duplicates by keyboard in a real browser, and the comparison at the same spot."""

from typing import Any
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe

from core.readmodels.photos import Photo
from tests.web.browsing import CHROMIUM, RULES
from tests.web.conftest import Shelf
from tests.web.test_duplicates import alike

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium here"),
]


def out_of_sight() -> set[Any]:
    return set(Photo.objects.filter(duplicate_of__isnull=False).values_list("id", flat=True))


def wait_for_focus(window: Any, group: UUID) -> None:
    window.wait_for_function("id => document.activeElement.id === id", arg=f"g-{group}")


@pytest.mark.slow
def test_a_review_by_keyboard(shelf: Shelf, window: Any) -> None:
    groups = sorted((alike(shelf, number) for number in range(3)), key=min)
    window.goto("/duplicates/")
    assert [Axe().run(window, options={"runOnly": RULES}).response["violations"]] == [[]]
    keys = window.keyboard
    keys.press("j")
    wait_for_focus(window, min(groups[0]))
    keys.press("2")
    keys.press("b")
    window.get_by_text("is kept; 1 other no longer").wait_for()
    assert out_of_sight() == {groups[0][0]}
    # The next one has the focus, without a touch of the mouse.
    wait_for_focus(window, min(groups[1]))
    keys.press("a")
    window.get_by_text("All 2 are kept").wait_for()
    wait_for_focus(window, min(groups[2]))
    keys.press("u")
    window.get_by_text("All 2 are kept").wait_for(state="detached")
    wait_for_focus(window, min(groups[1]))
    keys.press("u")
    window.get_by_text("is kept; 1 other no longer").wait_for(state="detached")
    assert out_of_sight() == set()
    assert window.locator("[data-group]").count() == 3


def test_large_pictures_are_zoomed_at_the_same_spot_and_laid_over_one_another(shelf: Shelf, window: Any) -> None:
    photos = alike(shelf)
    window.goto(f"/duplicates/{min(photos)}/")
    assert [Axe().run(window, options={"runOnly": RULES}).response["violations"]] == [[]]
    boxes = "all => all.map(one => getComputedStyle(one).transform + getComputedStyle(one).transformOrigin)"
    pictures = window.locator(".alike-picture")
    pictures.first.click(position={"x": 60, "y": 40})
    zoomed = window.eval_on_selector_all(".alike-picture img", boxes)
    assert zoomed[0].startswith("matrix(3, 0, 0, 3") and zoomed[0] == zoomed[1]
    window.keyboard.press("f")
    assert [pictures.nth(n).is_visible() for n in (0, 1)] == [True, False]
    window.keyboard.press("f")
    assert [pictures.nth(n).is_visible() for n in (0, 1)] == [False, True]
    window.get_by_role("button", name="Keep the chosen one").click()
    window.get_by_text("Done, for 1 photo").wait_for()
    assert out_of_sight() == {photos[1]}
