"""Albums by hand and by rule: what is in them, who sees them, and how everything done to them is taken back."""

import html
import re
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from core import whoiswho
from core.accounts import Account
from core.commands.edits import edit_photo
from core.commands.log import write
from core.domain.duplicates import MarkedDuplicate
from core.domain.edits import PhotoRated
from core.domain.photos import Label
from core.domain.streams import photo_stream
from core.readmodels.albums import Album, AlbumChange, AlbumPhoto
from core.readmodels.faces import Person
from events.replay import replay_in_place
from tests.web import peopling
from tests.web.conftest import Shelf, minute
from tests.web.test_search import SOMEWHERE, found
from tests.web.test_timeline import tiles_in

pytestmark = pytest.mark.django_db


def album_of(page: Client, name: str = "Cats", **asked: object) -> str:
    """Make an album, by hand or of a search; its address."""
    answer = page.post("/albums/make/", {"name": name, **asked})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def id_of(address: str) -> str:
    return address.strip("/").rpartition("/")[2]


def words_in(page: Client, address: str) -> str:
    """The main part of a page as it is read."""
    shown = page.get(address).content.decode()
    main = shown[shown.index("<main") : shown.index("</main>")]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", main).split()))


def take_back(page: Client, address: str, words: str) -> int:
    """Press Undo beside this line of the album's history."""
    shown = html.unescape(page.get(address).content.decode())
    undo = re.search(rf'action="([^"]+/undo/[^"]+)"(?:(?!</form>).)*Undo<span[^>]*>: {words}', shown, re.DOTALL)
    assert undo, words
    return page.post(undo[1]).status_code


def with_cat(shelf: Shelf, name: str, number: int, **facts: object) -> UUID:
    photo = shelf.photo(name, taken=minute(number), **facts)
    shelf.label(photo, Label("cat", 0.9, SOMEWHERE))
    return photo


def test_a_search_that_is_kept_takes_in_what_comes_later_and_its_rule_is_changed_in_the_search(
    shelf: Shelf, page: Client
) -> None:
    first = with_cat(shelf, "1.jpg", 1, rating=5)
    shelf.photo("other.jpg")
    asked = {"label": "cat", "rating": "4"}
    assert 'action="/albums/make/"' in page.get("/search/", asked).content.decode()
    album = album_of(page, **asked)
    later = with_cat(shelf, "2.jpg", 2, rating=4)

    assert tiles_in(page.get(album)) == [later, first]
    said = words_in(page, album)
    assert "Thing cat" in said and "Rating ★★★★ or more" in said and "2 photos" in said
    # The rule is opened in the search, where each further press leads on to the same album.
    change = html.unescape(re.search(r'href="(/search/[^"]*editing=[^"]*)"', page.get(album).content.decode())[1])  # type: ignore[index]
    opened = page.get(change).content.decode()
    assert "Save the rule" in opened and "Save as album" not in opened
    without_stars = f"/search/?label=cat&amp;editing={id_of(album)}"
    assert f'href="{without_stars}"' in opened
    saved = page.post(f"{album}change/", {"fact": "rule", "label": "cat"})
    assert (saved.status_code, saved["Location"]) == (302, album)
    with_cat(shelf, "3.jpg", 3)
    assert len(tiles_in(page.get(album))) == 3
    assert take_back(page, album, "Another rule, of 1 filter") == 302
    assert tiles_in(page.get(album)) == [later, first]
    # An album may be narrowed, and be part of another one's rule.
    edit_photo(later, [PhotoRated(5)], actor="account:1")
    best = album_of(page, "Best", album=id_of(album), date="2024-05-01")
    assert tiles_in(page.get(best)) == found(page, album=id_of(album)) == [later, first]
    refused = page.post(f"{album}change/", {"fact": "rule", "album": id_of(best)})
    assert (refused.status_code, "leads back to the album itself" in refused.content.decode()) == (422, True)


