"""Headers of every answer, and that the pages keep to the policy that they declare."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template
from django.test import Client

from core.accounts import Account
from tests.web.conftest import PASSWORD, Shelf

TEMPLATES = [
    str(path.relative_to(settings.BASE_DIR / "templates"))
    for path in sorted((settings.BASE_DIR / "templates").rglob("*.html"))
]


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/signin/", "/nowhere/", "/failures/", "/photos/x/"])
def test_every_answer_says_what_it_may_load(address: str, page: Client) -> None:
    headers = page.get(address).headers
    assert "script-src 'self';" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.django_db
@pytest.mark.parametrize(("proxy", "secure"), [({}, ""), ({"X-Forwarded-Proto": "https"}, True)])
def test_cookies_given_over_tls_are_never_sent_without_it_and_plain_http_works_as_before(
    owner: Account, proxy: dict[str, str], secure: object
) -> None:
    client, form = Client(headers=proxy), {"username": owner.username, "password": PASSWORD}
    client.get("/signin/")
    answer = client.post("/signin/", form)
    assert answer.status_code == 302
    assert {name: cookie["secure"] for name, cookie in client.cookies.items()} == {
        "sessionid": secure,
        "csrftoken": secure,
    }


@pytest.mark.django_db
def test_no_page_has_a_script_of_its_own_or_loads_from_elsewhere(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo()
    for address in ("/", f"/photos/{photo}/", "/failures/", "/skipped/"):
        text = page.get(address).content.decode()
        assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
        assert re.findall(r"\son[a-z]+=", text) == []
        assert re.findall(r'(?:src|href|action)="(?:https?:)?//', text) == []


@pytest.mark.django_db
def test_every_file_that_a_page_names_is_there(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo()
    named = set()
    for address in ("/", f"/photos/{photo}/", "/failures/", "/skipped/", "/signin/"):
        named |= set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.get(address).content.decode()))
    assert len(named) > 15
    for address in sorted(named):
        assert page.get(address).status_code == 200, address


def test_a_browser_that_asks_for_the_icon_by_its_old_address_gets_it(client: Client) -> None:
    answer = client.get("/favicon.ico")
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content if answer.streaming else [answer.content])[:4] == b"\0\0\1\0"


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_can_be_read(name: str) -> None:
    assert get_template(name)


def test_colours_are_named_by_their_meaning_outside_the_two_layers() -> None:
    for path in sorted((settings.BASE_DIR / "static" / "css").glob("*.css")):
        if path.name in ("values.css", "meanings.css"):
            continue
        without_black_and_white = re.sub(r"#000\b", "", path.read_text())
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;\s,)])", without_black_and_white) == [], path.name


def test_modules_of_the_pages_say_what_they_are_for() -> None:
    for path in sorted(Path(settings.BASE_DIR / "static" / "js").glob("*.js")):
        assert path.read_text().startswith("// "), path.name
