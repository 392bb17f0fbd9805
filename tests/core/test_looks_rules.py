"""Names of colours, and rules of styles."""

import colorsys
import math
from uuid import UUID

import pytest

from core.domain.colours import SWATCHES, Colour, lab_of, name_of, names_near, written
from core.domain.looks import LooksFound, Shade, looks_id, told_by_file
from core.domain.styles import MEASURES, RULES, Style, styles_of
from tests.core import looks_page

PHOTO = UUID(int=7)
ORDINARY = {"kind": "jpeg", "name": "IMG_1.jpg", "width": 6000, "height": 4000}


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ("#b01010", "red"), ("#ff8c00", "orange"), ("#ffbf00", "amber"), ("#fff000", "yellow"),
        ("#b4ff20", "lime"),
        ("#00a000", "green"), ("#10ca9b", "teal"), ("#40e0d0", "turquoise"), ("#20b8f0", "aqua"),
        ("#2a7de0", "azure"), ("#1020d0", "blue"), ("#7030e0", "purple"), ("#b030ff", "orchid"),
        ("#ff20b0", "magenta"), ("#ffffff", "white"), ("#808080", "gray"), ("#000000", "black"),
        # What people see, beyond hue alone.
        ("#506e32", "green"), ("#8b4513", "orange"), ("#ffc0cb", "magenta"), ("#4682c8", "azure"),
        ("#f5f5f0", "white"), ("#1c1c20", "black"), ("#0a0a12", "black"),
    ],
)  # fmt: skip
def test_colours_have_the_names_that_people_give_them(colour: str, name: str) -> None:
    assert name_of(lab_of(colour)) == name


def test_every_swatch_of_the_picker_has_its_own_name() -> None:
    assert {name_of(lab_of(colour)): colour for colour in SWATCHES.values()} == SWATCHES


