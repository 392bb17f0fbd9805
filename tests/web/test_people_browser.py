"""People in a real browser: who looks alike, a name, faces ticked and split off, and the way back."""

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from core.readmodels.faces import Face, Person
from tests.web.browsing import CHROMIUM, RULES, wait_until
from tests.web.conftest import Shelf
from tests.web.peopling import find_faces, person_of, snap
from tests.web.test_people_page import half_alike

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium here"),
]


@pytest.fixture
def window_options() -> dict[str, Any]:
    return {"viewport": {"width": 1100, "height": 800}, "reduced_motion": "reduce"}


def looks_right(window: Any) -> None:
    """Accessible and inside the screen, from a phone to a large screen, light and dark."""
    for width, scheme in ((390, "dark"), (1100, "light"), (1920, "dark")):
        window.set_viewport_size({"width": width, "height": 800})
        window.emulate_media(color_scheme=scheme)
        found = Axe().run(window, options={"runOnly": RULES}).response["violations"]
        assert found == [], [(one["id"], one["nodes"][0]["html"]) for one in found]
        assert window.evaluate("document.documentElement.scrollWidth") <= width
    window.set_viewport_size({"width": 1100, "height": 800})


def test_people_are_named_asked_about_split_and_brought_back(shelf: Shelf, window: Any) -> None:
    faces = [snap(shelf, number, "ann", "bo") for number in (1, 2, 3)]
    [odd] = find_faces(shelf.photo("odd.jpg"), half_alike("ann"))
    ann = person_of(faces[0][0])
    window.goto("/people/")
    looks_right(window)
    window.get_by_role("button", name="Yes").click()
    window.get_by_text("This face is theirs now").wait_for()
    assert person_of(odd) == ann
    # A name by keyboard, from the grid.
    tile = window.locator("li", has=window.locator(f"a[href='/people/{ann}/']")).last
    tile.get_by_placeholder("Name").fill("Ann")
    window.keyboard.press("Enter")
    window.get_by_role("heading", name="Ann").wait_for()
    looks_right(window)
    boxes = window.locator("input[name=face]")
    assert boxes.count() == 4
    boxes.first.click()
    boxes.nth(1).click(modifiers=["Shift"])
    window.get_by_text("2 faces ticked").wait_for()
    window.get_by_role("button", name="Split off").click()
    window.get_by_text("2 faces moved to a person of their own").first.wait_for()
    assert boxes.count() == 2 and Face.objects.filter(person_id=ann).count() == 2
    window.get_by_role("button", name=re.compile("Undo.*: 2 faces moved")).click()
    window.get_by_text("Undone: 2 faces moved").first.wait_for()
    assert boxes.count() == 4
    # Enter after a name moves them there, whatever the first button is that one sees.
    boxes.first.click()
    window.get_by_label("Whose the ticked faces are").fill("Eve")
    window.keyboard.press("Enter")
    window.get_by_text("1 face moved to Eve").first.wait_for()
    window.get_by_role("button", name=re.compile("Undo.*: 1 face moved to Eve")).click()
    window.get_by_text("Undone: 1 face moved to Eve").first.wait_for()
    assert boxes.count() == 4
    # The other person is the same one; and is not.
    bo = person_of(faces[0][1])
    window.goto(f"/people/{bo}/")
    window.get_by_placeholder("Name").first.fill("Ann")
    window.get_by_role("button", name="Merge").click()
    window.wait_for_url(f"**/people/{ann}/")
    window.get_by_role("button", name=re.compile("Undo.*Somebody without a name and Ann")).click()
    wait_until(lambda: Person.objects.get(id=bo).root_id == bo)
    # In the photo itself.
    window.goto(f"/photos/{Face.objects.get(id=faces[0][1]).photo_id}/")
    if not window.get_by_role("heading", name="People").is_visible():
        window.keyboard.press("i")
    window.get_by_text("Who is it?").click()
    window.locator(".edit [name=name]:focus").wait_for()
    window.keyboard.type("Bo")
    window.get_by_role("button", name="Say who").click()
    window.get_by_text("Not Bo?").wait_for()
    assert Person.objects.get(id=bo).name == "Bo"
