"""The first account, signing in and out, the guard against guessing, and the choice of light or dark."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client

from core.accounts import Account
from core.web import guard
from tests.web.conftest import PASSWORD

FIRST = {"username": "ada", "password": "correct horse battery"}


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/failures/", "/photos/6eb0678c-d41d-527a-8025-449e311f7ce3/"])
def test_while_there_is_no_account_every_page_leads_to_the_welcome_page(address: str) -> None:
    answer = Client().get(address, follow=True)
    assert answer.redirect_chain[-1] == ("/welcome/", 302)
    assert "Make the first account" in answer.content.decode()


@pytest.mark.django_db
def test_the_first_visitor_becomes_the_administrator_and_is_signed_in() -> None:
    client = Client()
    answer = client.post("/welcome/", FIRST, follow=True)
    assert answer.redirect_chain == [("/", 302)]
    assert answer.context["request"].user.username == "ada"
    assert Account.objects.get().is_superuser


@pytest.mark.django_db
def test_once_there_is_an_account_the_welcome_page_makes_no_second_one(owner: Account) -> None:
    assert Client().get("/welcome/").url == "/signin/"
    assert Client().post("/welcome/", FIRST).url == "/signin/"
    assert Account.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"password": "short"}, "too short"),
        ({"password": ""}, "required"),
        ({"username": ""}, "required"),
        ({"username": "no spaces please"}, "valid username"),
    ],
)
def test_a_first_account_that_cannot_be_is_explained_at_its_field(change: dict[str, str], complaint: str) -> None:
    answer = Client().post("/welcome/", FIRST | change)
    assert complaint in answer.content.decode()
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not Account.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_visitors_at_the_same_moment_exactly_one_becomes_the_administrator() -> None:
    together = threading.Barrier(4)

    def visit(number: int) -> str:
        together.wait()
        try:
            return Client().post("/welcome/", {**FIRST, "username": f"visitor{number}"}).url  # type: ignore[attr-defined]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        ways = sorted(pool.map(visit, range(4)))
    assert ways == ["/", "/signin/", "/signin/", "/signin/"]
    assert Account.objects.count() == 1


@pytest.mark.django_db
def test_signing_in_leads_to_the_page_that_was_asked_for(owner: Account) -> None:
    answer = Client().post("/signin/", {"username": "olga", "password": PASSWORD, "next": "/failures/"})
    assert answer.url == "/failures/"


@pytest.mark.django_db
def test_signing_in_never_leads_to_another_site(owner: Account) -> None:
    answer = Client().post("/signin/", {"username": "olga", "password": PASSWORD, "next": "https://evil.example/"})
    assert answer.url == "/"


@pytest.mark.django_db
def test_a_wrong_password_is_explained_without_saying_whether_the_account_exists(owner: Account) -> None:
    def words(name: str) -> str:
        answer = Client().post("/signin/", {"username": name, "password": "wrong"})
        return answer.context["form"].non_field_errors()[0]

    assert words("olga") == words("nobody")


@pytest.mark.django_db
def test_who_fails_too_often_is_held_off_even_with_the_right_password(owner: Account) -> None:
    for _ in range(guard.TRIES_PER_NAME):
        Client().post("/signin/", {"username": "olga", "password": "wrong"})
    answer = Client().post("/signin/", {"username": "olga", "password": PASSWORD})
    assert answer.status_code == 200
    assert "Too many tries" in answer.content.decode()


@pytest.mark.django_db
def test_the_owner_is_not_locked_out_by_guesses_from_elsewhere(owner: Account) -> None:
    for _ in range(guard.TRIES_PER_NAME):
        Client(REMOTE_ADDR="203.0.113.9").post("/signin/", {"username": "olga", "password": "wrong"})
    answer = Client(REMOTE_ADDR="198.51.100.7").post("/signin/", {"username": "olga", "password": PASSWORD})
    assert answer.status_code == 302


@pytest.mark.django_db
def test_guesses_over_many_names_are_counted_by_address(owner: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "TRIES_PER_ADDRESS", 3)
    for name in ("a", "b", "c"):
        Client().post("/signin/", {"username": name, "password": "wrong"})
    assert "Too many tries" in Client().post("/signin/", {"username": "d", "password": "x"}).content.decode()


@pytest.mark.django_db
def test_guesses_that_come_all_at_once_are_no_way_around(owner: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them comes while the password of the one before is still being looked at."""
    looked_at: list[object] = []
    client, wrong = Client(), {"username": "olga", "password": "wrong"}

    def look(request: object, **_: object) -> None:
        looked_at.append(request)
        if len(looked_at) < 6:
            client.post("/signin/", wrong)

    monkeypatch.setattr("django.contrib.auth.forms.authenticate", look)
    monkeypatch.setattr(guard, "TRIES_PER_NAME", 3)
    client.post("/signin/", wrong)
    assert len(looked_at) == 3


@pytest.mark.django_db
def test_the_right_password_forgives_earlier_mistakes(owner: Account) -> None:
    for _ in range(2):
        for _ in range(guard.TRIES_PER_NAME - 1):
            Client().post("/signin/", {"username": "olga", "password": "wrong"})
        assert Client().post("/signin/", {"username": "olga", "password": PASSWORD}).status_code == 302


@pytest.mark.django_db
def test_signing_out_wants_a_post_and_makes_the_browser_forget_the_previews(page: Client) -> None:
    assert page.get("/signout/").status_code == 405
    answer = page.post("/signout/")
    assert answer.url == "/signin/"
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert page.get("/").status_code == 302


@pytest.mark.django_db
def test_the_chosen_appearance_is_in_the_first_paint(page: Client) -> None:
    answer = page.post("/appearance/", {"appearance": "dark", "next": "/failures/"})
    assert answer.url == "/failures/"
    assert '<html lang="en" data-appearance="dark">' in page.get("/").content.decode()
    page.post("/appearance/", {"appearance": "auto"})
    assert '<html lang="en">' in page.get("/").content.decode()


@pytest.mark.django_db
def test_an_appearance_that_is_none_changes_nothing_in_the_page(page: Client) -> None:
    page.cookies["appearance"] = '"><script>'
    assert '<html lang="en">' in page.get("/").content.decode()


@pytest.mark.django_db
def test_choosing_an_appearance_never_leads_to_another_site(page: Client) -> None:
    assert page.post("/appearance/", {"appearance": "dark", "next": "//evil.example/"}).url == "/"


def test_the_choice_of_light_leads_back_by_address_and_never_by_the_name_of_a_page() -> None:
    answers = [Client().post("/appearance/", {"next": text}) for text in ("nowhere", "timeline")]
    assert [answer.headers["Location"] for answer in answers] == ["nowhere", "timeline"]
