"""Accounts of a household: made, switched off, given another password and a library, by page and by command."""

import io
import unicodedata
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db.models import Model
from django.test import Client

from core.accounts import Account, ApiKey
from core.commands.accounts import create_api_key
from core.readmodels.libraries import libraries_of
from tests.web.conftest import PASSWORD

pytestmark = pytest.mark.django_db

Manage = Callable[..., str]


@pytest.fixture
def manage(monkeypatch: pytest.MonkeyPatch) -> Manage:
    """`manage.py account …` in a script, with what is typed as its input."""

    def run(*words: str, typed: str = "") -> str:
        said = io.StringIO()
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        call_command("account", *words, stdout=said)
        return said.getvalue()

    return run


def signs_in(name: str, password: str = PASSWORD) -> bool:
    return Client().post("/signin/", {"username": name, "password": password}).status_code == 302


def test_an_account_made_by_command_is_no_administrators_unless_that_is_said(manage: Manage) -> None:
    manage("create", "ada", "--admin", typed=f"{PASSWORD}\n")
    manage("create", "kim", typed=f"{PASSWORD}\n")
    assert list(Account.objects.order_by("username").values_list("username", "is_staff", "is_superuser")) == [
        ("ada", True, True),
        ("kim", False, False),
    ]
    assert signs_in("kim")
    assert "kim  account" in manage("list") and "ada  administrator" in manage("list")


@pytest.mark.parametrize(
    ("words", "typed", "complaint"),
    [
        (("create", "kim"), "short", "too short"),
        (("create", "olga"), PASSWORD, "already exists"),
        (("create", "no spaces please"), PASSWORD, "valid username"),
        (("password", "nobody"), PASSWORD, "no account 'nobody'"),
        (("disable", "nobody"), "", "no account 'nobody'"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    owner: Account, manage: Manage, words: tuple[str, ...], typed: str, complaint: str
) -> None:
    with pytest.raises(CommandError, match=complaint):
        manage(*words, typed=typed)
    assert Account.objects.count() == 1


def test_who_is_switched_off_is_out_at_once_with_their_programs_until_they_are_let_in_again(
    owner: Account, page: Client, admin_client: Client, manage: Manage
) -> None:
    key = {"Authorization": f"Bearer {create_api_key('script', 'olga')}"}
    assert page.get("/").status_code == Client().get("/api/v1/photos", headers=key).status_code == 200
    manage("disable", "olga")
    assert page.get("/").status_code == 302 and not signs_in("olga")
    assert Client().get("/api/v1/photos", headers=key).status_code == 401
    assert "Let olga in again" in admin_client.get("/accounts/").content.decode()
    admin_client.post(f"/accounts/{owner.pk}/switch/", {"on": "yes"})
    assert signs_in("olga")


def test_the_last_administrator_cannot_be_switched_off(admin_client: Client, admin_user: Account) -> None:
    answer = admin_client.post(f"/accounts/{admin_user.pk}/switch/")
    assert "the only administrator" in answer.content.decode()
    second = Account.objects.create_superuser("second", password=PASSWORD)
    assert admin_client.post(f"/accounts/{second.pk}/switch/").status_code == 302
    assert list(Account.objects.filter(is_active=True)) == [admin_user]


def test_a_forgotten_password_is_set_anew_which_signs_out_everywhere(
    owner: Account, page: Client, admin_client: Client
) -> None:
    address = f"/accounts/{owner.pk}/password/"
    assert "too short" in admin_client.post(address, {"password": "short"}).content.decode()
    assert page.get("/").status_code == 200
    assert admin_client.post(address, {"password": "another long one"}).status_code == 302
    assert page.get("/").status_code == 302
    assert signs_in("olga", "another long one") and not signs_in("olga")


def test_who_sets_their_own_password_stays_signed_in_here_and_nowhere_else(
    admin_client: Client, admin_user: Account
) -> None:
    elsewhere = Client()
    elsewhere.force_login(admin_user)
    answer = admin_client.post(
        f"/accounts/{admin_user.pk}/password/", {"password": "another long one"}, follow=True
    )
    assert (answer.status_code, answer.redirect_chain) == (200, [("/accounts/", 302)])
    assert elsewhere.get("/accounts/").status_code == 302
    assert signs_in("admin", "another long one")


def test_of_two_who_take_one_name_at_the_same_moment_the_second_is_told(
    admin_client: Client, owner: Account, manage: Manage, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = Model.validate_unique

    def somebody_is_quicker(made: Account | ApiKey, exclude: object = None) -> None:
        """The name is free when it is looked up, and taken a moment later."""
        monkeypatch.setattr(Model, "validate_unique", look_up)
        type(made)(
            **{one.attname: getattr(made, one.attname) for one in made._meta.fields} | {"id": uuid4()}
        ).save()

    monkeypatch.setattr(Model, "validate_unique", somebody_is_quicker)
    answer = admin_client.post("/accounts/add/", {"username": "kim", "password": PASSWORD})
    assert answer.status_code == 422 and "already exists" in answer.content.decode()
    monkeypatch.setattr(Model, "validate_unique", somebody_is_quicker)
    with pytest.raises(CommandError, match="already exists"):
        manage("create", "lee", typed=PASSWORD)
    monkeypatch.setattr(Model, "validate_unique", somebody_is_quicker)
    with pytest.raises(ValidationError, match="already exists"):
        create_api_key("script", "olga")
    assert sorted(Account.objects.values_list("username", flat=True)) == ["admin", "kim", "lee", "olga"]


def test_a_name_typed_in_another_form_of_the_same_letters_is_the_same(manage: Manage) -> None:
    manage("create", unicodedata.normalize("NFD", "zoé"), typed=PASSWORD)
    assert signs_in("zoé")
    with pytest.raises(CommandError, match="already exists"):
        manage("create", "zoé", typed=PASSWORD)
    assert "another password" in manage("password", unicodedata.normalize("NFD", "zoé"), typed=PASSWORD)


def test_an_account_made_on_the_page_sees_the_library_that_is_given_to_it_and_no_other(
    admin_client: Client, tmp_path: Path
) -> None:
    taken = {"username": "kim", "password": "short"}
    refused = admin_client.post("/accounts/add/", taken).content.decode()
    assert "too short" in refused and 'value="kim"' in refused
    assert admin_client.post("/accounts/add/", taken | {"password": PASSWORD}).status_code == 302
    kim = Account.objects.get(username="kim")
    assert not kim.is_staff
    for name in ("ours", "kims", "more", "none"):
        (tmp_path / name).mkdir()
    form = admin_client.get("/libraries/").content.decode()
    assert "<option selected>admin</option><option>kim</option>" in form
    admin_client.post("/libraries/add/", {"folder": str(tmp_path / "ours")})
    admin_client.post("/libraries/add/", {"folder": str(tmp_path / "kims"), "owner": "kim"})
    call_command("import", str(tmp_path / "more"), user="kim", stdout=io.StringIO())
    assert [library.name for library in libraries_of(kim)] == ["kims", "more"]
    nobodys = admin_client.post("/libraries/add/", {"folder": str(tmp_path / "none"), "owner": "nobody"})
    assert "no account &#x27;nobody&#x27;" in nobodys.content.decode()
