"""The seventeen names of colours, and which one a colour has: in OKLab, where equal distances look equal.

Photonix had these names; the borders between them are Filmroll's own (docs/looks.md). Neutral colours are told by
lightness, all others by hue. Where people see another colour in a dark or pale one, that name counts: a dark amber
is brown and goes with orange, a dark lime is the green of leaves, a pale red is pink and goes with magenta.
"""

import enum
import math
from typing import TypeAlias


class Colour(enum.StrEnum):
    """In the order of the rainbow, then the neutral ones; the value is the name."""

    RED = "red"
    ORANGE = "orange"
    AMBER = "amber"
    YELLOW = "yellow"
    LIME = "lime"
    GREEN = "green"
    TEAL = "teal"
    TURQUOISE = "turquoise"
    AQUA = "aqua"
    AZURE = "azure"
    BLUE = "blue"
    PURPLE = "purple"
    ORCHID = "orchid"
    MAGENTA = "magenta"
    WHITE = "white"
    GRAY = "gray"
    BLACK = "black"


# Lightness 0 to 1, green to red, blue to yellow.
Lab: TypeAlias = tuple[float, float, float]

# Below this chroma there is no hue to speak of: walls, clouds, asphalt.
NEUTRAL = 0.035
# Neutral and darker than the first is black, lighter than the second white; below the third all is black.
DARK, LIGHT, DARKEST = 0.30, 0.92, 0.19
# Hue in degrees from which on each name counts, up to the next one's.
HUES: tuple[tuple[float, Colour], ...] = (
    (8, Colour.RED),
    (42, Colour.ORANGE),
    (72, Colour.AMBER),
    (98, Colour.YELLOW),
    (115, Colour.LIME),
    (134, Colour.GREEN),
    (157, Colour.TEAL),
    (180, Colour.TURQUOISE),
    (206, Colour.AQUA),
    (236, Colour.AZURE),
    (260, Colour.BLUE),
    (281, Colour.PURPLE),
    (303, Colour.ORCHID),
    (324, Colour.MAGENTA),
)
# A name that only counts from some lightness on, and what is seen below it.
WHEN_DARK = {
    Colour.AMBER: (0.65, Colour.ORANGE),
    Colour.YELLOW: (0.70, Colour.GREEN),
    Colour.LIME: (0.78, Colour.GREEN),
}
# Red that is paler than this, and nearer to magenta than to orange, is pink.
PINK_LIGHT, PINK_HUE = 0.75, 25.0
# What a swatch of the picker shows.
SWATCHES: dict[Colour, str] = {
    Colour.RED: "#d4221f",
    Colour.ORANGE: "#ef7d1a",
    Colour.AMBER: "#f0b030",
    Colour.YELLOW: "#f3e53a",
    Colour.LIME: "#b9e334",
    Colour.GREEN: "#3f9a34",
    Colour.TEAL: "#17a67f",
    Colour.TURQUOISE: "#2cc9bf",
    Colour.AQUA: "#3fb6e0",
    Colour.AZURE: "#3d8be8",
    Colour.BLUE: "#2b45d4",
    Colour.PURPLE: "#7a3fe0",
    Colour.ORCHID: "#ab45e0",
    Colour.MAGENTA: "#e0379f",
    Colour.WHITE: "#ffffff",
    Colour.GRAY: "#8c8c8c",
    Colour.BLACK: "#000000",
}


def name_of(lab: Lab) -> Colour:
    """The name that counts for a colour."""
    light, chroma = lab[0], math.hypot(lab[1], lab[2])
    if light < DARKEST:
        return Colour.BLACK
    if chroma < NEUTRAL:
        return Colour.BLACK if light < DARK else Colour.WHITE if light > LIGHT else Colour.GRAY
    hue = math.degrees(math.atan2(lab[2], lab[1])) % 360
    name = next((name for start, name in reversed(HUES) if hue >= start), HUES[-1][1])
    if name in WHEN_DARK and light < WHEN_DARK[name][0]:
        return WHEN_DARK[name][1]
    return Colour.MAGENTA if name is Colour.RED and light > PINK_LIGHT and hue < PINK_HUE else name


def lab_of(colour: str) -> Lab:
    """A colour written as "#rrggbb" (sRGB) in OKLab (Björn Ottosson, 2020). Raises ValueError for what is none."""
    if len(colour) != 7 or colour[0] != "#" or not all(digit in "0123456789abcdefABCDEF" for digit in colour[1:]):
        raise ValueError(f"a colour is written as #rrggbb, not as {colour!r}")
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def written(lab: Lab) -> str:
    """A colour in OKLab as "#rrggbb", cut to what a screen shows."""
    light, green_red, blue_yellow = lab
    long = (light + 0.3963377774 * green_red + 0.2158037573 * blue_yellow) ** 3
    middle = (light - 0.1055613458 * green_red - 0.0638541728 * blue_yellow) ** 3
    short = (light - 0.0894841775 * green_red - 1.2914855480 * blue_yellow) ** 3
    parts = (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
    return "#" + "".join(f"{round(255 * _coded(min(1.0, max(0.0, part)))):02x}" for part in parts)


def names_near(lab: Lab, reach: float) -> tuple[Colour, ...]:
    """The names that colours no farther than `reach` from this one may have, its own first."""
    ways = [(one, two, three) for one in (-1, 0, 1) for two in (-1, 0, 1) for three in (-1, 0, 1)]
    around = [
        name_of((lab[0] + far * way[0], lab[1] + far * way[1], lab[2] + far * way[2]))
        for far in (0.0, reach / 2, reach)
        for way in ways
    ]
    return tuple(dict.fromkeys([name_of(lab), *around]))


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _coded(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
