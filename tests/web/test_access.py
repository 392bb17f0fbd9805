"""Who may see which page and which file."""

from uuid import uuid4

import pytest
from django.test import Client

from core.accounts import Account
from core.readmodels.failures import Failure
from core.web import urls
from tests.web.conftest import Shelf

pytestmark = pytest.mark.django_db

OPEN = {"welcome", "signin", "signout", "appearance"}
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/failures/"}


def addresses(photo: object, failure: object) -> dict[str, str]:
    """Every address behind the sign-in, by name."""
    return {
        "timeline": "/",
        "tiles": f"/tiles/?ids={photo}",
        "selection": "/selection/",
        "selection-undo": "/selection/undo/",
        "arrivals": "/arrivals/?shown=0",
        "photo": f"/photos/{photo}/",
        "photo-details": f"/photos/{photo}/details/",
        "photo-metadata": f"/photos/{photo}/metadata/",
        "tile": f"/photos/{photo}/tile/r1.webp",
        "large": f"/photos/{photo}/large/r1.webp",
        "original": f"/photos/{photo}/original",
        "playing": f"/photos/{photo}/playing",
        "motion": f"/photos/{photo}/motion",
        "unstack": f"/photos/{photo}/unstack/",
        "restack": f"/photos/{photo}/restack/",
        "on-top": f"/photos/{photo}/on-top/",
        "photo-edit": f"/photos/{photo}/edit/",
        "photo-undo": f"/photos/{photo}/undo/{failure}/",
        "photo-sidecar": f"/photos/{photo}/sidecar/",
        "uploads": "/uploads/",
        "uploads-known": "/uploads/known",
        "upload": f"/uploads/{photo}",
        "failures": "/failures/",
        "retry-all": "/failures/retry/",
        "retry": f"/failures/{failure}/retry/",
        "set-aside": f"/failures/{failure}/set-aside/",
        "missing": "/missing/",
        "take-out-all": "/missing/take-out/",
        "take-out": f"/missing/{photo}/take-out/",
        "duplicates": "/duplicates/",
        "duplicates-exact": "/duplicates/exact/",
        "duplicates-kept": "/duplicates/kept/",
        "duplicates-undo": f"/duplicates/undo/{failure}/",
        "duplicates-compare": f"/duplicates/{photo}/",
        "duplicates-keep": f"/duplicates/{photo}/keep/",
        "duplicates-keep-all": f"/duplicates/{photo}/keep-all/",
        "show-again": f"/photos/{photo}/show-again/",
        "libraries": "/libraries/",
        "library-add": "/libraries/add/",
        "library": f"/libraries/{failure}/",
        "library-change": f"/libraries/{failure}/change/",
        "library-rescan": f"/libraries/{failure}/rescan/",
        "library-remake": f"/libraries/{failure}/remake/",
        "library-analyse": f"/libraries/{failure}/analyse/",
        "library-remove": f"/libraries/{failure}/remove/",
        "folder-add": f"/libraries/{failure}/folders/",
        "folder-remove": f"/libraries/{failure}/folders/{photo}/remove/",
        "skipped": "/skipped/",
        "progress": "/progress/",
        "similar": f"/photos/{photo}/similar/",
        "looks": "/looks/",
        "search": "/search/",
        "search-suggestions": "/search/suggestions/",
        "search-meaning": "/search/meaning/",
        "places": "/places/",
        "dates": "/dates/",
        "date-forget": f"/dates/{failure}/forget/",
        "albums": "/albums/",
        "album-make": "/albums/make/",
        "album": f"/albums/{failure}/",
        "album-change": f"/albums/{failure}/change/",
        "album-bring-back": f"/albums/{failure}/bring-back/",
        "album-undo": f"/albums/{failure}/undo/{photo}/",
        "photo-albums": f"/photos/{photo}/albums/",
        "people": "/people/",
        "loose-faces": "/people/faces/",
        "photo-face": f"/photos/{photo}/faces/{failure}/",
        "face": f"/people/faces/{failure}/r1.webp",
        "face-name": f"/people/faces/{failure}/name/",
        "person-answer": "/people/answer/",
        "group-again": "/people/group-again/",
        "person-undo": f"/people/undo/{failure}/",
        "person": f"/people/{failure}/",
        "person-change": f"/people/{failure}/change/",
        "person-merge": f"/people/{failure}/merge/",
        "person-faces": f"/people/{failure}/faces/",
    }


