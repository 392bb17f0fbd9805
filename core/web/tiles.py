"""Photos as the timeline lays them out: tiles that know their shape and colour, gathered by day."""

import base64
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from core.readmodels.photos import Photo
from core.readmodels.stacks import Mark
from core.web.playing import length_of, moves
from core.web.words import short_day, wall_time

# Most photos are 3:2; a preview that waits stands in that shape when the file does not say its size.
_USUAL_RATIO = 1.5
# Strips beyond these would be slivers in a row; the tile then shows their middle.
_NARROWEST, _WIDEST = 0.35, 4.0


@dataclass(frozen=True, slots=True)
class Tile:
    """One photo in a row: what `_tile.html` needs, and no more."""

    id: str
    name: str
    ratio: str
    colour: str
    thumbhash: str
    revision: str
    words: str
    length: str
    lives: bool
    missing: bool
    count: int


@dataclass(frozen=True, slots=True)
class Day:
    """The photos of one day, or the rest of a day that an earlier page began."""

    date: date
    tiles: list[Tile]
    ratios: str
    continued: bool

    @property
    def words(self) -> str:
        return short_day(self.date)


def tile_of(photo: Photo, mark: Mark | None = None) -> Tile:
    """A photo as a tile, with the mark of the stack that it stands for."""
    lives = mark is not None and mark.lives
    return Tile(
        id=str(photo.id),
        name=photo.name,
        ratio=f"{ratio_of(photo):.3f}",
        colour=average_colour(photo.thumbhash),
        thumbhash=photo.thumbhash,
        revision=photo.revision,
        words=words_for(photo),
        length=length_of(photo),
        missing=photo.missing,
        lives=moves(photo) or lives,
        # A still and its film are one live photo, and nothing to count.
        count=mark.count if mark and not (lives and mark.count == 2) else 0,
    )


def days_of(
    photos: Iterable[Photo], begun: date | None = None, marks: Mapping[UUID, Mark] | None = None
) -> list[Day]:
    """Photos in timeline order, by day. `begun` is a day whose heading is on the page already."""
    made = []
    for day, group in itertools.groupby(photos, key=_day):
        tiles = [tile_of(photo, (marks or {}).get(photo.id)) for photo in group]
        ratios = f"{sum(float(tile.ratio) for tile in tiles):.3f}"
        made.append(Day(day, tiles, ratios, continued=day == begun))
    return made


def ratio_of(photo: Photo) -> float:
    """Width by height of the upright picture, within what a row can hold."""
    width, height = _shape(photo)
    return min(_WIDEST, max(_NARROWEST, width / height)) if width and height else _USUAL_RATIO


def words_for(photo: Photo) -> str:
    """What a screen reader says for the picture: its caption or the things in it, then when it was taken."""
    said = _fact(photo, "title") or _fact(photo, "caption") or _things(photo) or photo.name
    said = f"Video: {said}" if photo.media == "video" else said
    return f"{said}, {wall_time(photo.taken_local)}" if photo.taken_local else str(said)


def average_colour(thumbhash: str) -> str:
    """The average colour in a thumbhash (base64) as #rrggbb, or "" without one.

    The first 18 bits hold it: luminance, yellow against blue, red against green, six bits each.
    """
    if not thumbhash:
        return ""
    bits = int.from_bytes(base64.b64decode(thumbhash)[:3], "little")
    light = (bits & 63) / 63
    yellow, redness = ((bits >> 6 & 63) / 31.5 - 1), ((bits >> 12 & 63) / 31.5 - 1)
    blue = light - 2 / 3 * yellow
    red = (3 * light - blue + redness) / 2
    return "#" + "".join(f"{round(255 * min(1.0, max(0.0, part))):02x}" for part in (red, red - redness, blue))


def _day(photo: Photo) -> date:
    return photo.taken_local.date() if photo.taken_local else date.min


def _shape(photo: Photo) -> tuple[float, float]:
    if photo.tile_width and photo.tile_height:
        return photo.tile_width, photo.tile_height
    width, height = _fact(photo, "width") or 0, _fact(photo, "height") or 0
    # Orientations 5 to 8 lie on their side in the file.
    return (height, width) if (_fact(photo, "orientation") or 1) >= 5 else (width, height)


def _things(photo: Photo) -> str:
    return ", ".join(dict.fromkeys(label["label"] for label in photo.labels or []))


def _fact(photo: Photo, name: str) -> Any:
    return photo.facts.get(name, {}).get("value")
