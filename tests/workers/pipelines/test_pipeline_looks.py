"""Colours and styles are measured rightly, on pictures made to have them."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from core.domain.colours import Colour, lab_of, name_of
from core.domain.looks import told_by_file
from core.domain.styles import Style, styles_of
from workers.errors import PoisonError
from workers.pipelines.looks import looks_in_file, looks_of, names_of, oklab
from workers.pipelines.previews import TILE_OPTIONS

SIZE = (660, 440)


def grain(seed: int = 1, low: int = 30, high: int = 225) -> Image.Image:
    """Shapes, large and small, with sharp edges, everywhere; grey."""
    chance = np.random.default_rng(seed)
    made = Image.new("L", SIZE, (low + high) // 2)
    draw = ImageDraw.Draw(made)
    for edge in np.geomspace(200, 6, 700):
        left, top = chance.integers(-50, 660), chance.integers(-50, 440)
        shade = int(chance.integers(low, high))
        draw.rectangle((left, top, left + edge, top + edge * chance.uniform(0.5, 1.5)), fill=shade)
    return made


def ordinary() -> Image.Image:
    """Green below, blue above, detail everywhere: none of the styles."""
    ground = ImageOps.colorize(grain(1), "#303a20", "#a0a878")
    sky = ImageOps.colorize(grain(2), "#46607c", "#b0c0cc")
    ground.paste(sky.crop((0, 0, 660, 200)))
    return ground


def light(seed: int = 3) -> Image.Image:
    return grain(seed, 170, 255)


def lamp() -> Image.Image:
    made = Image.new("RGB", SIZE, "#101216")
    ImageDraw.Draw(made).ellipse((230, 100, 430, 280), fill="#e8d8b0")
    return made


def skyline() -> Image.Image:
    made = Image.linear_gradient("L").resize(SIZE).point(lambda value: 110 + value // 3)
    made = ImageOps.colorize(made, "black", "#ffd9b0")
    draw = ImageDraw.Draw(made)
    draw.rectangle((0, 340, 660, 440), fill="#060606")
    draw.polygon([(300, 345), (330, 120), (360, 345)], fill="#060606")
    return made


def stage() -> Image.Image:
    """A sharp thing in the middle of a soft room."""
    made = grain(5).filter(ImageFilter.GaussianBlur(4))
    made.paste(grain(6).crop((230, 140, 430, 300)), (230, 140))
    return ImageOps.colorize(made, "#20241c", "#d8cbb8")


def boat() -> Image.Image:
    made = Image.linear_gradient("L").resize(SIZE).point(lambda value: 130 + value // 5)
    made.paste(grain(7).crop((0, 0, 130, 90)), (300, 220))
    return ImageOps.colorize(made, "#101820", "#d0dce4")


def page() -> Image.Image:
    made = Image.new("L", (700, 900), 250)
    draw = ImageDraw.Draw(made)
    for line in range(24):
        for word in range(9):
            left = 60 + word * 66
            draw.text((left, 60 + line * 32), "quick fox", fill=20, font_size=14)
    return made.resize((342, 440), Image.Resampling.LANCZOS)


def coloured(dark: str, bright: str) -> Image.Image:
    return ImageOps.colorize(grain(8), dark, bright)


MADE: dict[Style, tuple[Callable[[], Image.Image], dict[str, object]]] = {
    Style.BLACK_AND_WHITE: (grain, {}),
    Style.SEPIA: (lambda: ImageOps.colorize(grain(), "#24180c", "#f2e2c4"), {}),
    Style.HIGH_KEY: (lambda: ImageOps.colorize(light(), "#000000", "#fffdf8"), {}),
    Style.LOW_KEY: (lamp, {}),
    Style.SILHOUETTE: (skyline, {}),
    Style.PASTEL: (lambda: Image.merge("RGB", [light(seed) for seed in (11, 12, 13)]), {}),
    Style.VIVID: (lambda: coloured("#b00018", "#ffd000"), {}),
    Style.MINIMAL: (boat, {}),
    Style.SHALLOW_FOCUS: (stage, {}),
    Style.BLURRED: (lambda: coloured("#202830", "#d8d0c0").filter(ImageFilter.GaussianBlur(4)), {}),
    Style.MACRO: (ordinary, {"focal_length": 60.0, "focal_length_35": 90.0, "subject_distance": 0.25}),
    Style.LONG_EXPOSURE: (ordinary, {"shutter": 8.0}),
    Style.PANORAMA: (ordinary, {"width": 9000, "height": 3000}),
    Style.SCREENSHOT: (lambda: coloured("#203050", "#80a0d0"), {"name": "Screen Shot 2024.png"}),
    Style.DOCUMENT: (page, {}),
}


def styles_in(picture: Image.Image, **known: object) -> list[Style]:
    file = {"kind": "jpeg", "name": "a.jpg", "width": 3000, "height": 2000}
    facts = {name: value for name, value in known.items() if name not in file}
    told = told_by_file(facts, **{**file, **{name: known[name] for name in file if name in known}})  # type: ignore[arg-type]
    return [one.style for one in styles_of({**looks_of(picture).measured, **told})]


@pytest.mark.parametrize("style", list(Style))
def test_a_picture_made_in_a_style_has_it_and_an_ordinary_one_has_not(style: Style) -> None:
    make, known = MADE[style]
    assert style in styles_in(make(), **known)
    assert styles_in(ordinary()) == []


def test_a_style_does_not_hang_on_the_size_of_the_tile_or_on_its_file(tmp_path: Path) -> None:
    for style in (Style.BLURRED, Style.SILHOUETTE, Style.SEPIA, Style.VIVID):
        make, _ = MADE[style]
        assert style in styles_in(make().transpose(Image.Transpose.ROTATE_90).resize((293, 440)))
        make().convert("RGB").save(tmp_path / "tile.webp", "WEBP", **TILE_OPTIONS)
        told = told_by_file({}, kind="jpeg", name="a.jpg", width=3000, height=2000)
        assert style in [
            one.style for one in styles_of({**looks_in_file(tmp_path / "tile.webp").measured, **told})
        ]


def test_shares_of_colours_are_those_of_the_picture() -> None:
    made = Image.new("RGB", SIZE, "#1e6fd8")
    made.paste("#ffffff", (0, 0, 660, 110))
    made.paste("#c81414", (0, 330, 330, 440))
    found = {shade.name: shade for shade in looks_of(made).shades}
    assert list(found) == [Colour.AZURE, Colour.WHITE, Colour.RED]
    assert [found[name].share for name in found] == pytest.approx([0.625, 0.25, 0.125], abs=0.01)
    assert math.dist(found[Colour.RED].mean, lab_of("#c81414")) < 0.01
    assert sum(shade.share for shade in looks_of(ordinary()).shades) == pytest.approx(1, abs=0.03)


def test_the_names_of_many_pixels_are_those_of_one() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (4000, 3), np.uint8)
    names = [list(Colour)[number] for number in names_of(oklab(pixels))]
    one_by_one = [name_of(lab_of("#" + bytes(pixel).hex())) for pixel in pixels]
    # A pixel on the very border may fall to either side: these have 32 bits, those 64.
    assert sum(one != other for one, other in zip(names, one_by_one, strict=True)) <= 2
    assert set(names) == set(Colour)


@pytest.mark.parametrize("size", [(1, 1), (1760, 1), (2, 300), (95, 300), (97, 96)])
def test_pictures_of_any_size_and_mode_have_colours(size: tuple[int, int]) -> None:
    for mode in ("RGB", "L"):
        seen = looks_of(Image.new(mode, size, "black"))
        assert [(shade.name, shade.share) for shade in seen.shades] == [(Colour.BLACK, 1.0)]
        assert all(math.isfinite(value) for value in seen.measured.values())
        assert styles_in(Image.new(mode, size, "black")) == []


def test_a_preview_that_cannot_be_read_says_so_and_a_missing_one_is_the_disks_fault(tmp_path: Path) -> None:
    (tmp_path / "tile.webp").write_bytes(b"RIFF....WEBP")
    with pytest.raises(PoisonError, match="cannot be read") as caught:
        looks_in_file(tmp_path / "tile.webp")
    assert caught.value.code == "preview-unreadable"
    with pytest.raises(FileNotFoundError):
        looks_in_file(tmp_path / "none.webp")
