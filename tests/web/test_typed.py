"""What is typed, or sent by a program, may be nonsense: it is refused or passed over, and breaks nothing."""

from typing import Any

import pytest
from django.test import Client

from core import tus
from tests.web.conftest import Shelf
from tests.web.uploading import Tus, metadata

pytestmark = pytest.mark.django_db
LONG = "9" * 5000


def test_numbers_that_nobody_could_keep_are_passed_over(page: Client, admin_client: Client) -> None:
    assert page.get("/arrivals/", {"shown": LONG}).status_code == 200
    assert admin_client.get("/jobs/dead/", {"task": "x", "error": "y", "after": LONG}).status_code == 200


@pytest.mark.parametrize("form", [{}, {"content_type": "application/x-www-form-urlencoded"}])
def test_a_nul_is_refused_in_forms_of_both_kinds(admin_client: Client, shelf: Shelf, form: dict[str, Any]) -> None:
    data: Any = "name=a%00b" if form else {"name": "a\0b"}
    assert admin_client.post(f"/libraries/{shelf.library}/change/", data, **form).status_code == 400


@pytest.mark.parametrize("text", ["a\\u0000", "\\ud800"], ids=["a NUL", "half a character"])
@pytest.mark.parametrize("address", ["/uploads/known", "/api/v1/uploads/known"])
def test_json_with_text_that_no_table_can_keep_is_refused(page: Client, address: str, text: str) -> None:
    answer = page.post(address, f'{{"hashes": ["{text}"]}}', content_type="application/json")
    assert answer.status_code == 400


def test_json_that_is_nested_too_deeply_is_refused(page: Client) -> None:
    assert page.post("/uploads/known", "[" * 100_000, content_type="application/json").status_code == 400


def test_a_backslash_before_what_looks_like_a_nul_is_text(shelf: Shelf, page: Client) -> None:
    change = f"/api/v1/photos/{shelf.photo()}"
    answer = page.patch(change, {"title": r"C:\u0000"}, content_type="application/json")
    assert answer.json()["facts"]["title"]["value"] == r"C:\u0000"


def test_a_cookie_with_a_nul_is_refused() -> None:
    assert Client().get("/", headers={"Cookie": r'sessionid="\000aaaaaaaa"'}).status_code == 400


def test_a_month_longer_than_any_number_of_the_machine_is_refused(page: Client) -> None:
    wanted = {"name": "Never", "month": 10**30, "day": 1}
    assert page.post("/api/v1/dates", wanted, content_type="application/json").status_code == 422


@pytest.mark.parametrize(
    "headers",
    [
        {"Upload_Length": LONG},
        {"Upload_Length": "5", "Upload_Metadata": "filename \u00e9"},
        {
            "Upload_Length": "5",
            "Upload_Metadata": metadata(filename="a.jpg"),
            "Upload_Checksum": "sha1 \u00e9",
        },
    ],
)
def test_headers_of_an_upload_that_cannot_be_read_are_refused(page: Client, headers: dict[str, str]) -> None:
    assert Tus(page).ask("POST", "/uploads/", b"12345", **headers).status_code == 400


def test_a_time_that_no_file_has_is_passed_over_and_others_count() -> None:
    assert tus.modified_ns("99999999999999") is None
    assert tus.modified_ns("1700000000000") == 1_700_000_000_000_000_000


def test_a_program_may_have_a_sidecar_written(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo()
    answer = page.post(f"/api/v1/photos/{photo}/sidecar")
    assert (answer.status_code, answer.json()["id"]) == (202, str(photo))
