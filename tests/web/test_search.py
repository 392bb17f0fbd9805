"""Search: filters in the address, that combine; suggestions; and never a photo of somebody else's."""

import html
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client

from core import whoiswho
from core.accounts import Account
from core.commands.edits import edit_photo
from core.commands.libraries import switch_analyses
from core.commands.occasions import name_date
from core.commands.places import record_place
from core.domain import edits
from core.domain.analysis import Analysis
from core.domain.photos import Label
from core.domain.places import Names, PlaceCorrected, PlaceFound, path_of
from core.readmodels.filters import FILTERS
from core.readmodels.occasions import NamedDate
from core.readmodels.places import PhotoPlace
from core.readmodels.searching import PhotoExposure, PhotoWords, SearchTerm
from core.readmodels.suggesting import suggestions
from events.replay import replay_in_place
from tests.web import peopling
from tests.web.conftest import Shelf

PARIS, LYON = (48.85, 2.35), (45.76, 4.84)
SOMEWHERE = (0.0, 0.0, 0.5, 0.5)


def located(shelf: Shelf, photo: UUID, position: tuple[float, float], names: Names, sea: bool = False) -> UUID:
    asked = PhotoPlace.objects.get(photo_id=photo).asked
    found = PlaceFound(*position, *names.parts, "" if sea else "FR", sea, "Europe/Paris", "test", "1")
    record_place(photo, found, asked=asked, actor="worker:places")
    return photo


def in_paris(shelf: Shelf, name: str = "paris.jpg", **facts: Any) -> UUID:
    photo = shelf.photo(name, latitude=PARIS[0], longitude=PARIS[1], **facts)
    return located(shelf, photo, PARIS, Names("France", "Île-de-France", "Paris"))


def found(page: Client, **asked: Any) -> list[UUID]:
    answer = page.get("/api/v1/search", asked)
    assert answer.status_code == 200, asked
    return [UUID(one["id"]) for one in answer.json()["photos"]]


def place_id(*names: str) -> str:
    return str(path_of(Names(*names))[-1][1])


def words_of(account: Account, typed: str) -> list[tuple[str, str]]:
    return [(one.filter, one.words) for one in suggestions(account, typed)]


def test_words_are_found_in_title_caption_keywords_names_and_places(shelf: Shelf, page: Client) -> None:
    photo = in_paris(
        shelf, "2024/Été/IMG_1234.JPG", title="A Sunday walk", caption="by the river", keywords=["Grandma's house"]
    )
    shelf.photo("other.jpg")

    for words in ("sunday", "RIVER walk", "grandma", "img_1234", "1234", "ete", "île", "par"):
        assert found(page, q=words) == [photo], words
    assert found(page, q="sunday night") == []
    assert found(page, q="' | !x:*") == found(page, label="'") == []


