"""The pages in a real browser: what scripts, styles and live signals do together."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from core.accounts import Account
from core.domain.photos import Label
from core.readmodels.photos import Photo
from core.web import live
from tests.web.browsing import CHROMIUM, NOWHERE, PHONE, RULES, WIDE, wait_until
from tests.web.conftest import PASSWORD, Shelf, minute

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium here"),
]


@pytest.fixture
def signed_in(visit: Any, site: str, owner: Account) -> Any:
    """Opens a window before the timeline, with the owner's session in its cookies."""
    client = Client()
    client.force_login(owner)
    session = client.cookies["sessionid"].value

    def open_window(**options: Any) -> Any:
        window = visit(**options)
        window.context.add_cookies([{"name": "sessionid", "value": session, "url": site}])
        window.goto("/")
        return window

    return open_window


def tiles(window: Any) -> list[str]:
    return window.eval_on_selector_all(".tile", "tiles => tiles.map(tile => tile.id.slice(2))")


def shown_pictures(window: Any, selector: str = ".tile img") -> int:
    return window.eval_on_selector_all(selector, "all => all.filter(one => one.naturalWidth > 0).length")


def test_from_the_first_visit_to_a_photo_that_appears_by_itself(visit: Any, tmp_path: Path) -> None:
    window = visit()
    window.goto("/")
    window.get_by_label("Your name").fill("ada")
    window.get_by_label("Password").fill("correct horse battery")
    window.get_by_role("button", name="Make the account").click()
    window.get_by_text("Your photos will be here").wait_for()
    from core.commands.libraries import add_library

    (tmp_path / "in").mkdir()
    shelf = Shelf(add_library(tmp_path / "in", actor="cli"), tmp_path / "in", Account.objects.get())
    photo = shelf.photo("beach.jpg")
    window.locator(f"#p-{photo} img").wait_for()
    wait_until(lambda: shown_pictures(window) == 1)


def test_signing_in_leads_on_to_the_page_that_was_asked_for(visit: Any, owner: Account) -> None:
    window = visit()
    window.goto("/failures/")
    window.get_by_label("Name").fill("olga")
    window.get_by_label("Password").fill(PASSWORD)
    window.keyboard.press("Enter")
    window.get_by_text("All good").wait_for()


