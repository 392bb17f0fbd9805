"""Stacks from the files to the page: found in any order, one tile, a switch, apart and together by hand."""

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test import Client

from core.accounts import Account
from core.api import stacks as stack_api
from core.commands.stacks import undo_stacking, unstack_photos
from core.domain import stacks
from core.readmodels.photos import Photo, history_of
from core.readmodels.stacks import StackMember
from core.web.history import history_in_words
from events.replay import replay
from tests.locks import waiting
from tests.web.browsing import wait_until
from tests.web.conftest import Shelf
from tests.web.test_timeline import tiles_in
from workers.stacking import find_stack

pytestmark = pytest.mark.django_db
CAMERA = {"camera_make": "Canon", "camera_model": "Canon EOS 5D"}
RAW, MOV = ("cr2", "raw", "image/x-canon-cr2"), ("mov", "video", "video/quicktime")
FILES: dict[str, dict[str, Any]] = {
    "a/IMG_1.CR2": {"kind": RAW, **CAMERA},
    "a/IMG_1.JPG": {**CAMERA, "content_identifier": "X"},
    "b/clip.MOV": {"kind": MOV, "duration": 2.0, "content_identifier": "X"},
}


def arrive(shelf: Shelf, *names: str) -> dict[str, UUID]:
    """Import files one after the other; each one's job runs as soon as it is queued."""
    return {name: settled(shelf.photo(name, **FILES.get(name, CAMERA))) for name in names}


def settled(photo: UUID) -> UUID:
    with connection.cursor() as cursor:
        cursor.execute("SELECT args->>'photo' FROM procrastinate_jobs WHERE task_name = 'find_stack'")
        queued = [UUID(row[0]) for row in cursor.fetchall()]
        cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'find_stack'")
    for one in queued:
        find_stack(one)
    return photo


def top(photos: dict[str, UUID]) -> str:
    [shown] = [name for name, photo in photos.items() if not StackMember.objects.get(photo_id=photo).tucked]
    return shown


@pytest.mark.parametrize("order", list(permutations(FILES))[::2])
def test_whatever_the_order_of_arrival_there_is_one_tile(
    order: tuple[str, ...], shelf: Shelf, page: Client
) -> None:
    photos = arrive(shelf, *order)
    answer = page.get("/")
    assert tiles_in(answer) == [photos["a/IMG_1.JPG"]]
    assert StackMember.objects.values("stack_id").distinct().count() == 1
    assert "3<span" in answer.content.decode() and "Live" in answer.content.decode()


def test_photos_of_one_moment_with_other_names_queue_nothing(shelf: Shelf) -> None:
    for number in range(5):
        shelf.photo(f"IMG_{number}.JPG", **CAMERA)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'find_stack'")
        assert cursor.fetchone() == (0,)
    assert not StackMember.objects.exists()


def test_finding_a_stack_twice_leaves_one_event(shelf: Shelf, owner: Account) -> None:
    photos = arrive(shelf, "a/IMG_1.CR2", "a/IMG_1.JPG")
    for photo in photos.values():
        find_stack(photo)
    assert [event.type for event in history_of(owner, photos["a/IMG_1.JPG"])].count("photo.stacked") == 1


def test_the_viewer_switches_between_the_files_and_plays_the_film(shelf: Shelf, page: Client) -> None:
    photos = arrive(shelf, *FILES)
    words = page.get(f"/photos/{photos['a/IMG_1.JPG']}/").content.decode()
    for photo in photos.values():
        assert f'href="/photos/{photo}/"' in words
    assert "RAW (CR2)" in words and "Film 0:02" in words
    assert f'src="/photos/{photos["b/clip.MOV"]}/playing"' in words


def test_taken_apart_it_stays_apart_until_a_person_says_otherwise(shelf: Shelf, page: Client) -> None:
    photos = arrive(shelf, "a/IMG_1.CR2", "a/IMG_1.JPG")
    jpeg = photos["a/IMG_1.JPG"]
    answer = page.post(f"/photos/{jpeg}/unstack/", headers={"HX-Request": "true"})
    assert "Show as one again" in answer.content.decode()
    assert set(tiles_in(page.get("/"))) == set(photos.values())
    for photo in photos.values():
        find_stack(photo)
    photos |= arrive(shelf, "b/clip.MOV")
    assert set(tiles_in(page.get("/"))) == set(photos.values())
    assert page.post(f"/photos/{jpeg}/restack/").status_code == 302
    assert tiles_in(page.get("/")) == [jpeg]


def test_a_person_chooses_which_file_is_shown(shelf: Shelf, page: Client, owner: Account) -> None:
    photos = arrive(shelf, "a/IMG_1.CR2", "a/IMG_1.JPG")
    raw = photos["a/IMG_1.CR2"]
    page.post(f"/photos/{raw}/on-top/")
    assert tiles_in(page.get("/")) == [raw]
    words = [entry.words for entry in history_in_words(history_of(owner, raw))]
    assert words[0] == "Chosen to be shown in the timeline for its stack"


