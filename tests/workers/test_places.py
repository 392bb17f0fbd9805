"""Places: found offline by borders and nearness, following the position, and a person's word stays above."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from PIL import Image

from core.commands.edits import edit_photo, undo_edit
from core.commands.libraries import add_library, ask_for_analysis, switch_analyses
from core.commands.places import record_place
from core.domain import edits
from core.domain.analysis import Analysis
from core.domain.places import Names, PlaceCorrected, PlaceFound, node_id, path_of
from core.domain.streams import photo_stream
from core.readmodels.libraries import folder_by_id
from core.readmodels.photos import Photo
from core.readmodels.places import PhotoPlace, Place, names_of, place_of
from events.reading import read_stream
from events.replay import replay_in_place
from workers import imports, places, tasks
from workers.imports import import_found
from workers.pipelines import metadata
from workers.pipelines.places import locate

PARIS, NICE, BASEL = (48.8584, 2.2945), (43.6961, 7.2718), (47.5596, 7.5886)


# --- what a position means ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position", "country", "region", "city"),
    [
        (PARIS, "France", "Île-de-France", "Paris"),
        ((51.5007, -0.1246), "United Kingdom", "England", "London"),
        # One river, three countries.
        (BASEL, "Switzerland", "Basel-City", "Basel"),
        ((47.5903, 7.5650), "France", "Grand Est", "Saint-Louis"),
        ((47.593, 7.611), "Germany", "Baden-Wurttemberg", "Weil am Rhein"),
        # The nearest town by far lies beyond the border.
        ((47.6633, 9.1753), "Germany", "Baden-Wurttemberg", "Konstanz"),
        ((47.6500, 9.1750), "Switzerland", "Thurgau", "Kreuzlingen"),
        ((43.7384, 7.4246), "Monaco", "Municipality of Monaco", "Monaco"),
        # One zone's clocks, two countries.
        ((42.66, 21.16), "Kosovo", "Pristina", "Pristina"),
        ((44.80, 20.46), "Serbia", "Central Serbia", "Belgrade"),
        ((21.028, 105.834), "Vietnam", "Hanoi", "Hanoi"),
        # On a pier, and five kilometres off the coast, it is still that country.
        ((50.8149, -0.1372), "United Kingdom", "England", "Brighton"),
        ((50.7700, -0.1370), "United Kingdom", "England", "Brighton"),
        # Far from every town there is a country and a region.
        ((36.5323, -116.9325), "United States", "California", ""),
        ((-77.85, 166.67), "Antarctica", "", ""),
        ((-70.67, -8.27), "Antarctica", "", ""),
        # A quarter is not the town.
        ((40.7580, -73.9855), "United States", "New York", "New York City"),
        ((52.5200, 13.4050), "Germany", "State of Berlin", "Berlin"),
        ((-16.8, 180.0), "Fiji", "Northern", ""),
    ],
)
def test_a_position_is_told_by_its_borders_first(
    position: tuple[float, float], country: str, region: str, city: str
) -> None:
    [found] = locate([position])

    assert (found.country, found.region, found.city) == (country, region, city)
    assert not found.sea


@pytest.mark.parametrize("position", [(30.0, -40.0), (50.3, -0.9), (-48.87, -123.39), (90.0, 0.0)])
def test_at_sea_there_is_no_country_and_no_town(position: tuple[float, float]) -> None:
    [found] = locate([position])

    assert found.sea
    assert (found.country, found.region, found.city, found.code) == ("", "", "", "")
    assert found.zone.startswith("Etc/GMT")


def test_each_place_has_the_clocks_that_are_valid_there() -> None:
    zones = [found.zone for found in locate([PARIS, (-33.8568, 151.2153), (27.7172, 85.3240)])]

    assert zones == ["Europe/Paris", "Australia/Sydney", "Asia/Kathmandu"]


@pytest.mark.slow
def test_every_town_of_the_world_lies_in_its_country(shared: Path) -> None:
    towns = json.loads(gzip.decompress((shared / "geo" / "geonames_cities.json.gz").read_bytes()))

    found = locate([(town["latitude"], town["longitude"]) for town in towns])

    right = sum(one.code == town["country_code"] for one, town in zip(found, towns, strict=True))
    assert right / len(towns) > 0.999


# --- identity -----------------------------------------------------------------------------------------------


def test_a_place_is_its_name_and_what_it_lies_in() -> None:
    texas, france = path_of(Names("United States", "Texas", "Paris")), path_of(Names("France", "", "Paris"))

    assert [kind for kind, *_ in texas] == ["country", "region", "city"]
    assert texas[-1][1] != france[-1][1]
    assert texas == path_of(Names("United States", "Texas", "Paris"))
    assert france[1][2] == france[0][1]  # without a region the town lies in the country itself
    assert node_id(None, "country:Luxembourg") != node_id(None, "city:Luxembourg")


# --- following the position ---------------------------------------------------------------------------------


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children are tried elsewhere; here their functions run in this process."""

    def run(lane: str, function: Callable[..., Any], *args: Any, **limits: Any) -> Any:
        return function(*args)

    monkeypatch.setattr(places, "run_in_child", run)
    monkeypatch.setattr(imports, "run_in_child", run)


