"""The colours in a picture with their shares, and the numbers that tell its style; from the tile, no model.

Colours and light are those of the picture made about 100 pixels wide, where grain and noise are gone. Sharpness is
that of the tile itself: what is soft in a tile is soft to whoever looks at it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.domain.colours import (
    DARK,
    DARKEST,
    HUES,
    LIGHT,
    NEUTRAL,
    PINK_HUE,
    PINK_LIGHT,
    WHEN_DARK,
    Colour,
    Lab,
)
from workers.errors import PoisonError

Floats = NDArray[np.float32]

_EDGE = 96
# What takes less of a picture is not told.
_LEAST_SHARE = 0.005
# Lightness: without drawing, dim, middle, bright. Chroma that nobody overlooks.
_BLACK, _DIM, _MIDDLE, _BRIGHT = 0.22, 0.30, 0.45, 0.85
_STRONG = 0.15
_TINT_STEPS = 16
# Sharpness is told of tiles of this many pixels and more, in a grid of fields, in fields with steps like these.
_LEAST_EDGE, _GRID = 96, 12
_LEAST_STEP = 1.4
_REACH = 5
_SHARP, _SOFT = 0.74, 0.58
# A field is written on when it is as light as paper and has steps like letters.
_PAPER, _INK_STEP = 165, 5.0
_NAMES = tuple(Colour)
_NUMBER = {name: number for number, name in enumerate(_NAMES)}
# Light of each of the 256 steps of sRGB.
_STEPS = np.arange(256, dtype=np.float32) / 255
_LINEAR = np.where(_STEPS <= 0.04045, _STEPS / 12.92, ((_STEPS + 0.055) / 1.055) ** 2.4).astype(np.float32)
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
).T
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
).T


@dataclass(frozen=True, slots=True)
class Shade:
    """A name, which part of the picture has it (0 to 1), and the mean of that part in OKLab."""

    name: Colour
    share: float
    mean: Lab


@dataclass(frozen=True, slots=True)
class Looks:
    """What was measured: the colours, the largest first, and numbers by name (`core.domain.styles`)."""

    shades: tuple[Shade, ...]
    measured: dict[str, float]


def looks_of(tile: Image.Image) -> Looks:
    """What a picture looks like; meant for the tile, upright and in sRGB."""
    picture = tile.convert("RGB")
    small = picture.resize(_small_size(picture), Image.Resampling.BOX)
    lab = oklab(np.asarray(small))
    return Looks(shades_of(lab.reshape(-1, 3)), {**tones_of(lab), **detail_of(picture)})


def looks_in_file(tile: Path) -> Looks:
    """The same for a tile on disk, in a child process. Raises PoisonError when it is no picture (any more)."""
    try:
        with Image.open(tile) as picture:
            return looks_of(picture)
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk's fault, not the file's
            raise
        raise PoisonError(
            "preview-unreadable",
            "The preview of this photo cannot be read, so its colours were not looked for. "
            "The photo and its original are untouched, but no better preview comes of it.",
        ) from error


def oklab(pixels: NDArray[np.uint8]) -> Floats:
    """sRGB of 8 bits in OKLab (Björn Ottosson, 2020), the last axis."""
    cones = np.cbrt(_LINEAR[pixels] @ _TO_CONES)
    return np.asarray(cones @ _TO_LAB, np.float32)


def names_of(lab: Floats) -> NDArray[np.int64]:
    """Numbers in the order of `Colour`: what `core.domain.colours.name_of` says of each row."""
    light, chroma = lab[:, 0], np.hypot(lab[:, 1], lab[:, 2])
    hue = np.degrees(np.arctan2(lab[:, 2], lab[:, 1])) % 360
    borders = np.array([start for start, _ in HUES])
    wheel = np.array([_NUMBER[name] for _, name in HUES])
    found = wheel[np.searchsorted(borders, hue, side="right") - 1]
    for name, (enough, instead) in WHEN_DARK.items():
        found[(found == _NUMBER[name]) & (light < enough)] = _NUMBER[instead]
    found[(found == _NUMBER[Colour.RED]) & (light > PINK_LIGHT) & (hue < PINK_HUE)] = _NUMBER[Colour.MAGENTA]
    neutral = chroma < NEUTRAL
    found[neutral] = _NUMBER[Colour.GRAY]
    found[neutral & (light > LIGHT)] = _NUMBER[Colour.WHITE]
    found[(neutral & (light < DARK)) | (light < DARKEST)] = _NUMBER[Colour.BLACK]
    return found


def shades_of(lab: Floats) -> tuple[Shade, ...]:
    """The colours of these pixels."""
    names = names_of(lab)
    counts = np.bincount(names, minlength=len(_NAMES))
    shares = counts / len(lab)
    means = np.stack([np.bincount(names, lab[:, part], len(_NAMES)) for part in range(3)], 1)
    order = [number for number in np.argsort(-counts, kind="stable") if shares[number] >= _LEAST_SHARE]
    return tuple(Shade(_NAMES[at], round(float(shares[at]), 4), _as_lab(means[at] / counts[at])) for at in order)


def _as_lab(mean: NDArray[np.float64]) -> Lab:
    light, green_red, blue_yellow = (round(float(part), 4) for part in mean)
    return light, green_red, blue_yellow


def tones_of(lab: Floats) -> dict[str, float]:
    """Light and colour of the whole picture, 0 to 1; `hue` in degrees."""
    light = lab[..., 0]
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    total = float(chroma.sum()) + 1e-6
    toward_red, toward_yellow = (float(lab[..., part].sum()) / total for part in (1, 2))
    top = light[: max(1, len(light) // 5)]
    return {
        "light": float(light.mean()),
        "contrast": float(light.std()),
        "darkest": float(np.percentile(light, 5)),
        "lightest": float(np.percentile(light, 95)),
        "black": float((light < _BLACK).mean()),
        "dark": float((light < _DIM).mean()),
        "between": float(((light >= _DIM) & (light < _MIDDLE)).mean()),
        "bright": float((light > _BRIGHT).mean()),
        "sky": float(np.median(top)),
        "chroma": float(chroma.mean()),
        "strongest": float(np.percentile(chroma, 99)),
        "strong": float((chroma > _STRONG).mean()),
        "hue": float(np.degrees(np.arctan2(toward_yellow, toward_red)) % 360),
        "many_tints": _many_tints(lab),
    }


def _many_tints(lab: Floats) -> float:
    """0: the colour follows from the lightness, as in a toned picture; 1: it has nothing to do with it."""
    colours = lab[..., 1:].reshape(-1, 2)
    step = np.clip((lab[..., 0].ravel() * _TINT_STEPS).astype(np.int64), 0, _TINT_STEPS - 1)
    counts = np.maximum(np.bincount(step, minlength=_TINT_STEPS), 1)
    means = np.stack([np.bincount(step, colours[:, part], _TINT_STEPS) / counts for part in range(2)], 1)
    rest = float(((colours - means[step]) ** 2).sum())
    return float(np.sqrt(rest / (float((colours**2).sum()) + 1e-9)))


def detail_of(picture: Image.Image) -> dict[str, float]:
    """How sharp it is, and where; nothing of a picture too small to tell.

    Sharpness is what a blur would take away of the steps between neighbours (Crété and others, 2007): about 0.8 in
    a sharp tile, under 0.6 in a soft one, whatever the contrast.
    """
    if min(picture.size) < _LEAST_EDGE:
        return {}
    grey = np.asarray(picture.convert("L"), np.int16)
    across, lost_across = _steps(grey[::2])
    down, lost_down = _steps(grey.T[::2])
    steps = _in_blocks(across) + _in_blocks(down.T)
    sharp = (_in_blocks(lost_across) + _in_blocks(lost_down.T)) / (steps + 1e-3)
    detailed = steps > 2 * _LEAST_STEP
    known = np.sort(sharp[detailed]) if detailed.any() else np.zeros(1, np.float32)
    paper = _in_blocks(grey) > _PAPER
    return {
        "empty": float(1 - detailed.mean()),
        "sharpest": float(np.percentile(known, 90)),
        "sharp": float((known > _SHARP).mean()),
        "soft": float((known < _SOFT).mean()),
        "flat": float((across == 0).mean()),
        "written": float((paper & (steps > 2 * _INK_STEP)).mean()),
    }


def _steps(grey: NDArray[np.int16]) -> tuple[Floats, Floats]:
    """The steps between neighbours along the rows, and what of each a blur over eleven pixels would take away."""
    span = 2 * _REACH + 1
    steps = np.abs(np.diff(grey, axis=1))[:, _REACH:-_REACH].astype(np.float32)
    blurred = np.abs(grey[:, span:] - grey[:, :-span]) * np.float32(1 / span)
    return steps, np.maximum(steps - blurred, 0)


def _in_blocks(values: NDArray[np.int16] | Floats) -> Floats:
    """The mean of each field of a grid laid over the picture."""
    high, wide = (side // _GRID for side in values.shape)
    cut = values[: high * _GRID, : wide * _GRID].reshape(_GRID, high, _GRID, wide)
    return np.asarray(cut.mean(axis=(1, 3), dtype=np.float32))


def _small_size(picture: Image.Image) -> tuple[int, int]:
    scale = min(1.0, _EDGE / max(picture.size))
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
