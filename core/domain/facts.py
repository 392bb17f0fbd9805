"""Whose word counts: a person's, then a sidecar's, the file's own, the machine's, that of its name or time."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from core.domain.clocks import offset_between
from core.domain.personal import Personal


class AboutFacts:
    """What all events have in common that are only about facts: no step of the pipeline depends on them."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known of a photo, and who says so ("exif", "xmp", "file name", …)."""

    value: Personal[Any]
    source: str


@dataclass(frozen=True, slots=True)
class Known:
    """The word that counts on a fact, and what others say instead."""

    value: Any
    source: str
    also: tuple[Fact, ...] = ()


Layer: TypeAlias = Mapping[str, Fact]


class Rank(enum.IntEnum):
    """Lower counts more."""

    PERSON = 0  # set by hand in Filmroll
    SIDECAR = 1  # a file beside the original, written by a program that a person used
    TAKEOUT = 2  # what another library knew when it was left
    FILE = 3  # the original's own metadata
    MACHINE = 4  # worked out, guessed, seen
    NAME = 5  # the file's name
    TIME = 6  # the file's time


_RANKS = {
    "user": Rank.PERSON,
    "sidecar": Rank.SIDECAR,
    "takeout": Rank.TAKEOUT,
    "exif": Rank.FILE,
    "xmp": Rank.FILE,
    "iptc": Rank.FILE,
    "container": Rank.FILE,
    "file name": Rank.NAME,
    "file time": Rank.TIME,
}
# Facts that only make sense together come from one mouth: the first of each leads.
_TOGETHER = (("taken_at", "taken_offset"), ("latitude", "longitude", "altitude"))
_LEADERS = {name: group[0] for group in _TOGETHER for name in group}
_SAME_PLACE = 1e-4  # degrees: some ten metres, the rounding of the formats


def resolve(layers: Sequence[Layer]) -> dict[str, Known]:
    """The facts of a photo, from what each source says; of equals in rank the earlier layer counts.

    A person's None means: nothing is to be said, whatever others say.
    """
    heard = [layer for layer in _in_wall_time(layers) if layer]
    known: dict[str, Known] = {}
    for name in dict.fromkeys(name for layer in heard for name in layer):
        ordered = _by_rank(heard, _LEADERS.get(name, name))
        found = _word_on(name, ordered)
        if found is not None and found.value is not None:
            known[name] = found
    return known


def _by_rank(layers: Iterable[Layer], leader: str) -> list[Layer]:
    """The layers that speak about a fact, the weightiest first."""
    return sorted((layer for layer in layers if leader in layer), key=lambda layer: rank_of(layer[leader].source))


def rank_of(source: str) -> Rank:
    """The weight of a source; one that is not listed is a machine."""
    return _RANKS.get(source, Rank.MACHINE)


def _word_on(name: str, ordered: Sequence[Layer]) -> Known | None:
    if not ordered:
        return None
    leader = _LEADERS.get(name, name)
    agreeing = [layer for layer in ordered if _agree(leader, ordered[0], layer)]
    others = [layer for layer in ordered if not _agree(leader, ordered[0], layer) and name in layer]
    # Who agrees on the time may know the offset as well.
    said = next((layer[name] for layer in agreeing if name in layer), None)
    if said is None:
        return None
    also = dict.fromkeys((_plain(layer[name].value), layer[name].source) for layer in others)
    return Known(said.value, said.source, tuple(Fact(_listed(value), source) for value, source in also))


def _agree(leader: str, one: Layer, other: Layer) -> bool:
    first, second = one[leader].value, other[leader].value
    if first is None or second is None:
        return first is second
    match leader:
        case "taken_at":
            return bool(str(first)[:19] == str(second)[:19])
        case "latitude":
            return all(
                name in one and name in other and abs(one[name].value - other[name].value) < _SAME_PLACE
                for name in ("latitude", "longitude")
            )
        case _:
            return bool(_plain(first) == _plain(second))


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _in_wall_time(layers: Sequence[Layer]) -> list[Layer]:
    """Google's export gives a moment in UTC. Where the file's own wall time can be the same moment, it stays.

    The two clocks then tell the offset, unless they show the same: Google takes wall times without a zone for UTC.
    """
    heard = [dict(layer) for layer in layers]
    for layer in heard:
        utc = layer.pop("taken_utc", None)
        own = next((other for other in heard if other is not layer and _has_time(other)), None)
        if utc is None or own is None:
            continue
        offset = offset_between(
            datetime.fromisoformat(own["taken_at"].value), datetime.fromisoformat(utc.value), exactly=True
        )
        if offset:
            layer.pop("taken_at", None)
            layer.pop("taken_offset", None)
            recorded = own.get("taken_offset")
            if offset != "+00:00" and (recorded is None or recorded.source == "position"):
                own["taken_offset"] = Fact(offset, utc.source)
    return list(heard)


def _has_time(layer: Layer) -> bool:
    return "taken_at" in layer and rank_of(layer["taken_at"].source) in (Rank.FILE, Rank.NAME)