def test_what_was_corrected_is_found_by_its_new_words_only(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo(title="Old words")
    edit_photo(photo, [edits.PhotoTitled("New ones")], actor="account:1")

    assert (found(page, q="old"), found(page, q="new")) == ([], [photo])


def test_every_filter_finds_its_photo_and_they_combine(shelf: Shelf, page: Client) -> None:
    photo = in_paris(
        shelf,
        taken="2023-12-25T10:00:00",
        camera_make="Canon",
        camera_model="Canon EOS R5",
        lens="RF 50mm F1.2 L",
        rating=4,
        keywords=["Sea"],
        favourite=True,
        aperture=2.8284,
        shutter=0.004,
        iso=400,
        focal_length=50,
        focal_length_35=75,
    )
    shelf.label(photo, Label("cat", 0.9, SOMEWHERE))
    other = shelf.photo("other.jpg", taken="2022-07-01T10:00:00")
    shelf.label(other, Label("dog", 0.9, SOMEWHERE))

    asked = {
        "q": "paris",
        "label": "animal",
        "place": place_id("France", "Île-de-France"),
        "date": "2023-12",
        "camera": "Canon EOS R5",
        "lens": "RF 50mm F1.2 L",
        "rating": "4",
        "keyword": "sea",
        "favourite": "yes",
        "kind": "image",
        "aperture": "1.4..2.8",
        "shutter": "..1/200",
        "iso": "400",
        "focal": "35..50",
        "focal35": "75",
        "path": "pari",
    }
    for name, value in asked.items():
        assert photo in found(page, **{name: value}), name
    assert found(page, **asked) == [photo]
    assert found(page, label="animal") == [photo, other]
    assert found(page, label=["animal", "dog"]) == [other]
    assert found(page, rating="5") == found(page, aperture="4..") == found(page, iso="800") == []
    assert found(page, path="sunday") == []
    assert found(page, **(asked | {"date": "2022"})) == []


def test_dates_of_note_are_found_and_only_trusted_ones(shelf: Shelf, page: Client, owner: Account) -> None:
    christmas = shelf.photo("a.jpg", taken="2023-12-25T10:00:00")
    easter = shelf.photo("b.jpg", taken="2024-03-31T10:00:00")
    shelf.photo("c.jpg", taken="2024-12-01T10:00:00")
    fair = str(name_date(owner.pk, "Village fair", 3, 31, 2020, actor="account:1"))

    assert found(page, date="christmas") == [christmas]
    assert found(page, date=["easter", fair]) == [easter]
    assert "Village fair, 4 years on" in page.get(f"/photos/{easter}/").content.decode()
    assert "Christmas" in page.get(f"/photos/{christmas}/").content.decode()

    switch_analyses(shelf.library, [Analysis.DATES], actor="account:1")
    assert found(page, date="christmas") == []


def test_people_are_found_with_their_birthdays_and_ages(shelf: Shelf, page: Client, owner: Account) -> None:
    party = shelf.photo("a.jpg", taken="2020-06-14T15:00:00")
    later = shelf.photo("b.jpg", taken="2020-06-15T15:00:00")
    another = shelf.photo("c.jpg", taken="2021-06-14T15:00:00")  # the day, but not the child
    [theirs] = peopling.find_faces(another, peopling.numbers_of("Bob"), grouped=False)
    whoiswho.name_face(owner, theirs, "Ad")
    [face] = peopling.find_faces(party, peopling.numbers_of("Ada"), grouped=False)
    [other] = peopling.find_faces(later, peopling.numbers_of("Ada", 1), grouped=False)
    ada = whoiswho.name_face(owner, face, "Ada")
    whoiswho.name_face(owner, other, "Ada")
    whoiswho.set_birthday(owner, ada, "2015-06-14")

    assert found(page, person=str(ada)) == [later, party]
    assert found(page, date="birthday") == [party]
    assert words_of(owner, "ad")[:2] == [("person", "Ada"), ("person", "Ad")]  # who is in most photos first
    shown = html.unescape(page.get(f"/photos/{party}/").content.decode())
    assert "Ada turns 5" in shown
    assert "Ada\N{NO-BREAK SPACE}5" in shown
    assert '"kind": "face", "thing": 0, "words": "Ada"' in shown
    assert page.get(f"/api/v1/photos/{party}").json()["dates_of_note"] == ["Ada turns 5"]
    assert "turns" not in page.get(f"/photos/{later}/").content.decode()


def test_places_follow_a_persons_word(shelf: Shelf, page: Client) -> None:
    photo = in_paris(shelf)
    edit_photo(photo, [PlaceCorrected("France", "", "At Grandma's")], actor="account:1")

    assert found(page, place=place_id("France", "Île-de-France", "Paris")) == []
    assert found(page, place=place_id("France", "", "At Grandma's")) == [photo]
    assert found(page, q="grandma") == [photo]
    shown = page.get("/places/").content.decode()
    assert "Grandma" in shown
    assert "Paris" not in shown


def test_a_place_counts_and_is_shown_by_what_a_search_for_it_finds(shelf: Shelf, page: Client) -> None:
    seen = in_paris(shelf, "seen.jpg", taken="2020-05-01T12:00:00")
    in_paris(shelf, "waits.jpg", taken="2021-05-01T12:00:00", ready=False)
    broken = shelf.photo("broken.jpg", ready=False, latitude=47.6, longitude=18.3)
    located(shelf, broken, (47.6, 18.3), Names("Hungary"))
    shelf.fail(broken)

    [france] = page.get("/api/v1/places").json()
    assert (france["name"], france["count"], france["cover"]) == ("France", 2, str(seen))
    assert len(found(page, place=place_id("France"))) == 2
    assert found(page, place=place_id("Hungary")) == []


def test_photos_at_sea_are_found(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo(latitude=30.0, longitude=-40.0)
    located(shelf, photo, (30.0, -40.0), Names(), sea=True)

    assert found(page, place="sea") == [photo]
    assert "At sea" in page.get(f"/photos/{photo}/").content.decode()
    assert "At sea" in page.get("/places/").content.decode()


def test_states_find_what_the_timeline_leaves_out(shelf: Shelf, page: Client) -> None:
    waiting = shelf.photo("a.jpg", ready=False)
    failed = shelf.photo("b.jpg", ready=False)
    shelf.fail(failed)
    fine = shelf.photo("c.jpg")

    assert found(page, state="no-preview") == [waiting]
    assert found(page, state="failed") == found(page, state="failed-previews") == [failed]
    assert found(page, state="not-analysed") == [fine]
    with_faces = shelf.photo("d.jpg")
    peopling.find_faces(with_faces, peopling.numbers_of("Ada"))
    for photo in (fine, with_faces):
        shelf.fail(photo, "labels")
    assert found(page, state="failed-faces") == [fine]
    assert set(found(page, state="failed-scenes")) == set(found(page, state="failed-labels")) == {fine, with_faces}
    assert failed not in found(page, kind="image")


def test_the_address_is_shown_as_pills_of_which_each_can_be_taken_away(shelf: Shelf, page: Client) -> None:
    in_paris(shelf, rating=5)
    shown = page.get("/search/", {"place": place_id("France"), "rating": "5", "q": "par"}).content.decode()
    inside = shown[shown.index('class="pills"') : shown.index('<details class="filters')]
    pills = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", inside)).split())

    for words in ("Place France", "Rating ★★★★★", "Text par"):
        assert f"{words} , take this filter away" in pills
    assert f'href="/search/?q=par&amp;place={place_id("France")}"' in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("place", "nowhere"),
        ("person", "nobody"),
        ("person", "00000000-0000-0000-0000-000000000001"),
        ("date", "yesterday"),
        ("colour", "octarine"),
        ("style", "cubism"),
        ("rating", "6"),
        ("state", "sleepy"),
        ("iso", "fast"),
        ("path", "///"),
        ("album", "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_a_value_that_a_filter_knows_nothing_of_is_said(shelf: Shelf, page: Client, name: str, value: str) -> None:
    answer = page.get("/search/", {name: value})

    assert answer.status_code == 422
    assert value in answer.content.decode()
    assert page.get("/api/v1/search", {name: value}).status_code == 422


def test_the_ends_of_a_range_in_fields_of_their_own_lead_to_its_address(shelf: Shelf, page: Client) -> None:
    sent = {"rating": "4", "iso_from": "400", "iso_to": "", "focal_from": "50", "focal_to": "50", "path": ""}
    answer = page.get("/search/", sent)

    assert (answer.status_code, answer["Location"]) == (302, "/search/?rating=4&iso=400..&focal=50")
    shown = html.unescape(page.get(answer["Location"]).content.decode())
    assert "400 or more" in shown and "50 mm" in shown


def test_what_is_found_goes_on_where_it_ended(shelf: Shelf, page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.web.search.PAGE", 2)
    photos = [shelf.photo(f"{n}.jpg", taken=f"2024-05-0{1 + n // 2}T12:00:00", keywords=["sea"]) for n in range(5)]
    address, seen = "/search/?keyword=sea", []
    for _ in range(3):
        shown = page.get(address, headers={"HX-Request": "true"} if seen else {}).content.decode()
        seen += [UUID(one) for one in re.findall(r'id="p-([0-9a-f-]{36})"', shown)]
        more = re.search(r'hx-get="([^"]*before[^"]*)"', shown)
        address = html.unescape(more[1]) if more else ""

    assert not address
    assert len(seen) == 5
    assert set(seen) == set(photos)


def test_from_what_was_found_the_viewer_leads_to_its_neighbours(shelf: Shelf, page: Client) -> None:
    first, _, last = (
        shelf.photo(f"{n}.jpg", taken=f"2024-05-0{n}T12:00:00", keywords=["sea"] if n != 2 else [])
        for n in (1, 2, 3)
    )
    shown = page.get("/search/?keyword=sea").content.decode()
    address = html.unescape(re.search(rf'href="(/photos/{last}/[^"]*)"', shown)[1])  # type: ignore[index]
    viewer = page.get(address).content.decode()

    assert f"/photos/{first}/?within=" in viewer
    assert 'href="/search/?keyword=sea' in viewer
    assert f"/photos/{first}/" not in page.get(f"/photos/{last}/").content.decode()


def test_suggestions_are_of_ones_own_photos_and_join_the_filters_in_force(
    shelf: Shelf, page: Client, owner: Account
) -> None:
    photo = in_paris(shelf, camera_model="Pentax K-1", keywords=["party"])
    shelf.label(photo, Label("parking meter", 0.9, SOMEWHERE))

    assert words_of(owner, "par")[:3] == [
        ("place", "Paris, Île-de-France, France"),
        ("label", "parking meter"),
        ("keyword", "party"),
    ]
    assert ("camera", "Pentax K-1") in words_of(owner, "k-1")
    assert words_of(owner, "chri") == [("date", "Christmas")]
    assert words_of(owner, "f/2.8") == [("aperture", "f/2.8")]
    assert ("date", "May 2024") in words_of(owner, "May 2024")
    assert words_of(owner, "zzz") == words_of(owner, " ") == []
    shown = page.get("/search/suggestions/?rating=5&q=old&q=par").content.decode()
    assert 'href="/search/?q=old&amp;rating=5&amp;keyword=party"' in shown


def test_suggestions_begin_with_the_letters_and_then_have_most_photos(shelf: Shelf, owner: Account) -> None:
    for number in range(3):
        shelf.photo(f"{number}.jpg", keywords=["Barcelona", "old bark"], camera_model="Barco")
    for number in range(3, 5):
        shelf.photo(f"{number}.jpg", keywords=["bar", "100% bar_"])
    gone = shelf.photo("gone.jpg", keywords=["barge"])
    edit_photo(gone, [edits.KeywordsChanged(("Barbados",))], actor="account:1")

    told = [(one.words, one.photos) for one in suggestions(owner, "bar")]
    assert told == [("Barcelona", 3), ("Barco", 3), ("bar", 2), ("Barbados", 1), ("old bark", 3)]
    assert words_of(owner, "100% b") == words_of(owner, "bar_") == [("keyword", "100% bar_")]
    # As PostgreSQL knows it, once it has looked.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE photo_words")
        cursor.execute("SELECT count(*) FROM pg_stats WHERE tablename = 'photo_words' AND attname = 'words'")
        assert cursor.fetchone() == (1,)
    assert [(one.words, one.photos) for one in suggestions(owner, "bar")] == told


def test_nobody_finds_the_photos_of_somebody_else(
    shelf: Shelf, owner: Account, stranger: Account, client: Client, make_shelf: Callable[[Account], Shelf]
) -> None:
    exposed = {"aperture": 2.8, "shutter": 0.004, "iso": 400, "focal_length": 50, "focal_length_35": 75}
    words = {"keywords": ["secret"], "camera_model": "Leica", "title": "Secret"}
    photo = in_paris(shelf, rating=5, favourite=True, **words, **exposed)
    shelf.label(photo, Label("cat", 0.9, SOMEWHERE))
    shelf.photo("waiting.jpg", ready=False)
    fair = str(name_date(owner.pk, "Secret fair", 5, 1, actor="account:1"))
    own = make_shelf(stranger).photo("own.jpg")
    client.force_login(stranger)
    asked = {
        "q": ["secret"],
        "label": ["cat"],
        "scene": ["beach"],
        "place": [place_id("France"), "sea"],
        "date": ["christmas", "birthday"],
        "colour": ["red"],
        "style": ["sepia"],
        "keyword": ["secret"],
        "camera": ["Leica"],
        "lens": ["x"],
        "aperture": ["2.8"],
        "shutter": ["1/250"],
        "iso": ["400"],
        "focal": ["50"],
        "focal35": ["75"],
        "path": ["paris"],
        "rating": ["5"],
        "favourite": ["yes"],
        "kind": ["raw"],
        "state": ["no-preview", "failed", "missing"],
    }

    # Of a stranger's person or album even the filter is refused.
    assert asked.keys() == FILTERS.keys() - {"person", "album"}
    for name, values in asked.items():
        for value in values:
            assert found(client, **{name: value}) == [], (name, value)
    assert found(client, kind="image") == found(client, date="2024") == [own]
    assert f"p-{photo}" not in client.get("/search/", {"q": "secret"}).content.decode()
    assert client.get("/search/", {"date": fair}).status_code == 422
    assert client.get("/api/v1/places").json() == []
    assert "France" not in client.get("/places/").content.decode()
    assert "France" not in client.get("/search/", {"place": place_id("France")}).content.decode()
    for typed in ("secret", "cat", "paris", "leica", "fra"):
        assert words_of(stranger, typed) == [], typed
    assert client.post(f"/dates/{fair}/forget/").status_code == 404
    assert client.delete(f"/api/v1/dates/{fair}").status_code == 404


def test_programs_find_the_same(shelf: Shelf, page: Client) -> None:
    photo = in_paris(shelf, rating=4)
    shelf.photo("other.jpg")

    answer = page.get("/api/v1/search", {"q": "paris", "rating": "3", "place": place_id("France")}).json()
    assert [one["id"] for one in answer["photos"]] == [str(photo)]
    [meaning] = page.get("/api/v1/search/suggestions", {"q": "paris"}).json()
    assert meaning == {
        "filter": "place",
        "value": place_id("France", "Île-de-France", "Paris"),
        "words": "Paris, Île-de-France, France",
    }
    [france] = page.get("/api/v1/places").json()
    assert (france["name"], france["count"], france["cover"]) == ("France", 1, str(photo))
    assert [one["name"] for one in france["inside"][0]["inside"]] == ["Paris"]
    detail = page.get(f"/api/v1/photos/{photo}").json()
    assert (detail["place"]["city"], detail["place"]["by_hand"]) == ("Paris", False)

    changed = page.patch(f"/api/v1/photos/{photo}", {"place": {"city": "Home"}}, content_type="application/json")
    assert changed.json()["place"] == {
        "country": "",
        "region": "",
        "city": "Home",
        "sea": False,
        "zone": "Europe/Paris",
        "by_hand": True,
    }


def test_ones_own_dates_are_added_and_taken_away(shelf: Shelf, page: Client, owner: Account) -> None:
    refused = page.post("/dates/", {"name": "Fair", "day": "31", "month": "2"})
    assert refused.status_code == 422
    assert "There is no such day" in refused.content.decode()
    page.post("/dates/", {"name": "Wedding", "day": "14", "month": "6", "since": "2012"})
    assert "14 June, since 2012" in page.get("/dates/").content.decode()

    [date] = page.get("/api/v1/dates").json()
    page.post(f"/dates/{date['id']}/forget/")
    assert page.get("/api/v1/dates").json() == []
    made = page.post("/api/v1/dates", {"name": "Fair", "month": 5, "day": 1}, content_type="application/json")
    assert (made.status_code, made.json()["name"]) == (201, "Fair")


def test_a_replay_gives_the_same_index_and_the_same_dates(shelf: Shelf, page: Client, owner: Account) -> None:
    photo = in_paris(
        shelf, "Été/one.jpg", keywords=["Sea"], camera_model="K-1", rating=3, taken="2023-12-25T10:00:00", iso=200
    )
    shelf.label(photo, Label("cat", 0.9, SOMEWHERE))
    edit_photo(photo, [PlaceCorrected("France", "", "Home")], actor="account:1")
    name_date(owner.pk, "Fair", 5, 1, actor="account:1")
    tables = (PhotoWords, PhotoExposure, SearchTerm, NamedDate)
    before = [list(table.objects.order_by("pk").values()) for table in tables]
    assert all(before)

    replay_in_place(["searching", "occasions", "places", "analysis", "photos"])

    assert [list(table.objects.order_by("pk").values()) for table in tables] == before
