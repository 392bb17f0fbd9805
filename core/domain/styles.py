"""The styles that can be told from measured numbers: which, and by which rule. docs/looks.md is made from here.

A rule is one or more sets of limits, each of which is enough by itself. A number that is not known (no shutter
time in the file, a picture too small to say how sharp it is) meets no limit. Nothing is learned or guessed.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class Style(enum.StrEnum):
    """The value is the name, as people see it."""

    BLACK_AND_WHITE = "black and white"
    SEPIA = "sepia"
    HIGH_KEY = "high-key"
    LOW_KEY = "low-key"
    SILHOUETTE = "silhouette"
    PASTEL = "pastel"
    VIVID = "vivid"
    MINIMAL = "minimal"
    SHALLOW_FOCUS = "shallow focus"
    BLURRED = "blurred"
    MACRO = "macro"
    LONG_EXPOSURE = "long exposure"
    PANORAMA = "panorama"
    SCREENSHOT = "screenshot"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Limit:
    """A measured number lies between these, both included."""

    measure: str
    least: float | None = None
    most: float | None = None

    def holds(self, measured: Mapping[str, float]) -> bool:
        value = measured.get(self.measure)
        if value is None:
            return False
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a style is, in words, and the sets of limits of which one has to hold."""

    words: str
    ways: tuple[tuple[Limit, ...], ...]


# What each number is. All are parts of the whole, 0 to 1, where nothing else is said.
MEASURES: dict[str, str] = {
    "light": "mean lightness",
    "contrast": "standard deviation of lightness",
    "darkest": "the lightness below which a twentieth of the picture lies",
    "lightest": "the lightness above which a twentieth of the picture lies",
    "black": "share with a lightness below 0.22, where drawing ends",
    "dark": "share with a lightness below 0.30",
    "between": "share with a lightness from 0.30 to 0.45",
    "bright": "share with a lightness above 0.85",
    "sky": "median lightness of the upper fifth",
    "chroma": "mean chroma; a pure red has 0.26",
    "strongest": "chroma above which a hundredth of the picture lies",
    "strong": "share with a chroma above 0.15",
    "hue": "mean hue in degrees: red 29, orange 60, yellow 110",
    "many_tints": "how much of the colours does not follow from the lightness",
    "empty": "share of 144 fields with next to no detail",
    "sharpest": "sharpness of the field that is sharper than nine tenths of those with detail",
    "sharp": "share of the fields with detail that are sharp (above 0.74)",
    "soft": "share of the fields with detail that are soft (below 0.58)",
    "flat": "share of neighbours that are exactly equal",
    "written": "share of the fields that are light as paper and have steps like letters",
    "wide": "width by height",
    "short_side": "pixels of the short side",
    "shutter": "shutter time in seconds",
    "magnification": "how large a thing is on a frame of 36 by 24 mm",
    "camera": "1 when the file names camera or exposure",
    "lossless": "1 for formats in which screens are kept (PNG, WebP, BMP, GIF)",
    "named_so": "1 when the file's name says screenshot, in one of several languages",
    "screen": "1 when the sides have the ratio of a usual screen",
}