def test_photos_are_put_in_and_taken_out_from_the_selection_and_that_is_taken_back(
    shelf: Shelf, page: Client
) -> None:
    photos = [shelf.photo(f"{number}.jpg", taken=minute(number)) for number in range(3)]
    new = page.post(
        "/selection/", {"photo": photos[:2], "act": "album", "album_name": " Summer "}
    ).content.decode()
    assert "2 photos put into Summer." in new
    [album] = Album.objects.all()
    address = reverse("album", args=[album.id])
    assert f'href="{address}"' in new
    assert 'value="Summer"' in page.get("/").content.decode()  # proposed for the next photos
    more = page.post("/selection/", {"photo": photos, "act": "album", "album_name": "summer"}).content.decode()
    assert tiles_in(page.get(address)) == photos[::-1]
    again = page.post("/selection/", {"photo": photos, "act": "album", "album_name": "Summer"}).content.decode()
    assert "in Summer already" in again and "Undo" not in again
    out = page.post("/selection/", {"photo": photos[:1], "act": "out", "album": album.id}).content.decode()
    assert f'data-gone="{photos[0]} "' in out
    assert tiles_in(page.get(address)) == [photos[2], photos[1]]

    def press(answer: str) -> int:
        named = re.findall(r'name="undo" value="([^"]+)"', answer)
        return page.post("/selection/undo/", {"undo": named}).status_code

    assert (press(out), press(more)) == (200, 200)
    assert tiles_in(page.get(address)) == [photos[1], photos[0]]
    assert (
        'role="alert"' in page.post("/selection/undo/", {"undo": f"album:{album.id}:{album.id}"}).content.decode()
    )
    assert press(new) == 200
    assert "No albums yet" in words_in(page, "/albums/")
    assert page.post(f"{address}bring-back/").status_code == 302
    assert "2 photos" in words_in(page, "/albums/")
    none = page.post("/selection/", {"photo": photos, "act": "album", "album_name": " "}).content.decode()
    assert "An album has a name." in none and 'role="alert"' in none