@pytest.fixture
def photo(db: None, here: None, tmp_path: Path) -> UUID:
    """A photo from a file with the position of Paris in it."""
    return imported(tmp_path / "photos", PARIS)


def imported(root: Path, position: tuple[float, float] | None) -> UUID:
    root.mkdir(exist_ok=True)
    picture, exif = Image.new("RGB", (8, 8)), Image.Exif()
    if position:
        exif.get_ifd(0x8825).update({1: "N", 2: degrees(position[0]), 3: "E", 4: degrees(position[1])})
    picture.save(root / "one.jpg", exif=exif)
    import_found(folder_by_id(add_library(root, actor="cli")), "one.jpg")
    return Photo.objects.get().id


def degrees(value: float) -> tuple[float, float, float]:
    return int(value), 0.0, round((value - int(value)) * 3600, 4)


def words(photo: UUID) -> tuple[str, ...]:
    return names_of(place_of(photo)).parts


def jobs() -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT args FROM procrastinate_jobs WHERE task_name = %s ORDER BY id", [places.TASK])
        return [row[0] if isinstance(row[0], dict) else json.loads(row[0]) for row in cursor.fetchall()]


def put(photo: UUID, position: tuple[float, float] | None) -> None:
    edit_photo(photo, [edits.PhotoPlaced(*(position or (None, None)))], actor="account:1")


def last_event(photo: UUID) -> UUID:
    return read_stream(photo_stream(photo))[-1].event_id


def test_an_import_finds_the_place_at_once_and_needs_no_job(photo: UUID) -> None:
    place = place_of(photo)

    assert words(photo) == ("France", "Île-de-France", "Paris")
    assert place is not None
    assert (place.zone, place.sea, place.waiting, place.by_hand) == ("Europe/Paris", False, False, False)
    assert jobs() == []


def test_a_photo_without_a_position_has_no_place_and_costs_nothing(db: None, here: None, tmp_path: Path) -> None:
    photo = imported(tmp_path / "photos", None)

    assert place_of(photo) is None
    assert "photo.place_found" not in [event.type for event in read_stream(photo_stream(photo))]


def test_the_place_follows_the_position_there_and_back(photo: UUID) -> None:
    put(photo, NICE)
    moved = last_event(photo)
    assert words(photo) == ("", "", "")  # that of Paris counts no longer
    assert jobs() == [{"photo": str(photo)}]
    tasks.find_places(**jobs()[0])
    assert words(photo)[2] == "Nice"

    undo_edit(photo, moved, actor="account:1")
    tasks.find_places(str(photo))

    assert words(photo)[2] == "Paris"
    put(photo, None)
    assert words(photo) == ("", "", "")
    assert tasks.find_places() == 0