RULES: dict[Style, Rule] = {
    Style.BLACK_AND_WHITE: Rule(
        "No colour at all, and something to see.",
        ((Limit("strongest", most=0.015), Limit("contrast", least=0.04)),),
    ),
    Style.SEPIA: Rule(
        "One warm tint that follows the lightness everywhere, as in a toned print.",
        (
            (
                Limit("hue", 40, 95),
                Limit("chroma", 0.012, 0.085),
                Limit("strongest", most=0.12),
                Limit("many_tints", most=0.17),
                Limit("contrast", least=0.04),
            ),
        ),
    ),
    Style.HIGH_KEY: Rule(
        "Light everywhere, without any shadow.",
        ((Limit("light", least=0.78), Limit("darkest", least=0.5), Limit("contrast", least=0.06)),),
    ),
    Style.LOW_KEY: Rule(
        "Dark nearly everywhere, with some light in it.",
        ((Limit("light", most=0.33), Limit("dark", least=0.6), Limit("lightest", least=0.4)),),
    ),
    Style.SILHOUETTE: Rule(
        "Black shapes without drawing before a smooth sky or background that is not black.",
        (
            (
                Limit("black", 0.08, 0.6),
                Limit("between", most=0.25),
                Limit("sky", least=0.3),
                Limit("contrast", least=0.17),
                Limit("bright", most=0.3),
                Limit("empty", least=0.6),
                Limit("sharpest", least=0.6),
            ),
        ),
    ),
    Style.PASTEL: Rule(
        "Light and soft in colour, without strong colours or shadows.",
        (
            (
                Limit("light", least=0.7),
                Limit("darkest", least=0.48),
                Limit("chroma", 0.03, 0.1),
                Limit("strongest", most=0.14),
                Limit("contrast", least=0.04),
            ),
        ),
    ),
    Style.VIVID: Rule(
        "Strong colours over much of the picture.",
        (
            (Limit("strong", least=0.12), Limit("contrast", least=0.04)),
            (Limit("chroma", least=0.1), Limit("strongest", least=0.16), Limit("contrast", least=0.04)),
        ),
    ),
    Style.MINIMAL: Rule(
        "Mostly empty, with one sharp thing in it.",
        ((Limit("empty", 0.7, 0.97), Limit("sharpest", least=0.66), Limit("contrast", least=0.03)),),
    ),
    Style.SHALLOW_FOCUS: Rule(
        "Part of it sharp, much of the rest soft.",
        (
            (
                Limit("sharpest", least=0.77),
                Limit("sharp", 0.08, 0.6),
                Limit("soft", least=0.2),
                Limit("short_side", least=300),
            ),
        ),
    ),
    Style.BLURRED: Rule(
        "Nothing in it is sharp: out of focus, or moved.",
        ((Limit("sharpest", most=0.68), Limit("empty", most=0.9), Limit("short_side", least=300)),),
    ),
    Style.MACRO: Rule(
        "Taken from so near that a thing is at least an eighth of its size on a frame of 36 by 24 mm.",
        ((Limit("magnification", least=0.125),),),
    ),
    Style.LONG_EXPOSURE: Rule("The shutter was open for a second or more.", ((Limit("shutter", least=1.0),),)),
    Style.PANORAMA: Rule(
        "Much wider than high: wider than the widest format of telephones.",
        ((Limit("wide", 2.3, 20), Limit("short_side", least=240)),),
    ),
    Style.SCREENSHOT: Rule(
        "Named so by the program that made it; or lossless, in a screen's shape, without any word of a camera.",
        (
            (Limit("named_so", least=1), Limit("camera", most=0)),
            (
                Limit("lossless", least=1),
                Limit("camera", most=0),
                Limit("screen", least=1),
                Limit("short_side", least=480),
                Limit("flat", least=0.6),
            ),
        ),
    ),
    Style.DOCUMENT: Rule(
        "Writing on paper: light, nearly without colour, with steps like letters over much of it.",
        (
            (
                Limit("written", least=0.2),
                Limit("bright", least=0.45),
                Limit("chroma", most=0.025),
                Limit("short_side", least=400),
            ),
        ),
    ),
}


_PAGES = (Style.SCREENSHOT, Style.DOCUMENT)


@dataclass(frozen=True, slots=True)
class Found:
    """A style, and the measured numbers by which it was found."""

    style: Style
    measured: dict[str, float]


def styles_of(measured: Mapping[str, float]) -> tuple[Found, ...]:
    """The styles that these numbers tell, each with those that its rule looked at.

    A page or a screen is no photograph and has no other style: each page would be high-key, dark screens low-key.
    """
    found = []
    for style, rule in RULES.items():
        way = next((way for way in rule.ways if all(limit.holds(measured) for limit in way)), None)
        if way is not None:
            found.append(Found(style, {limit.measure: measured[limit.measure] for limit in way}))
    pages = [one for one in found if one.style in _PAGES]
    return tuple(pages or found)