@pytest.mark.slow
def test_the_timeline_goes_on_by_itself_to_the_last_photo(
    shelf: Shelf, signed_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.web.timeline.PAGE", 12)
    made = [str(shelf.photo(f"{n}.jpg", taken=f"20{10 + n // 12}-{n % 12 + 1:02}-03T10:00:00")) for n in range(50)]
    window = signed_in(viewport={"width": 500, "height": 600})
    window.mouse.move(200, 300)
    for _ in range(100):
        if len(tiles(window)) == len(made):
            break
        window.mouse.wheel(0, 1500)
        window.wait_for_timeout(30)
    assert tiles(window) == made[::-1]


def test_rows_keep_each_photos_shape_and_one_height(shelf: Shelf, signed_in: Any) -> None:
    for n, size in enumerate([(600, 400), (400, 600), (800, 400), (600, 600)] * 4):
        shelf.photo(f"{n}.jpg", taken=minute(n), size=size)
    window = signed_in()
    window.locator(".tile").first.wait_for()
    boxes = window.eval_on_selector_all(
        ".tile",
        "tiles => tiles.map(tile => { const box = tile.getBoundingClientRect();"
        " return [box.top, box.width, box.height, Number(tile.style.getPropertyValue('--r'))] })",
    )
    for _, width, height, ratio in boxes:
        assert width / height == pytest.approx(ratio, rel=0.02)
    rows = {top: {round(one[2]) for one in boxes if one[0] == top} for top, *_ in boxes}
    assert len(rows) > 1
    assert all(max(heights) - min(heights) <= 1 for heights in rows.values())
    assert window.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.slow
def test_newer_photos_join_above_without_moving_what_is_looked_at(
    shelf: Shelf, signed_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.web.timeline.PAGE", 12)
    made = [str(shelf.photo(f"{n}.jpg", taken=f"2020-{n // 2 + 1:02}-0{n % 2 + 1}T10:00:00")) for n in range(24)]
    window = signed_in(viewport={"width": 600, "height": 500})
    window.goto("/?from=2020-06-30")
    window.evaluate("scrollTo(0, 200)")
    anchor = window.locator(f"#p-{made[9]}")
    place = anchor.bounding_box()["y"]
    window.locator(f"#p-{made[-1]}").wait_for(state="attached")
    assert anchor.bounding_box()["y"] == pytest.approx(place, abs=3)


def test_keys_walk_through_the_photos_and_escape_leads_back_to_the_same_place(
    shelf: Shelf, signed_in: Any, site: str
) -> None:
    made = [str(shelf.photo(f"{n}.jpg", taken=f"2020-01-{n + 1:02}T10:00:00", size=(400, 600))) for n in range(28)]
    window = signed_in(viewport={"width": 600, "height": 500})
    window.evaluate("scrollTo(0, 700)")
    place = window.evaluate("scrollY")
    assert place > 300
    # The first tile that is wholly in sight.
    shown = window.evaluate(
        "[...document.querySelectorAll('.tile')].find(one => one.getBoundingClientRect().top > 90).id.slice(2)"
    )
    at = made.index(shown)
    window.locator(f"#p-{shown}").click()
    window.wait_for_url(f"**/photos/{shown}/")
    for key, step in [("ArrowRight", -1), ("j", -1), ("ArrowLeft", 1), ("k", 1), ("ArrowRight", -1)]:
        at += step
        window.keyboard.press(key)
        window.wait_for_url(f"**/photos/{made[at]}/")
        wait_until(lambda name=f"{at}.jpg": window.title().startswith(name))
        wait_until(lambda: shown_pictures(window, ".picture img") == 1)
    window.keyboard.press("Escape")
    window.wait_for_url(f"{site}/")
    wait_until(lambda: window.evaluate("document.activeElement.id") == f"p-{made[at]}")
    assert window.evaluate("scrollY") == pytest.approx(place, abs=250)


def test_a_viewer_opened_by_its_address_goes_back_to_the_photos_day(shelf: Shelf, signed_in: Any) -> None:
    photo = shelf.photo(taken="2020-05-16T10:00:00")
    window = signed_in()
    window.goto(f"/photos/{photo}/")
    window.keyboard.press("Escape")
    window.wait_for_url(f"**/?from=2020-05-16#p-{photo}")


def test_the_panel_is_remembered_and_boxes_show_on_focus(shelf: Shelf, signed_in: Any) -> None:
    photo = shelf.photo()
    shelf.label(photo, Label("dog", 0.9, (0.1, 0.2, 0.6, 0.9)))
    window = signed_in()
    window.goto(f"/photos/{photo}/")
    window.get_by_role("button", name="dog 90 %").focus()
    wait_until(lambda: window.evaluate("getComputedStyle(document.querySelector('.box')).opacity") == "1")
    picture, box = (window.locator(one).bounding_box() for one in (".picture", ".box"))
    assert (box["x"] - picture["x"]) / picture["width"] == pytest.approx(0.1, abs=0.01)
    assert box["height"] / picture["height"] == pytest.approx(0.7, abs=0.01)
    window.keyboard.press("i")
    assert not window.locator("#details").is_visible()
    window.reload()
    assert not window.locator("#details").is_visible()
    window.keyboard.press("i")
    assert window.locator("#details").is_visible()


def test_on_a_phone_the_details_are_a_sheet_and_escape_closes_it_first(shelf: Shelf, signed_in: Any) -> None:
    photo = shelf.photo()
    window = signed_in(viewport=PHONE, has_touch=True)
    window.goto(f"/photos/{photo}/")
    assert not window.locator("#details").is_visible()
    window.get_by_role("button", name="Details (i)").click()
    window.locator("#details").wait_for(state="visible")
    window.keyboard.press("Escape")
    window.locator("#details").wait_for(state="hidden")
    assert window.url.endswith(f"/photos/{photo}/")


def test_on_a_phone_with_a_keyboard_i_and_escape_do_what_they_do_elsewhere(
    shelf: Shelf, signed_in: Any, site: str
) -> None:
    photo = shelf.photo()
    window = signed_in(viewport=PHONE, has_touch=True, is_mobile=True)
    window.locator(f"#p-{photo}").click()
    window.wait_for_url(f"**/photos/{photo}/")
    wait_until(lambda: shown_pictures(window, ".picture img") == 1)
    for key, state in [("i", "visible"), ("i", "hidden"), ("i", "visible"), ("Escape", "hidden")]:
        window.keyboard.press(key)
        window.locator("#details").wait_for(state=state)
    assert window.url.endswith(f"/photos/{photo}/")
    window.keyboard.press("Escape")
    window.wait_for_url(f"{site}/")


@pytest.mark.parametrize(("system", "chosen", "dark"), [("dark", "", True), ("dark", "light", False)])
@pytest.mark.slow
def test_the_api_documentation_follows_the_look(
    system: str, chosen: str, dark: bool, signed_in: Any, site: str
) -> None:
    window = signed_in(color_scheme=system)
    if chosen:
        window.context.add_cookies([{"name": "appearance", "value": chosen, "url": site}])
    window.goto("/api/v1/docs")
    window.get_by_text("Every photo, every fact and its source").wait_for()
    red, green, blue = (int(n) for n in re.findall(r"\d+", background(window))[:3])
    assert (red + green + blue < 200) == dark


def background(window: Any) -> str:
    """The colour behind the page."""
    colours = window.evaluate(
        "[document.body, document.documentElement].map(one => getComputedStyle(one).backgroundColor)"
    )
    return next((colour for colour in colours if colour != "rgba(0, 0, 0, 0)"), "rgb(255, 255, 255)")


def test_a_waiting_tile_gets_its_picture_where_it_stands(shelf: Shelf, signed_in: Any) -> None:
    photo = shelf.photo("soon.jpg", ready=False)
    window = signed_in()
    window.locator(f"#p-{photo}.tile-waiting").wait_for()
    before = window.locator(f"#p-{photo}").bounding_box()
    shelf.render(photo, (400, 600))
    window.locator(f"#p-{photo} img").wait_for()
    assert window.locator(f"#p-{photo}").bounding_box() == before


def test_what_is_signalled_while_a_part_is_fetched_is_fetched_once_more(shelf: Shelf, signed_in: Any) -> None:
    soon, bad = shelf.photo("soon.jpg", ready=False), shelf.photo("bad.jpg", ready=False)
    window = signed_in()
    window.get_by_text("2 to go").wait_for()
    window.evaluate("window.told = 0; addEventListener('htmx:sseMessage', () => { told = performance.now() })")
    held: dict[str, tuple[Any, Any]] = {}

    def hold(route: Any) -> None:
        name = route.request.url.split("?")[0]
        if name in held:
            route.continue_()
        else:
            held[name] = (route, route.fetch())

    for address in ("**/tiles/*", "**/progress/"):
        window.route(address, hold)
    signal()
    wait_until(lambda: window.evaluate("told") and len(held) == 2)
    before = window.evaluate("told")
    shelf.render(soon)
    shelf.fail(bad)
    wait_until(lambda: window.evaluate("before => told > before && performance.now() - told > 1000", before))
    for route, answer in held.values():
        route.fulfill(response=answer)
    window.locator(f"#p-{soon} img").wait_for()
    window.get_by_role("link", name="1 failure to look at").wait_for()


def signal() -> None:
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY filmroll_events")


@pytest.mark.slow
def test_further_down_new_photos_are_announced_and_nothing_moves(shelf: Shelf, signed_in: Any) -> None:
    for n in range(30):
        shelf.photo(f"{n}.jpg", taken=f"2020-01-{n + 1:02}T10:00:00")
    window = signed_in(viewport={"width": 600, "height": 500})
    window.evaluate("scrollTo(0, 600)")
    known, place = tiles(window), window.evaluate("scrollY")
    newest = str(shelf.photo("new.jpg", taken="2024-01-01T10:00:00"))
    button = window.get_by_text("1 new photo", exact=True)
    button.wait_for()
    assert (tiles(window), window.evaluate("scrollY")) == (known, place)
    button.click()
    window.locator(f"#p-{newest}").wait_for()
    wait_until(lambda: window.evaluate("scrollY") == 0)
    assert tiles(window) == [newest, *known]
    button.wait_for(state="hidden")


def test_at_the_top_new_photos_join_and_known_pictures_stay(shelf: Shelf, signed_in: Any) -> None:
    old = shelf.photo("old.jpg")
    window = signed_in()
    window.locator(f"#p-{old} img").wait_for()
    window.evaluate("id => { document.getElementById(id).known = true }", f"p-{old}")
    window.mouse.move(5, 5)
    new = shelf.photo("new.jpg", taken="2024-06-01T10:00:00")
    window.locator(f"#p-{new} img").wait_for()
    assert window.evaluate("id => document.getElementById(id).known", f"p-{old}")


def test_the_ring_turns_to_a_number_when_something_fails_and_back(shelf: Shelf, signed_in: Any) -> None:
    photo = shelf.photo("a.jpg", ready=False)
    window = signed_in()
    window.get_by_text("1 to go").wait_for()
    shelf.fail(photo)
    window.get_by_role("link", name="1 failure to look at").wait_for()
    wait_until(lambda: "1 failure" in window.locator("#announcer").inner_text())
    shelf.render(photo)
    window.get_by_title("All photos are ready").wait_for()


def test_retry_changes_the_row_in_its_place(shelf: Shelf, signed_in: Any) -> None:
    for name in ("a.jpg", "b.jpg"):
        shelf.fail(shelf.photo(name, ready=False))
    window = signed_in()
    window.goto("/failures/")
    window.get_by_role("button", name="Retry a.jpg").click()
    window.locator(".failure", has_text="a.jpg").get_by_text("Being tried again").wait_for()
    assert window.get_by_role("button", name="Retry b.jpg").is_visible()
    window.get_by_role("button", name="Set aside b.jpg").click()
    window.locator(".failure", has_text="b.jpg").get_by_text("Set aside").wait_for()


def test_a_hidden_page_lets_its_stream_go_and_catches_up_when_shown(shelf: Shelf, signed_in: Any) -> None:
    window = signed_in()
    wait_until(lambda: len(live._ends) == 1)
    _show(window, hidden=True)
    wait_until(lambda: len(live._ends) == 0)
    new = shelf.photo("new.jpg")
    _show(window, hidden=False)
    window.locator(f"#p-{new} img").wait_for()
    assert len(live._ends) == 1


def _show(window: Any, hidden: bool) -> None:
    window.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')) }",
        hidden,
    )


@pytest.mark.slow
def test_without_script_every_way_can_be_gone(
    shelf: Shelf, signed_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.web.timeline.PAGE", 4)
    made = [str(shelf.photo(f"{n}.jpg", taken=f"2020-01-{n + 1:02}T10:00:00")) for n in range(6)]
    shelf.fail(shelf.photo("bad.jpg", ready=False))
    window = signed_in(java_script_enabled=False)
    assert window.locator(".tile img").count() == 3  # the day of the fourth goes to the next page
    window.get_by_role("link", name="Older photos").click()
    window.locator(f"#p-{made[0]}").click()
    window.get_by_role("link", name="Newer photo").click()
    window.wait_for_url(f"**/photos/{made[1]}/")
    window.get_by_role("link", name="Back to the photos").click()
    window.get_by_role("link", name="Failed", exact=True).click()
    window.get_by_role("button", name="Retry bad.jpg").click()
    window.get_by_text("Being tried again").wait_for()
    window.locator("summary", has_text="Account").click()
    window.get_by_role("button", name="Dark").click()
    assert window.locator("html").get_attribute("data-appearance") == "dark"
    window.locator("summary", has_text="Account").click()
    window.get_by_role("button", name="Sign out").click()
    window.wait_for_url("**/signin/")


def test_the_appearance_changes_at_once_and_is_remembered(shelf: Shelf, signed_in: Any) -> None:
    window = signed_in(color_scheme="dark")
    surface = "getComputedStyle(document.documentElement).backgroundColor"
    assert window.evaluate(surface) == "rgb(18, 18, 18)"
    window.locator("summary", has_text="Account").click()
    window.get_by_role("button", name="Light").click()
    assert window.evaluate(surface) == "rgb(250, 250, 248)"
    window.reload()
    assert window.evaluate(surface) == "rgb(250, 250, 248)"


def test_a_month_is_reached_from_the_menu_by_keyboard_and_from_the_strip(shelf: Shelf, signed_in: Any) -> None:
    for year in (2018, 2020, 2024):
        shelf.photo(f"{year}.jpg", taken=f"{year}-05-16T10:00:00")
    window = signed_in()
    window.locator(".months summary").focus()
    window.keyboard.press("Enter")
    window.get_by_role("link", name=re.compile("May")).nth(1).focus()
    window.keyboard.press("Enter")
    window.wait_for_url("**/?from=2020-05-31")
    window.get_by_text("Sat, 16 May 2020").wait_for()
    strip = window.locator("[data-scrubber]").bounding_box()
    window.mouse.move(strip["x"] + 20, strip["y"] + strip["height"] - 10)
    wait_until(lambda: window.locator(".scrubber-bubble").inner_text() == "May 2018")


def test_the_placeholder_is_what_the_thumbhash_library_draws(shelf: Shelf, signed_in: Any) -> None:
    import base64

    import fast_thumbhash

    from tests.web.conftest import THUMBHASH

    window = signed_in()
    drawn = window.evaluate(
        "async text => { const { draw } = await import('/static/js/thumbhash.js');"
        " const canvas = document.createElement('canvas'); draw(text, canvas);"
        " const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;"
        " return [canvas.width, canvas.height, ...data] }",
        THUMBHASH,
    )
    expected = fast_thumbhash.thumb_hash_to_rgba(base64.b64decode(THUMBHASH))
    assert _difference(drawn, expected) <= 3


def _difference(drawn: list[int], expected: Any) -> int:
    width, height, rgba = expected if isinstance(expected[0], int) else (*expected[1:], expected[0])
    assert drawn[:2] == [width, height]
    return max(abs(ours - theirs) for ours, theirs in zip(drawn[2:], rgba, strict=True))


@pytest.mark.parametrize(
    ("size", "scheme"),
    [
        pytest.param(WIDE, "light", id="wide-light", marks=pytest.mark.slow),
        pytest.param(PHONE, "dark", id="phone-dark"),
    ],
)
def test_no_page_keeps_anybody_out(shelf: Shelf, signed_in: Any, size: dict[str, int], scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    photo = shelf.photo("2020.jpg", taken="2020-05-16T10:00:00", iso=100, title="The tower")
    shelf.label(photo, Label("dog", 0.9, (0.1, 0.2, 0.6, 0.9)))
    waiting = shelf.photo("soon.jpg", ready=False)
    shelf.fail(shelf.photo("bad.jpg", ready=False))
    shelf.fail_file("empty.jpg")
    shelf.skip("clip.mp4")
    # A panel that is fading in has no contrast yet.
    window = signed_in(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    viewers = (f"/photos/{photo}/", f"/photos/{waiting}/")
    for address in ("/", *viewers, "/failures/", "/skipped/?code=video", NOWHERE):
        window.goto(address)
        window.wait_for_timeout(300)
        for menu in window.locator("[data-menu] > summary").all()[:1]:
            menu.click()
        found = Axe().run(window, options={"runOnly": RULES})
        assert found.response["violations"] == [], (address, found.generate_report())
    assert Photo.objects.count() == 3


def test_keys_pressed_faster_than_the_server_answers_are_not_lost(shelf: Shelf, signed_in: Any) -> None:
    made = [str(shelf.photo(f"{n}.jpg", taken=minute(n))) for n in range(6)]
    window = signed_in()
    window.goto(f"/photos/{made[5]}/")
    for _ in range(3):
        window.keyboard.press("ArrowRight")
    window.wait_for_url(f"**/photos/{made[2]}/")