def test_a_place_that_is_found_twice_is_recorded_once(photo: UUID) -> None:
    put(photo, NICE)
    [asked] = PhotoPlace.objects.values_list("asked", flat=True)
    found = PlaceFound(*NICE, "France", "", "Nice", "FR", False, "Europe/Paris", "test", "1")

    for _ in range(2):
        record_place(photo, found, asked=asked, actor="worker:places")

    types = [event.type for event in read_stream(photo_stream(photo))]
    assert types.count("photo.place_found") == 2  # Paris and Nice


def test_a_place_that_comes_too_late_does_not_count(photo: UUID) -> None:
    put(photo, NICE)
    late = PlaceFound(*BASEL, "Switzerland", "", "Basel", "CH", False, "Europe/Zurich", "test", "1")

    record_place(photo, late, asked=1, actor="worker:places")

    assert words(photo) == ("", "", "")


def test_what_a_person_corrects_stays_until_it_is_undone(photo: UUID) -> None:
    edit_photo(photo, [PlaceCorrected(" France ", "", "At  Grandma's")], actor="account:1")
    correction = last_event(photo)
    assert words(photo) == ("France", "", "At Grandma's")

    put(photo, NICE)
    tasks.find_places(str(photo))
    assert words(photo) == ("France", "", "At Grandma's")

    undo_edit(photo, correction, actor="account:1")
    assert words(photo)[2] == "Nice"


def test_a_person_may_say_that_there_is_no_place(photo: UUID) -> None:
    edit_photo(photo, [PlaceCorrected("", "", "")], actor="account:1")

    assert words(photo) == ("", "", "")
    assert place_of(photo).by_hand  # type: ignore[union-attr]


def test_a_library_that_wants_no_places_is_looked_at_once_it_does(db: None, here: None, tmp_path: Path) -> None:
    root = tmp_path / "photos"
    root.mkdir()
    library = add_library(root, actor="cli")
    switch_analyses(library, [Analysis.PLACES], actor="account:1")
    before = len(jobs())
    photo = imported(root, PARIS)
    assert (words(photo), jobs()[before:]) == (("", "", ""), [])

    switch_analyses(library, [], actor="account:1")
    tasks.find_places(**jobs()[-1])

    assert words(photo)[2] == "Paris"


def test_what_an_older_map_has_found_is_found_again_on_demand(
    photo: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit_photo(photo, [PlaceCorrected("France", "", "Home")], actor="account:1")
    library = Photo.objects.get().library_id
    assert tasks.find_places(library=str(library)) == 0
    monkeypatch.setattr("workers.pipelines.places.source_version", lambda: "the next one")

    ask_for_analysis(library, actor="account:1")
    assert jobs()[-1] == {"library": str(library)}
    assert tasks.find_places(**jobs()[-1]) == 1

    assert words(photo) == ("France", "", "Home")
    assert place_of(photo).found["source"].endswith("the next one")  # type: ignore[union-attr,index]
    assert tasks.find_places(library=str(library)) == 0


def test_a_replay_gives_the_same_places(photo: UUID) -> None:
    put(photo, NICE)
    tasks.find_places(str(photo))
    edit_photo(photo, [PlaceCorrected("France", "", "Home")], actor="account:1")
    before = [list(table.objects.order_by("pk").values()) for table in (PhotoPlace, Place)]
    assert len(before[1]) == 6  # France, Île-de-France, Paris, the Riviera's region, Nice, Home

    replay_in_place(["photos", "places"])

    assert [list(table.objects.order_by("pk").values()) for table in (PhotoPlace, Place)] == before


def test_a_file_tells_its_place_with_its_facts(tmp_path: Path, db: None, here: None) -> None:
    imported(tmp_path / "photos", BASEL)
    said = metadata.read_metadata_and_place(
        tmp_path / "photos" / "one.jpg", imports.read_file(tmp_path / "photos" / "one.jpg").kind
    )

    assert said.located is not None
    assert said.located.country == "Switzerland"
