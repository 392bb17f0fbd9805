"""What those see who may not see a page, and what those do who may see all. Who may: test_every_address.py."""

import pytest
from django.test import Client

from core.accounts import Account
from tests.web.conftest import Shelf

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/failures/"}
STREAMS = {"live": "/live/", "jobs-stream": "/jobs/stream"}


@pytest.mark.parametrize("address", STREAMS.values(), ids=STREAMS)
def test_a_stream_tells_who_is_not_signed_in_so_and_leads_nowhere(address: str) -> None:
    assert Client().get(address).status_code == 401


def test_a_fragment_sends_the_whole_page_to_the_sign_in(owner: Account) -> None:
    answer = Client().get("/progress/", headers=HTMX)
    assert answer.headers["HX-Redirect"] == "/signin/?next=/failures/"
    assert b"<form" not in answer.content


def test_staff_sees_every_library(shelf: Shelf, admin_client: Client) -> None:
    photo = shelf.photo()
    assert admin_client.get(f"/photos/{photo}/").status_code == 200
    assert str(photo) in admin_client.get("/").content.decode()


def test_only_staff_is_shown_the_way_to_the_jobs(page: Client, admin_client: Client) -> None:
    assert 'href="/jobs/"' not in page.get("/").content.decode()
    assert 'href="/jobs/"' in admin_client.get("/").content.decode()


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


@pytest.mark.parametrize("address", ["/skipped/?code=%00", "/arrivals/?shown=²", "/search/?q=a%00b"])
def test_what_no_page_has_led_to_is_no_fault(address: str, page: Client) -> None:
    assert page.get(address).status_code in (200, 400)


def test_a_form_with_what_nobody_can_type_is_no_fault(shelf: Shelf, page: Client) -> None:
    form = "application/x-www-form-urlencoded"
    answer = page.post(f"/photos/{shelf.photo()}/albums/", "album_name=Sum%00mer", content_type=form)
    assert answer.status_code == 400


def test_a_fault_is_answered_in_the_look_of_the_product(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr("core.web.timeline.timeline", broken)
    page.raise_request_exception = False
    answer = page.get("/")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.content.decode()
