"""Failed photos and files that are not shown: reasons in words, retry, set aside, paging."""

import re

import pytest
from django.test import Client

from core.commands.failures import retry_failure
from core.domain.photos import Label
from core.readmodels.failures import Failure
from core.web import failures
from tests.web.conftest import Shelf
from workers.console.collecting import collect_operation
from workers.models import Operation, OperationItem
from workers.operations import cancel_operation, run_slice

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def names(answer) -> list[str]:  # type: ignore[no-untyped-def]
    rows = re.findall(r'<li class="failure".*?</li>', answer.content.decode(), re.S)
    return [re.search(r'class="failure-path">([^<]*)<', row).group(1) for row in rows]  # type: ignore[union-attr]


def test_a_failure_tells_file_step_reason_and_technical_details(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo("2024/beach.jpg", ready=False)
    shelf.fail(photo, reason="This file ends in the middle.")
    answer = page.get("/failures/").content.decode()
    for words in ("2024/beach.jpg", "This file ends in the middle.", "Preview", "TruncatedError", "truncated"):
        assert words in answer
    assert "/jobs/" not in answer
    assert "placeholder" not in answer


def test_staff_is_shown_the_job(shelf: Shelf, admin_client: Client) -> None:
    shelf.fail(shelf.photo(ready=False))
    assert 'href="/jobs/7/"' in admin_client.get("/failures/").content.decode()


def test_a_photo_that_failed_in_a_later_step_is_shown_with_its_picture(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo()
    shelf.fail(photo, "labels")
    assert f'src="/photos/{photo}/tile/r1.webp"' in page.get("/failures/").content.decode()


def test_retry_answers_with_the_changed_row(shelf: Shelf, page: Client) -> None:
    shelf.fail(shelf.photo(ready=False))
    failure = Failure.objects.get()
    answer = page.post(f"/failures/{failure.id}/retry/", headers=HTMX)
    assert "Being tried again" in answer.content.decode()
    assert "<html" not in answer.content.decode()
    assert Failure.objects.get().retrying


def test_retry_works_for_a_file_that_never_became_a_photo(shelf: Shelf, page: Client) -> None:
    shelf.fail_file("empty.jpg")
    failure = Failure.objects.get()
    assert "Being tried again" in page.post(f"/failures/{failure.id}/retry/", headers=HTMX).content.decode()


def test_retry_without_script_leads_back_to_the_list(shelf: Shelf, page: Client) -> None:
    shelf.fail(shelf.photo(ready=False))
    assert page.post(f"/failures/{Failure.objects.get().id}/retry/").url == "/failures/"
    assert Failure.objects.get().retrying


def test_retry_pressed_twice_is_retried_once(shelf: Shelf, page: Client) -> None:
    shelf.fail(shelf.photo(ready=False))
    failure = Failure.objects.get()
    for _ in range(2):
        answer = page.post(f"/failures/{failure.id}/retry/", headers=HTMX)
    assert "Being tried again" in answer.content.decode()


def test_a_row_that_was_mended_meanwhile_is_gone_from_the_list(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo()
    shelf.fail(photo, "labels")
    failure = Failure.objects.get()
    shelf.label(photo, Label("dog", 0.9, (0, 0, 1, 1)))
    assert page.post(f"/failures/{failure.id}/retry/", headers=HTMX).status_code == 404
    assert names(page.get("/failures/")) == []


def test_retry_all_tries_everything_of_ones_own_again_in_the_background(shelf: Shelf, page: Client) -> None:
    for n in range(3):
        shelf.fail(shelf.photo(f"{n}.jpg", ready=False))
    shelf.fail_file("empty.jpg")
    answer = page.post("/failures/retry/")
    assert answer.url == "/failures/?retrying=4"
    assert "4 failures are being tried again" in page.get(answer.url).content.decode()
    # The request itself has retried nothing: a worker does.
    assert set(Failure.objects.values_list("retrying", flat=True)) == {False}
    shelf.fail(shelf.photo("later.jpg", ready=False))
    one = Operation.objects.get()
    mended = Failure.objects.get(name="0.jpg")
    collect_operation(one.id)
    retry_failure(mended, actor="somebody else")
    run_slice(one.id)
    assert set(Failure.objects.filter(retrying=False).values_list("name", flat=True)) == {"later.jpg"}
    one.refresh_from_db()
    assert (one.state, one.done, one.skipped, one.total) == ("done", 3, 1, 4)
    told = {item.subject: (item.outcome, item.reason) for item in OperationItem.objects.all()}
    assert told["0.jpg: previews"] == ("skipped", "it is being tried again already")
    assert told["1.jpg: previews"] == told["empty.jpg: import"] == ("done", "")


def test_retry_all_is_cancelled_like_any_act_on_many(shelf: Shelf, page: Client) -> None:
    shelf.fail(shelf.photo(ready=False))
    page.post("/failures/retry/")
    one = Operation.objects.get()
    assert cancel_operation(one.id, "ada")
    collect_operation(one.id)
    run_slice(one.id)
    assert not Failure.objects.get().retrying


def test_what_is_set_aside_is_kept_on_a_page_of_its_own_and_not_counted(shelf: Shelf, page: Client) -> None:
    shelf.fail(shelf.photo("a.jpg", ready=False))
    failure = Failure.objects.get()
    answer = page.post(f"/failures/{failure.id}/set-aside/", headers=HTMX)
    assert "Set aside" in answer.content.decode()
    assert names(page.get("/failures/")) == []
    assert names(page.get("/failures/?aside")) == ["a.jpg"]
    assert "All photos are ready" in page.get("/progress/").content.decode()


def test_the_list_is_paged_without_loss(shelf: Shelf, page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "PAGE", 3)
    for n in range(8):
        shelf.fail(shelf.photo(f"{n}.jpg", ready=False))
    seen: list[str] = []
    address = "/failures/"
    while address:
        answer = page.get(address)
        seen += names(answer)
        found = re.search(r'href="(/failures/\?before=[^"]+)"', answer.content.decode())
        address = found.group(1) if found else ""
    assert seen == [f"{n}.jpg" for n in range(7, -1, -1)]


def test_a_place_in_the_list_that_is_none_is_not_found(page: Client) -> None:
    assert page.get("/failures/?before=nonsense").status_code == 404


def test_nothing_failed_reads_all_good(page: Client) -> None:
    assert "All good" in page.get("/failures/").content.decode()
    assert "Nothing is set aside" in page.get("/failures/?aside").content.decode()
    assert "Nothing is left out" in page.get("/skipped/").content.decode()


def test_files_that_are_not_shown_are_counted_by_reason_and_listed_on_request(shelf: Shelf, page: Client) -> None:
    for n in range(3):
        shelf.skip(f"clip{n}.mp4")
    shelf.skip("notes.txt", "text", "A text, not a picture.")
    answer = page.get("/skipped/").content.decode()
    assert re.findall(r'<span class="number">(\d+)</span> <span>([^<]+)<', answer) == [
        ("3", "Videos are not yet supported."),
        ("1", "A text, not a picture."),
    ]
    assert "clip1.mp4" not in answer
    assert "clip1.mp4" in page.get("/skipped/?code=video").content.decode()


def test_many_files_of_one_reason_are_paged(shelf: Shelf, page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "PAGE", 2)
    for n in range(3):
        shelf.skip(f"clip{n}.mp4")
    answer = page.get("/skipped/?code=video").content.decode()
    assert "clip2.mp4" not in answer
    more = re.search(r'href="([^"]+)">More files', answer).group(1).replace("&amp;", "&")  # type: ignore[union-attr]
    assert "clip2.mp4" in page.get(more).content.decode()