def test_a_stack_is_taken_back_also_while_a_worker_writes_of_its_photos(
    shelf: Shelf, owner: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = arrive(shelf, "a/IMG_1.CR2", "a/IMG_1.JPG")["a/IMG_1.JPG"]
    stack = StackMember.objects.get(photo_id=photo).stack_id
    unstack_photos(stack, [photo], actor="account:1")
    apart = history_of(owner, photo)[-1].event_id
    decide, came_between = stacks.decide_taken_back, []

    def slowly(history: Any, target: Any) -> Any:
        if not came_between:
            came_between.append(shelf.fail(photo, "labels"))
        return decide(history, target)

    monkeypatch.setattr(stacks, "decide_taken_back", slowly)
    assert undo_stacking(photo, apart, [], actor="account:1")
    assert not StackMember.objects.get(photo_id=photo).apart


def test_where_the_picture_cannot_be_shown_the_raw_stands_in(shelf: Shelf, page: Client) -> None:
    photos = arrive(shelf, "a/IMG_1.CR2")
    jpeg = shelf.photo("a/IMG_1.JPG", ready=False, **CAMERA)
    settled(jpeg)
    assert tiles_in(page.get("/")) == [jpeg]
    shelf.fail(jpeg)
    assert tiles_in(page.get("/")) == [photos["a/IMG_1.CR2"]]
    shelf.render(jpeg)
    assert tiles_in(page.get("/")) == [jpeg]


def test_nobody_touches_the_stack_of_another(shelf: Shelf, stranger: Account) -> None:
    photos = arrive(shelf, "a/IMG_1.CR2", "a/IMG_1.JPG")
    client = Client()
    client.force_login(stranger)
    for action in ("unstack", "restack", "on-top"):
        assert client.post(f"/photos/{photos['a/IMG_1.JPG']}/{action}/").status_code == 404
    assert top(photos) == "a/IMG_1.JPG"


def test_programs_see_and_change_stacks(shelf: Shelf, page: Client) -> None:
    photos = arrive(shelf, "a/IMG_1.CR2", "a/IMG_1.JPG", "c/other.JPG")
    raw, jpeg, other = (str(photo) for photo in photos.values())
    assert page.get(f"/api/v1/photos/{raw}").json()["stack"]["members"] == [jpeg, raw]
    assert page.get(f"/api/v1/photos/{other}").json()["stack"] is None
    assert page.delete(f"/api/v1/stacks/{other}").status_code == 404
    apart = page.delete(f"/api/v1/stacks/{raw}").json()["stack"]
    assert (apart["members"], set(apart["apart"])) == ([], {raw, jpeg})
    made = page.post("/api/v1/stacks", {"photos": [other, raw]}, content_type="application/json").json()
    assert made["stack"]["members"] == [other, raw]
    assert page.put(f"/api/v1/stacks/{raw}/top").json()["stack"]["members"] == [raw, other]
    lonely = page.post("/api/v1/stacks", {"photos": [raw, raw]}, content_type="application/json")
    assert lonely.status_code == 422


def test_a_program_that_chooses_from_a_stack_as_it_is_taken_apart_is_told_so(
    shelf: Shelf, page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = arrive(shelf, "a/IMG_1.CR2", "a/IMG_1.JPG")
    raw, choose = photos["a/IMG_1.CR2"], stack_api.put_on_top

    def too_late(stack: UUID, photo: UUID, *, actor: str) -> None:
        unstack_photos(stack, photos.values(), actor="account:1")
        choose(stack, photo, actor=actor)

    monkeypatch.setattr(stack_api, "put_on_top", too_late)
    answer = page.put(f"/api/v1/stacks/{raw}/top")
    assert (answer.status_code, answer.json()["detail"]) == (409, "This photo is in no stack any more.")


@pytest.mark.django_db(transaction=True)
def test_a_replay_gives_the_same_stacks(shelf: Shelf, page: Client) -> None:
    photos = arrive(shelf, *FILES, "a/IMG_E1.JPG")
    page.post(f"/photos/{photos['a/IMG_1.CR2']}/on-top/")
    rows = list(StackMember.objects.order_by("photo_id").values())
    assert any(row["tucked"] for row in rows)
    replay(["stacks"])
    assert list(StackMember.objects.order_by("photo_id").values()) == rows
    replay()
    assert list(StackMember.objects.order_by("photo_id").values()) == rows
    assert Photo.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_of_two_that_are_imported_at_the_same_time_the_second_sees_the_first(shelf: Shelf) -> None:
    def import_second() -> None:
        shelf.photo("a/IMG_1.JPG", ready=False, **FILES["a/IMG_1.JPG"])
        connection.close()

    # Its words are known already: over new ones, too, the second would wait for the first.
    shelf.photo("b/IMG_2.JPG", ready=False, **FILES["a/IMG_1.JPG"])
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            shelf.photo("a/IMG_1.CR2", ready=False, **FILES["a/IMG_1.CR2"])
            second = pool.submit(import_second)
            wait_until(lambda: second.done() or waiting("advisory"))
            assert not second.done(), "it did not wait for its namesake"
        second.result()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'find_stack'")
        assert cursor.fetchone() == (1,)