STREAMS = {"live": "/live/", "jobs-stream": "/jobs/stream"}
POSTS = {
    *("uploads", "uploads-known", "upload"),
    *("selection", "selection-undo"),
    *("retry-all", "retry", "set-aside"),
    *("unstack", "restack", "on-top"),
    *("photo-edit", "photo-undo", "photo-sidecar"),
    *("take-out-all", "take-out"),
    *("duplicates-undo", "duplicates-keep", "duplicates-keep-all", "show-again"),
    *(
        "library-add",
        "library-change",
        "library-rescan",
        "library-remake",
        "library-analyse",
        "library-remove",
        "folder-add",
        "folder-remove",
    ),
    *("date-forget", "face-name", "photo-face", "group-again"),
    *("photo-albums", "album-make", "album-change", "album-bring-back", "album-undo"),
    *("person-answer", "person-undo", "person-change", "person-merge", "person-faces"),
}


def ask(client: Client, name: str, address: str, **headers: str):  # type: ignore[no-untyped-def]
    return (client.post if name in POSTS else client.get)(address, headers=headers)


def test_the_list_of_addresses_here_is_the_list_of_addresses_there() -> None:
    assert set(addresses(0, 0)) | OPEN | {"live"} == {pattern.name for pattern in urls.urlpatterns}


@pytest.mark.parametrize("name", addresses(0, 0))
def test_who_is_not_signed_in_is_sent_to_the_sign_in_page_and_back(name: str, owner: Account) -> None:
    address = addresses(uuid4(), uuid4())[name]
    answer = ask(Client(), name, address)
    assert answer.status_code == 302
    assert answer.url.startswith("/signin/?next=/")


@pytest.mark.parametrize("address", STREAMS.values(), ids=STREAMS)
def test_a_stream_tells_who_is_not_signed_in_so_and_leads_nowhere(address: str) -> None:
    assert Client().get(address).status_code == 401


def test_a_fragment_sends_the_whole_page_to_the_sign_in(owner: Account) -> None:
    answer = Client().get("/progress/", headers=HTMX)
    assert answer.headers["HX-Redirect"] == "/signin/?next=/failures/"
    assert b"<form" not in answer.content


@pytest.mark.parametrize(
    "name",
    [
        *("photo", "photo-details", "photo-metadata", "tile", "large", "original", "playing", "motion"),
        *("unstack", "restack", "on-top", "photo-edit", "photo-undo", "photo-sidecar", "take-out"),
        *("show-again", "similar", "photo-face", "photo-albums"),
        *("retry", "set-aside"),
    ],
)
def test_another_accounts_photo_does_not_exist(name: str, shelf: Shelf, stranger: Account) -> None:
    photo = shelf.photo()
    shelf.fail(photo, "labels")
    client = Client()
    client.force_login(stranger)
    address = addresses(photo, Failure.objects.get().id)[name]
    assert ask(client, name, address).status_code == 404
    assert not Failure.objects.get().retrying


@pytest.mark.parametrize(
    "address", ["/", "/failures/", "/skipped/?code=video", "/skipped/", "/tiles/?ids={photo}"]
)
def test_lists_hold_nothing_of_another_account(address: str, shelf: Shelf, stranger: Account) -> None:
    photo = shelf.photo("secret.jpg")
    shelf.fail(photo, "labels")
    shelf.skip("secret.mp4")
    client = Client()
    client.force_login(stranger)
    answer = client.get(address.format(photo=photo)).content.decode()
    assert "secret" not in answer
    assert str(photo) not in answer


def test_staff_sees_every_library(shelf: Shelf, admin_client: Client) -> None:
    photo = shelf.photo()
    assert admin_client.get(f"/photos/{photo}/").status_code == 200
    assert str(photo) in admin_client.get("/").content.decode()


def test_only_staff_is_shown_the_way_to_the_jobs(page: Client, admin_client: Client) -> None:
    assert 'href="/jobs/"' not in page.get("/").content.decode()
    assert 'href="/jobs/"' in admin_client.get("/").content.decode()


@pytest.mark.parametrize("name", sorted(POSTS))
def test_acts_want_a_post(name: str, page: Client) -> None:
    assert page.get(addresses(uuid4(), uuid4())[name]).status_code == 405


def test_an_act_from_another_site_is_refused_in_the_look_of_the_product(owner: Account) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    answer = client.post("/failures/retry/")
    assert answer.status_code == 403
    assert "You may not do that" in answer.content.decode()


def test_an_unknown_address_answers_in_the_look_of_the_product(page: Client) -> None:
    answer = page.get("/nowhere/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


def test_a_fault_is_answered_in_the_look_of_the_product(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr("core.web.timeline.timeline", broken)
    page.raise_request_exception = False
    answer = page.get("/")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.content.decode()
