"""What was found out about how a photo looks, and what its file says that counts for styles."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from core.domain.facts import AboutFacts
from core.domain.personal import Personal

# Who found it: no model, the pixels themselves.
PIXELS = "pixels"


class AboutLooks:
    """What the events about looks have in common: no step of the pipeline depends on them."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Shade:
    """A name of a colour, which part of the picture has it (0 to 1), and the mean of that part as #rrggbb."""

    name: str
    share: float
    colour: str


@dataclass(frozen=True, slots=True)
class StyleFound:
    """A style, and the measured numbers by which its rule found it (`core.domain.styles`)."""

    style: str
    measured: dict[str, float]


@dataclass(frozen=True, slots=True)
class LooksFound(AboutLooks):
    """The colours of a picture, the largest first, and its styles. None: nobody looked; empty: there are none."""

    content: str
    model: str
    model_version: str
    colours: Personal[tuple[Shade, ...] | None]
    styles: Personal[tuple[StyleFound, ...] | None]


@dataclass(frozen=True, slots=True)
class Alike:
    """Another photo that shows nearly the same, and the cosine of their numbers."""

    photo: UUID
    cosine: float


@dataclass(frozen=True, slots=True)
class AlikeFound(AboutLooks):
    """Photos whose numbers are nearly the same though their likeness is not: mirrored, covered, cut closer."""

    content: str
    model: str
    model_version: str
    others: tuple[Alike, ...]


@dataclass(frozen=True, slots=True)
class StyleCorrected(AboutFacts):
    """A person says that the photo has a style, or has it not, whatever is measured."""

    style: Personal[str]
    has: bool


_STYLE = "style:"


def style_fact(style: str) -> str:
    """What a person's word on one style is called among the photo's facts."""
    return f"{_STYLE}{style}"


def styles_said(words: Mapping[str, Any]) -> dict[str, bool]:
    """A person's words on styles, among all words on a photo."""
    return {name.removeprefix(_STYLE): bool(has) for name, has in words.items() if name.startswith(_STYLE)}


LooksEvent = LooksFound | AlikeFound
# From this cosine on two photos show nearly the same (docs/duplicates.md).
NEARLY_SAME = 0.95


def is_news(found: LooksFound, content: str) -> bool:
    """Whether anything was looked for, in the content that the photo has now."""
    return found.content == content and (found.colours is not None or found.styles is not None)


def looks_id(photo: UUID, found: LooksFound, edition: int) -> UUID:
    """One result for each version of photo and method, and for what was looked for."""
    parts = ("colours" if found.colours is not None else "", "styles" if found.styles is not None else "")
    return uuid5(photo, f"looks:{found.model}:{found.model_version}:{','.join(parts)}:{edition}")


def alike_id(photo: UUID, found: AlikeFound) -> UUID:
    """One result for each content, model and set of others: found again it is no news."""
    others = ",".join(sorted(str(one.photo) for one in found.others))
    return uuid5(photo, f"alike:{found.model}:{found.model_version}:{found.content}:{others}")


# --- what the file says -------------------------------------------------------------------------------------

_LOSSLESS = {"png", "webp", "bmp", "gif"}
_BY_CAMERA = ("camera_make", "camera_model", "shutter", "aperture", "iso", "focal_length")
# As Android, Apple, GNOME, KDE and Windows name them; spaces, hyphens and underscores alike.
_SCREENSHOT = re.compile(
    r"screen ?shot|screen ?capture|screen ?cap|bildschirmfoto|capture d.?(e|é)cran|captura de (pantalla|tela|ecr)|"
    r"schermafbeelding|schermata|istantanea|sk(ä|a)rm(bild|avbild)|skjermbilde|zrzut ekranu|snimek obrazovky|"
    r"ekran (g|a)|снимок экрана|スクリーンショット|截屏|截图|スクショ",
    re.IGNORECASE,
)
_SCREENS = (4 / 3, 3 / 2, 16 / 10, 16 / 9, 18 / 9, 18.5 / 9, 19 / 9, 19.5 / 9, 20 / 9, 21 / 9)
_NEAR_ENOUGH = 0.01


def told_by_file(facts: Mapping[str, Any], *, kind: str, name: str, width: int, height: int) -> dict[str, float]:
    """The numbers that follow from size, name and metadata; what is not known is not there.

    `facts` maps names to values, whoever said them; width and height are those of the upright original.
    """
    sides = min(width, height), max(width, height)
    ratio = sides[1] / sides[0]
    words = re.sub(r"[-_.\s]+", " ", name)
    told = {
        "wide": width / height,
        "short_side": float(sides[0]),
        "camera": float(any(facts.get(one) for one in _BY_CAMERA)),
        "lossless": float(kind in _LOSSLESS),
        "named_so": float(_SCREENSHOT.search(words) is not None),
        "screen": float(any(abs(ratio / one - 1) < _NEAR_ENOUGH for one in _SCREENS)),
    }
    known = {"shutter": facts.get("shutter"), "magnification": _magnification(facts)}
    return told | {one: float(value) for one, value in known.items() if isinstance(value, int | float)}


def _magnification(facts: Mapping[str, Any]) -> float | None:
    """How large a thing is on a frame of 36 by 24 mm: focal length as there, by what is left of the way.

    For a thin lens: f / (d - f). Cameras that do not know the distance write 0 or infinity, which says nothing.
    """
    length, distance = facts.get("focal_length_35"), facts.get("subject_distance")
    own = facts.get("focal_length")
    if not length or not distance:
        return None
    way = 1000 * float(distance) - float(own or 0)
    return float(length) / way if way > 0 else None