def test_every_colour_that_a_screen_shows_has_a_name_and_all_names_are_used() -> None:
    found = set()
    for hue in range(0, 360, 5):
        for strength in range(0, 11, 2):
            for value in range(0, 11, 2):
                red, green, blue = colorsys.hsv_to_rgb(hue / 360, strength / 10, value / 10)
                found.add(
                    name_of(lab_of(f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"))
                )
    assert found == set(Colour)


@pytest.mark.parametrize("colour", ["#000000", "#ffffff", "#7f3a10", "#0abcf5", "#13a913"])
def test_a_colour_survives_the_way_through_oklab(colour: str) -> None:
    assert written(lab_of(colour)) == colour


@pytest.mark.parametrize("text", ["", "red", "#12345", "#12345g", "123456#", "#1234567"])
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="#rrggbb"):
        lab_of(text)


def test_a_picked_colour_is_looked_for_under_every_name_that_is_near() -> None:
    between = "#1b6ff0"  # azure, and hardly any way from blue
    assert names_near(lab_of(between), 0.12)[0] == Colour.AZURE
    assert Colour.BLUE in names_near(lab_of(between), 0.12)
    assert Colour.RED not in names_near(lab_of(between), 0.12)
    assert names_near(lab_of("#ff0000"), 0.02) == (Colour.RED,)


def test_every_style_has_a_rule_and_every_limit_a_number_that_is_explained() -> None:
    assert list(RULES) == list(Style)
    for rule in RULES.values():
        assert rule.ways and all(way for way in rule.ways)
        assert all(limit.measure in MEASURES for way in rule.ways for limit in way)


def test_a_style_is_found_by_its_limits_and_says_by_which_numbers() -> None:
    assert styles_of({}) == ()
    [found] = styles_of({"shutter": 2.0, "light": 0.5})
    assert (found.style, found.measured) == (Style.LONG_EXPOSURE, {"shutter": 2.0})
    assert styles_of({"shutter": 0.9}) == ()
    # Both edges count, and what is not known meets no limit.
    low = {"light": 0.33, "dark": 0.6, "lightest": 0.4}
    assert [one.style for one in styles_of(low)] == [Style.LOW_KEY]
    assert styles_of({"light": 0.33, "dark": 0.6}) == ()
    assert styles_of({**low, "light": 0.331}) == ()


def test_a_page_or_a_screen_has_no_other_style() -> None:
    page = {"written": 0.5, "bright": 0.8, "chroma": 0.0, "short_side": 900.0}
    grey = {"strongest": 0.0, "contrast": 0.1}
    assert [one.style for one in styles_of({**page, **grey})] == [Style.DOCUMENT]
    assert [one.style for one in styles_of({**page, **grey, "written": 0.1})] == [Style.BLACK_AND_WHITE]


def test_a_second_set_of_limits_is_enough_by_itself() -> None:
    assert [
        one.style for one in styles_of({"chroma": 0.11, "strongest": 0.2, "strong": 0.0, "contrast": 0.1})
    ] == [Style.VIVID]


def test_a_screenshot_is_told_by_its_name_or_its_shape_and_never_when_a_camera_took_it() -> None:
    def is_screenshot(flat: float = 0.9, facts: dict[str, object] | None = None, **file: object) -> bool:
        told = told_by_file(facts or {}, **{**ORDINARY, **file})  # type: ignore[arg-type]
        return Style.SCREENSHOT in [one.style for one in styles_of({**told, "flat": flat})]

    assert is_screenshot(name="Screenshot_20240101-120000.jpg")
    assert is_screenshot(name="Bildschirmfoto 2024-01-01 um 12.00.00.png", kind="png")
    assert not is_screenshot(name="Screenshot 1.jpg", facts={"camera_model": "X100V"})
    assert is_screenshot(name="a.png", kind="png", width=1080, height=2400)
    assert not is_screenshot(name="a.png", kind="png", width=1080, height=2400, flat=0.3)
    assert not is_screenshot(name="a.png", kind="png", width=1000, height=1000)
    assert not is_screenshot(name="a.jpg", width=1920, height=1080)
    assert not is_screenshot(name="sunscreen.jpg")


def test_macro_long_exposure_and_panorama_follow_from_what_the_file_says() -> None:
    def styles(facts: dict[str, object], **file: object) -> list[Style]:
        told = told_by_file(facts, **{**ORDINARY, **file})  # type: ignore[arg-type]
        return [one.style for one in styles_of(told)]

    near = {"focal_length": 60.0, "focal_length_35": 90.0, "subject_distance": 0.3}
    assert styles(near) == [Style.MACRO]
    assert styles({**near, "subject_distance": 2.0}) == []
    assert styles({"focal_length_35": 90.0}) == []
    # Nearer than the focal length is no distance that a camera can have meant.
    assert styles({**near, "subject_distance": 0.05}) == []
    assert styles({"shutter": 4.0}) == [Style.LONG_EXPOSURE]
    assert styles({"shutter": "4"}) == []
    assert styles({}, width=9000, height=3000) == [Style.PANORAMA]
    assert styles({}, width=3000, height=9000) == []
    assert styles({}, width=4000, height=1800) == []  # a telephone's full screen


def test_a_result_has_one_id_for_each_version_of_photo_and_method_and_each_thing_looked_for() -> None:
    both = LooksFound("c", "pixels", "1", (Shade("red", 1.0, "#ff0000"),), ())
    only = LooksFound("c", "pixels", "1", None, ())
    newer = LooksFound("c", "pixels", "2", (), ())
    ids = {looks_id(PHOTO, one, edition) for one in (both, only, newer) for edition in (0, 1)}
    assert len(ids) == 6
    assert looks_id(PHOTO, both, 0) == looks_id(PHOTO, LooksFound("c", "pixels", "1", (), ()), 0)


def test_the_page_about_looks_is_fresh() -> None:
    fresh = looks_page.PAGE.read_text() == looks_page.fresh()
    assert fresh, f"docs/looks.md is out of date: run `{looks_page.COMMAND}` and commit it"


def test_hues_are_compared_in_degrees_all_around() -> None:
    for degrees in range(360):
        hue = math.radians(degrees)
        assert name_of((0.85, 0.1 * math.cos(hue), 0.1 * math.sin(hue))) not in ("gray", "white", "black")