def test_one_photo_goes_in_and_out_from_the_panel_beside_it(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo("one.jpg")
    assert page.post(f"/photos/{photo}/albums/", {"album_name": "Summer"}).status_code == 302
    [album] = Album.objects.all()
    shown = page.get(f"/photos/{photo}/").content.decode()
    assert f'href="/albums/{album.id}/"' in shown and "Take out of Summer" in shown
    answer = page.post(f"/photos/{photo}/albums/", {"out": album.id}, headers={"HX-Request": "true"})
    assert 'id="details"' in answer.content.decode() and "Take out of" not in answer.content.decode()
    assert "Nothing in it yet" in words_in(page, f"/albums/{album.id}/")


def test_an_album_by_hand_shows_what_was_put_in_whatever_lies_on_top_of_it_today(
    shelf: Shelf, page: Client, owner: Account
) -> None:
    under, top, twin = (shelf.photo(f"{number}.jpg", taken=minute(number)) for number in range(3))
    page.post("/selection/", {"photo": [under, twin], "act": "album", "album_name": "Summer"})
    page.post("/selection/", {"photo": [top, under], "act": "stack"})
    write(photo_stream(twin), [MarkedDuplicate(top, review=top)], actor="account:1")
    [album] = Album.objects.all()
    assert tiles_in(page.get("/")) == [top]
    assert tiles_in(page.get(f"/albums/{album.id}/")) == [twin, under]
    assert "2 photos" in words_in(page, "/albums/")


def test_the_viewer_goes_on_inside_the_album_and_back_to_it(shelf: Shelf, page: Client) -> None:
    photos = [shelf.photo(f"{number}.jpg", taken=minute(number)) for number in range(3)]
    page.post("/selection/", {"photo": [photos[0], photos[2]], "act": "album", "album_name": "Summer"})
    [album] = Album.objects.all()
    shown = page.get(f"/albums/{album.id}/").content.decode()
    address = html.unescape(re.search(rf'href="(/photos/{photos[2]}/[^"]*)"', shown)[1])  # type: ignore[index]
    viewer = page.get(address).content.decode()
    assert f'href="/photos/{photos[0]}/?within=' in viewer and str(photos[1]) not in viewer
    assert f'href="/albums/{album.id}/#p-{photos[2]}"' in viewer
    # With the album gone, the way leads on through the timeline.
    page.post(f"/albums/{album.id}/change/", {"fact": "removed"})
    assert f"/photos/{photos[1]}/" in page.get(address).content.decode()


def test_an_album_is_shown_by_a_photo_that_has_a_picture(shelf: Shelf, page: Client) -> None:
    old, new = (shelf.photo(f"{number}.jpg", taken=minute(number)) for number in range(2))
    waiting = shelf.photo("waiting.jpg", taken=minute(9), ready=False)
    page.post("/selection/", {"photo": [old, new, waiting], "act": "album", "album_name": "Hand"})
    rule = album_of(page, "Rule", kind="image")
    [hand] = Album.objects.filter(rule__isnull=True)

    def covers() -> list[str]:
        return re.findall(r'<img src="/photos/([^/]+)/tile', page.get("/albums/").content.decode())

    assert covers() == [str(new), str(new)]
    for album in (str(hand.id), id_of(rule)):
        assert (
            "shown by this photo"
            in page.post("/selection/", {"photo": old, "act": "cover", "album": album}).content.decode()
        )
    assert covers() == [str(old), str(old)]
    page.post("/selection/", {"photo": old, "act": "out", "album": hand.id})
    assert covers() == [str(new), str(old)]
    refused = page.post("/selection/", {"photo": old, "act": "cover", "album": hand.id}).content.decode()
    assert "Choose one photo of this album." in refused
    assert take_back(page, rule, "Another cover was chosen") == 302
    assert covers() == [str(new), str(new)]


def test_a_part_of_the_rule_that_is_no_longer_there_is_said_plainly(
    shelf: Shelf, page: Client, owner: Account
) -> None:
    photo, other = with_cat(shelf, "1.jpg", 1), with_cat(shelf, "2.jpg", 2)
    [face], [second] = (
        peopling.find_faces(one, peopling.numbers_of("Ada", at), grouped=False)
        for at, one in enumerate((photo, other))
    )
    ada, bob = whoiswho.name_face(owner, face, "Ada"), whoiswho.name_face(owner, second, "Bob")
    album = album_of(page, "Ada", person=str(ada), label="cat")
    assert tiles_in(page.get(album)) == [photo]
    # Merged: who she is now. Not there at all: said so, and no photo in her place.
    whoiswho.merge(owner, ada, bob)
    assert "Person Bob" in words_in(page, album) and tiles_in(page.get(album)) == [other, photo]
    Person.objects.all().delete()
    assert "Person no longer there" in words_in(page, album) and "Thing cat" in words_in(page, album)
    assert tiles_in(page.get(album)) == []
    assert "its rule finds nothing" in words_in(page, "/albums/")
    told = page.get(f"/api/v1/albums/{id_of(album)}").json()
    assert (told["count"], told["broken"]) == (0, ["person"])
    assert page.get(f"/api/v1/albums/{id_of(album)}/photos").status_code == 409
    assert page.get(f"/photos/{photo}/?within=person%3D{ada}").status_code == 200


def test_nobody_sees_or_changes_the_albums_of_somebody_else(
    shelf: Shelf, page: Client, stranger: Account, client: Client
) -> None:
    photo = shelf.photo("one.jpg")
    page.post("/selection/", {"photo": photo, "act": "album", "album_name": "Secret"})
    [album] = Album.objects.all()
    client.force_login(stranger)
    address, api = f"/albums/{album.id}/", f"/api/v1/albums/{album.id}"
    made = AlbumChange.objects.earliest("position").id

    assert "Secret" not in words_in(client, "/albums/") + words_in(client, "/search/")
    assert client.get("/api/v1/albums").json() == []
    assert client.get("/search/", {"album": album.id}).status_code == 422
    for wrong in (f"{address}change/", f"{address}bring-back/", f"{address}undo/{made}/"):
        assert client.post(wrong, {"fact": "name", "value": "Mine"}).status_code == 404
    assert client.post("/selection/undo/", {"undo": f"album:{album.id}:{made}"}).status_code == 404
    assert client.post(f"/photos/{photo}/albums/", {"album_name": "Mine"}).status_code == 404
    asked = {"content_type": "application/json"}
    assert client.get(address).status_code == client.get(api).status_code == 404
    assert client.patch(api, {"name": "Mine"}, **asked).status_code == client.delete(api).status_code == 404
    assert client.post(f"{api}/undo", {"change": str(made)}, **asked).status_code == 404
    assert client.post("/api/v1/albums", {"name": "x", "photos": [str(photo)]}, **asked).status_code == 404
    # Staff see all photos, yet not another one's albums; and in an album only what one may see.
    stranger.is_staff = True
    stranger.save()
    assert client.get(address).status_code == 404
    assert client.post(f"/photos/{photo}/albums/", {"album_name": "Mine"}).status_code == 302
    mine = reverse("album", args=[Album.objects.get(name="Mine").id])
    assert tiles_in(client.get(mine)) == [photo]
    Account.objects.filter(pk=stranger.pk).update(is_staff=False)
    assert tiles_in(client.get(mine)) == []
    assert "0 photos" in words_in(client, "/albums/")


def test_what_is_in_an_album_goes_on_where_it_ended(
    shelf: Shelf, page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.web.albums.PAGE", 2)
    photos = [shelf.photo(f"{number}.jpg", taken=minute(number)) for number in range(3)]
    album = album_of(page, kind="image")
    shown = page.get(album)
    assert tiles_in(shown) == [photos[2], photos[1]]
    more = html.unescape(re.search(r'hx-get="([^"]*before[^"]*)"', shown.content.decode())[1])  # type: ignore[index]
    rest = page.get(more, headers={"HX-Request": "true"})
    assert tiles_in(rest) == [photos[0]] and b"<main" not in rest.content
    assert page.get(f"{album}?before=x").status_code == 404


def test_bad_names_and_rules_are_refused_in_words(shelf: Shelf, page: Client) -> None:
    album = album_of(page, "Mine")
    for address, sent, words in (
        ("/albums/make/", {"name": " "}, "An album has a name."),
        ("/albums/make/", {"name": "x", "rating": "9"}, "Stars go from 1 to 5"),
        (f"{album}change/", {"fact": "name", "value": ""}, "An album has a name."),
        (f"{album}change/", {"fact": "rule", "label": "cat"}, "filled by hand"),
    ):
        answer = page.post(address, sent)
        assert (answer.status_code, words in html.unescape(answer.content.decode())) == (422, True), sent
    assert page.post(f"{album}change/", {"fact": "shape"}).status_code == 400
    assert Album.objects.count() == 1


def test_programs_do_the_same(shelf: Shelf, page: Client) -> None:
    cat, dog = with_cat(shelf, "1.jpg", 1), shelf.photo("2.jpg", taken=minute(2))
    asked = {"content_type": "application/json"}
    made = page.post("/api/v1/albums", {"name": "Cats", "rule": {"label": ["cat"]}}, **asked)
    assert made.status_code == 201
    rule = f"/api/v1/albums/{made.json()['id']}"
    assert (made.json()["count"], made.json()["cover"], made.json()["broken"]) == (1, str(cat), [])
    hand = f"/api/v1/albums/{page.post('/api/v1/albums', {'name': 'Hand'}, **asked).json()['id']}"
    both = {"photos": [str(cat), str(dog)]}
    assert page.post(f"{hand}/photos", both, **asked).json()["count"] == 2
    assert page.post(f"{hand}/photos/take-out", {"photos": [str(cat)]}, **asked).json()["count"] == 1
    assert [one["id"] for one in page.get(f"{hand}/photos").json()["photos"]] == [str(dog)]
    assert [one["name"] for one in page.get("/api/v1/albums").json()] == ["Cats", "Hand"]
    changed = page.patch(rule, {"name": "All", "rule": {"kind": ["image"]}, "cover": str(cat)}, **asked).json()
    assert (changed["name"], changed["rule"], changed["count"]) == ("All", {"kind": ["image"]}, 2)
    assert changed["cover"] == str(cat)
    for wrong in ({"rule": {"hat": ["x"]}}, {"rule": {"rating": ["9"]}}, {"name": ""}, {"cover": rule[-36:]}):
        assert page.patch(rule, wrong, **asked).status_code == 422, wrong
    assert page.post(f"{rule}/photos", both, **asked).status_code == 422
    [latest, *_] = page.get(f"{rule}/history").json()
    assert (latest["type"], latest["counts"]) == ("album.cover_chosen", True)
    assert page.post(f"{rule}/undo", {"change": latest["change"]}, **asked).json()["cover"] == str(dog)
    assert page.post(f"{rule}/undo", {"change": latest["change"]}, **asked).status_code == 409
    assert page.delete(rule).status_code == 204
    assert [one["name"] for one in page.get("/api/v1/albums?removed=true").json()] == ["All"]


def test_a_replay_gives_the_same_albums(shelf: Shelf, page: Client) -> None:
    photos = [shelf.photo(f"{number}.jpg") for number in range(3)]
    album = album_of(page, label="cat")
    page.post(f"{album}change/", {"fact": "name", "value": "Dogs"})
    page.post(f"{album}change/", {"fact": "rule", "label": "dog"})
    take_back(page, album, "Another rule")
    page.post("/selection/", {"photo": photos, "act": "album", "album_name": "Hand"})
    [hand] = Album.objects.filter(rule__isnull=True)
    page.post("/selection/", {"photo": photos[:1], "act": "cover", "album": hand.id})
    page.post("/selection/", {"photo": photos[:2], "act": "out", "album": hand.id})
    take_back(page, f"/albums/{hand.id}/", "3 photos put in")
    page.post(f"/albums/{hand.id}/change/", {"fact": "removed"})
    before = [list(table.objects.order_by("pk").values()) for table in (Album, AlbumPhoto, AlbumChange)]
    assert len(before[0]) == 2 and not before[1] and len(before[2]) == 10

    replay_in_place(["albums"])

    assert [list(table.objects.order_by("pk").values()) for table in (Album, AlbumPhoto, AlbumChange)] == before
