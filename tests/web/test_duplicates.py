"""Duplicates from the likeness to the page: groups, keep one, keep all, everything undone, nobody else's."""

import random
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.test import Client

from core.accounts import Account
from core.commands.duplicates import keep_best
from core.commands.edits import edit_photo
from core.commands.log import load_photo
from core.commands.looks import record_alike
from core.commands.photos import replace_content
from core.commands.stacks import stack_photos, unstack_photos
from core.domain import edits, photos
from core.domain.looks import Alike, AlikeFound
from core.domain.stacks import StackRule
from core.readmodels.alikegroups import duplicate_groups
from core.readmodels.duplicates import Judged, Look, Tie, _near
from core.readmodels.photos import Photo, history_of
from events.replay import replay
from tests.locks import waiting
from tests.web.browsing import wait_until
from tests.web.conftest import Shelf
from tests.web.test_timeline import tiles_in

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def look(number: int, *flips: int) -> str:
    """A likeness for each number; some of its bits turned."""
    bits = random.Random(number).getrandbits(192)
    for flip in flips:
        bits ^= 1 << flip
    return f"{bits:048x}"


def alike(shelf: Shelf, number: int = 1, *names: str) -> list[UUID]:
    """Photos that look the same; the first one has the most pixels."""
    names = names or (f"{number}/a.jpg", f"{number}/b.jpg")
    return [
        shelf.photo(name, size=(900 - 300 * at, 600 - 200 * at), likeness=look(number, at))
        for at, name in enumerate(names)
    ]


def proposed(account: Account) -> list[set[UUID]]:
    return [{photo.id for photo in group.members} for group in duplicate_groups(account)]


def keep(page: Client, photos: list[UUID], best: UUID, **headers: str) -> Any:
    return page.post(f"/duplicates/{photos[0]}/keep/", {"photo": photos, "keep": best}, headers=headers)


def test_photos_that_look_alike_are_proposed_together_the_best_first(shelf: Shelf, page: Client) -> None:
    first, second = alike(shelf)
    shelf.photo("other.jpg", likeness=look(2))
    shelf.photo("flat.jpg")
    shelf.photo("fog.jpg")
    assert proposed(shelf.owner) == [{first, second}]
    words = page.get("/duplicates/").content.decode()
    assert "it has the most pixels" in words and "Look the same" in words
    assert f'value="{first}" checked' in words and f'value="{second}">' in words
    assert str(second) in page.get(f"/duplicates/{min(first, second)}/").content.decode()


def test_larger_groups_come_first_and_the_rest_on_the_next_page(
    shelf: Shelf, page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.web.duplicates.PAGE", 1)
    pair, three = alike(shelf, 1), alike(shelf, 2, "x.jpg", "y.jpg", "z.jpg")
    first = page.get("/duplicates/").content.decode()
    assert str(three[0]) in first and str(pair[0]) not in first
    rest = page.get(f"/duplicates/?behind=3~{min(three)}").content.decode()
    assert str(pair[0]) in rest and str(three[0]) not in rest
    for nonsense in ("x", "3~", "3~x", "~", "9" * 30):
        assert page.get(f"/duplicates/?behind={nonsense}").status_code in (200, 404)


def test_keeping_one_puts_the_others_out_of_sight_and_undo_brings_them_back(shelf: Shelf, page: Client) -> None:
    photos = alike(shelf)
    answer = keep(page, photos, photos[0], **HTMX)
    assert "1 other no longer in the timeline" in answer.content.decode()
    assert tiles_in(page.get("/")) == [photos[0]]
    assert proposed(shelf.owner) == []
    assert (shelf.root / "1/b.jpg").exists()
    assert page.get(f"/photos/{photos[1]}/").status_code == 200
    assert str(photos[1]) in page.get("/duplicates/kept/").content.decode()
    assert "is kept instead" in page.get(f"/photos/{photos[1]}/").content.decode()
    review = Judged.objects.get(photo_id=photos[1]).marked_in
    back = page.post(f"/duplicates/undo/{review}/", {"group": min(photos)}, headers=HTMX)
    assert f'id="g-{min(photos)}"' in back.content.decode()
    assert set(tiles_in(page.get("/"))) == set(photos)
    assert proposed(shelf.owner) == [set(photos)]
    assert page.post(f"/duplicates/undo/{review}/").status_code == 404


def test_without_script_the_page_comes_back_with_the_way_to_undo(shelf: Shelf, page: Client) -> None:
    photos = alike(shelf)
    answer = keep(page, photos, photos[1])
    review = Judged.objects.get(photo_id=photos[0]).marked_in
    assert answer.status_code == 302
    assert f"/duplicates/undo/{review}/" in page.get(answer.url).content.decode()


def test_what_was_told_apart_is_not_proposed_again(shelf: Shelf, page: Client) -> None:
    photos = alike(shelf)
    answer = page.post(f"/duplicates/{photos[0]}/keep-all/", {"photo": photos}, headers=HTMX)
    assert "All 2 are kept" in answer.content.decode()
    assert proposed(shelf.owner) == []
    # A third one is news, and so is looked at with the others.
    third = shelf.photo("late.jpg", likeness=look(1, 100))
    assert proposed(shelf.owner) == [{*photos, third}]
    page.post(f"/duplicates/{photos[0]}/keep-all/", {"photo": [*photos, third]})
    assert proposed(shelf.owner) == []
    first = next(event for event in history_of(shelf.owner, photos[0]) if event.type == "photo.told_apart")
    page.post(f"/photos/{photos[0]}/undo/{first.event_id}/")
    assert proposed(shelf.owner) == [set(photos)]


def test_a_choice_is_taken_back_from_the_photos_own_history(shelf: Shelf, page: Client) -> None:
    photos = alike(shelf)
    keep(page, photos, photos[0])
    marked = history_of(shelf.owner, photos[1])[-1]
    address = f"/photos/{photos[1]}/undo/{marked.event_id}/"
    viewer = page.get(f"/photos/{photos[1]}/").content.decode()
    assert address in viewer and "Another one is kept in the timeline instead" in viewer
    page.post(address)
    assert set(tiles_in(page.get("/"))) == set(photos)
    assert address not in page.get(f"/photos/{photos[1]}/").content.decode()
    assert page.post(address).status_code == 409


def test_one_that_was_left_out_is_shown_again_by_itself(shelf: Shelf, page: Client) -> None:
    first, *others = alike(shelf, 1, "x.jpg", "y.jpg", "z.jpg")
    keep(page, [first, *others], first)
    assert page.post(f"/photos/{others[0]}/show-again/").url == "/duplicates/kept/"
    assert page.post(f"/photos/{others[0]}/show-again/", {"viewer": ""}).url == f"/photos/{others[0]}/"
    assert set(tiles_in(page.get("/"))) == {first, others[0]}


def test_only_what_was_looked_at_is_decided_about(shelf: Shelf, page: Client) -> None:
    photos = alike(shelf)
    late = shelf.photo("late.jpg", likeness=look(1, 100))
    keep(page, photos, photos[0])
    assert set(tiles_in(page.get("/"))) == {photos[0], late}
    assert keep(page, photos[:1], photos[0]).status_code == 400
    assert keep(page, photos, uuid4()).status_code == 400


def test_all_that_look_the_same_are_settled_at_once_and_undone_at_once(shelf: Shelf, page: Client) -> None:
    groups = [alike(shelf, number) for number in range(3)]
    burst = [shelf.photo(f"burst{n}.jpg", taken=f"2024-05-01T12:00:0{n}", likeness=look(9)) for n in (1, 2)]
    unlike = [shelf.photo(f"crop{n}.jpg", likeness=look(10, *range(20 * n))) for n in (0, 1)]
    square = [shelf.photo(f"square{n}.jpg", likeness=look(11), size=(600, 400 + 200 * n)) for n in (0, 1)]
    words = page.get("/duplicates/exact/").content.decode()
    assert (
        "In 3 groups" in words and "3 others leave the timeline" in words and "2 more look much the same" in words
    )
    assert len(tiles_in(page.get("/"))) == 12, "looking at the counts has changed something"
    answer = page.post("/duplicates/exact/")
    assert set(tiles_in(page.get("/"))) == {*(group[0] for group in groups), *burst, *unlike, *square}
    words = page.get(answer.url).content.decode()
    assert "Done, for 3 photos" in words
    page.post(f"/duplicates/undo/{answer.url.rpartition('=')[2]}/")
    assert len(tiles_in(page.get("/"))) == 12


def test_when_the_kept_one_goes_the_others_are_shown_again(shelf: Shelf, page: Client) -> None:
    photos = alike(shelf)
    keep(page, photos, photos[0])
    Photo.objects.filter(id=photos[0]).update(hidden="taken out")
    assert tiles_in(page.get("/")) == [photos[1]]


def test_nobody_can_make_two_photos_hide_one_another(shelf: Shelf, page: Client) -> None:
    photos = alike(shelf)
    keep(page, photos, photos[0])
    keep(page, photos, photos[1])
    assert tiles_in(page.get("/")) == [photos[0]]


def test_an_edited_file_is_no_longer_the_duplicate_that_it_was(shelf: Shelf, page: Client) -> None:
    from core.commands import photos as commands
    from core.domain import photos as domain
    from core.domain.files import file_id

    photos = alike(shelf)
    keep(page, photos, photos[0])
    file = domain.OriginalFile(file_id(shelf.library, "1/b.jpg"), "1/b.jpg", 5, 2)
    found = domain.PhotoImported(shelf.library, file, "e" * 64, "jpeg", "image", "image/jpeg")
    read = domain.MetadataRead(1, {"taken_at": domain.Fact("2024-05-01T12:00:00", "exif")})
    assert commands.replace_content(photos[1], found, read, actor="worker:import")
    assert set(tiles_in(page.get("/"))) == set(photos)
    shelf.render(photos[1], likeness=look(5))
    assert proposed(shelf.owner) == []


def test_the_files_of_one_shot_are_no_duplicates_of_one_another(shelf: Shelf) -> None:
    photos, stack = alike(shelf), uuid4()
    stack_photos(stack, dict.fromkeys(photos, StackRule.SHOT), actor="worker:stacks")
    assert proposed(shelf.owner) == []
    unstack_photos(stack, photos, actor=f"account:{shelf.owner.pk}")
    assert proposed(shelf.owner) == []
    copy = shelf.photo("copy.jpg", likeness=look(1, 3))
    assert proposed(shelf.owner) == [{*photos, copy}]


def test_libraries_of_one_person_compare_and_those_of_others_do_not(
    shelf: Shelf, stranger: Account, make_shelf: Callable[[Account], Shelf], page: Client
) -> None:
    theirs = make_shelf(stranger)
    photos, [secret, _] = alike(shelf), alike(theirs)
    film = shelf.photo("film.mp4", kind=("mp4", "video", "video/mp4"), likeness=look(1))
    assert proposed(shelf.owner) == [set(photos)]
    assert len(Look.objects.exclude(group_id=None)) == 4
    assert str(film) not in page.get("/duplicates/").content.decode()
    theirs_page = Client()
    theirs_page.force_login(stranger)
    for address in ("/duplicates/", "/duplicates/exact/", "/duplicates/kept/"):
        assert str(photos[0]) not in theirs_page.get(address).content.decode()
    assert theirs_page.get(f"/duplicates/{min(photos)}/").status_code == 404
    assert keep(theirs_page, photos, photos[0]).status_code == 404
    assert keep(page, [photos[0], secret], photos[0]).status_code == 404
    keep(page, photos, photos[0])
    review = Judged.objects.get(photo_id=photos[1]).marked_in
    assert theirs_page.post(f"/duplicates/undo/{review}/").status_code == 404


def test_a_group_stays_as_large_as_a_person_can_look_at(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.domain.likeness.LARGEST", 3)
    photos = [shelf.photo(f"{number}.jpg", likeness=look(1, number)) for number in range(5)]
    assert proposed(shelf.owner) == [set(photos[:3]), set(photos[3:])]
    # Of ten thousand frames of one scene the next reads none that are in a full group.
    assert [one.photo_id for one in _near(Look.objects.get(photo_id=photos[3]))] == [photos[4]]


def nearly_same(photo: UUID, *others: UUID) -> None:
    told = tuple(Alike(other, 0.97) for other in others)
    record_alike(photo, AlikeFound(load_photo(photo).sha256, "m", "1", told), actor="test")


def test_what_shows_nearly_the_same_by_its_numbers_is_proposed_too(shelf: Shelf, page: Client) -> None:
    first, second, third = (shelf.photo(f"{n}.jpg", likeness=look(10 * n)) for n in range(3))
    shelf.photo("flat.jpg")
    assert proposed(shelf.owner) == []
    nearly_same(first, second)
    nearly_same(first, second)  # twice is once
    assert proposed(shelf.owner) == [{first, second}]
    assert "Shows nearly the same as 1 other photo" in page.get(f"/photos/{first}/").content.decode()
    # Whichever of the two was looked at, and over a third one.
    nearly_same(third, second)
    assert proposed(shelf.owner) == [{first, second, third}]
    assert "Alike, with differences" in page.get("/duplicates/").content.decode()
    page.post(f"/duplicates/{first}/keep-all/", {"photo": [second, third]})
    page.post(f"/duplicates/{first}/keep-all/", {"photo": [first, third]})
    assert proposed(shelf.owner) == [{first, second}]


def test_a_tie_goes_with_the_content_that_it_was_about(shelf: Shelf) -> None:
    first, second = (shelf.photo(f"{n}.jpg", likeness=look(10 * n)) for n in range(2))
    nearly_same(first, second)
    known = load_photo(second)
    [file] = known.files.values()
    found = photos.PhotoImported(shelf.library, file, "e" * 64, "jpeg", "image", "image/jpeg")
    replace_content(second, found, photos.MetadataRead(1, {}), actor="test")
    assert proposed(shelf.owner) == []
    assert Tie.objects.count() == 0
    record_alike(second, AlikeFound("of before", "m", "1", (Alike(first, 1.0),)), actor="test")
    assert proposed(shelf.owner) == []


def test_a_replay_gives_the_same_groups_whatever_the_order_of_arrival(shelf: Shelf, page: Client) -> None:
    photos = [
        *alike(shelf, 1),
        *alike(shelf, 2, "x.jpg", "y.jpg", "z.jpg"),
        shelf.photo("lone.jpg", likeness=look(3)),
    ]
    shelf.render(photos[0], likeness=look(3, 1))
    keep(page, photos[2:4], photos[2])
    page.post(f"/duplicates/{photos[2]}/keep-all/", {"photo": [photos[2], photos[4]]})
    nearly_same(photos[1], photos[5])

    def rows() -> list[Any]:
        looks, judged = (table.objects.order_by("photo_id").values() for table in (Look, Judged))
        return [*looks, *judged, *Tie.objects.order_by("photo_id").values("photo_id", "other_id")]

    before = rows()
    assert before[-1]["other_id"] == photos[5]
    replay(["duplicates"])
    assert rows() == before
    replay()
    assert rows() == before


@pytest.mark.django_db(transaction=True)
def test_of_two_that_arrive_at_the_same_time_the_second_sees_the_first(shelf: Shelf) -> None:
    first, second = shelf.photo("a.jpg", ready=False), shelf.photo("b.jpg", ready=False)

    def render_second() -> None:
        shelf.render(second, likeness=look(1))
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            shelf.render(first, likeness=look(1))
            rendered = pool.submit(render_second)
            wait_until(lambda: rendered.done() or waiting("advisory"))
        rendered.result()
    assert proposed(shelf.owner) == [{first, second}]


@pytest.mark.django_db(transaction=True)
def test_keeping_one_and_editing_both_at_the_same_time_wait_for_one_another_and_not_in_a_circle(
    shelf: Shelf,
) -> None:
    first, second = sorted(alike(shelf))

    def keep_first() -> None:
        stars = edits.PhotoRated(4)
        keep_best(first, [second], review=uuid4(), words=[stars], actor="account:1")
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            edit_photo(first, [edits.PhotoTitled("Noon")], actor="account:2")
            kept = pool.submit(keep_first)
            wait_until(lambda: kept.done() or waiting())
            edit_photo(second, [edits.PhotoTitled("Noon")], actor="account:2")
        kept.result()
    assert list(Photo.objects.order_by("id").values_list("rating", "duplicate_of")) == [(4, None), (None, first)]


def test_programs_review_as_persons_do(shelf: Shelf, page: Client) -> None:
    def send(address: str, data: dict[str, object]) -> Any:
        return page.post(f"/api/v1/duplicates/{address}", data, content_type="application/json")

    first, second = (str(photo) for photo in alike(shelf))
    [group] = page.get("/api/v1/duplicates").json()["groups"]
    assert (group["photos"], group["exact"]) == ([first, second], True)
    assert send("keep", {"keep": first, "others": [first]}).status_code == 422
    assert send("keep", {"keep": first, "others": [str(uuid4())]}).status_code == 404
    made = send("keep", {"keep": first, "others": [second]}).json()
    assert made["photos"] == [second]
    assert send("keep", {"keep": second, "others": [first]}).status_code == 409
    [entry] = [one for one in page.get(f"/api/v1/photos/{second}/history").json() if one["can_undo"]]
    assert entry["type"] == "photo.marked_duplicate.v1"
    assert page.delete(f"/api/v1/duplicates/reviews/{made['review']}").status_code == 200
    assert page.delete(f"/api/v1/duplicates/reviews/{made['review']}").status_code == 404
    assert send("apart", {"photos": [first, second]}).status_code == 200
    assert page.get("/api/v1/duplicates?behind=x").status_code == 422
    assert page.get("/api/v1/duplicates").json() == {"groups": [], "next": None}


def test_the_one_that_is_kept_takes_over_stars_and_words_and_gives_them_back_with_the_undo(
    shelf: Shelf, page: Client
) -> None:
    first, second = alike(shelf)
    edit_photo(first, [edits.PhotoRated(2), edits.KeywordsChanged(("lake",))], actor="account:1")
    theirs = [edits.PhotoRated(5), edits.KeywordsChanged(("summer", "lake")), edits.PhotoTitled("Noon")]
    edit_photo(second, [*theirs, edits.PhotoFavoured(True)], actor="account:1")
    answer = keep(page, [first, second], first, **HTMX).content.decode()

    def now() -> tuple[object, ...]:
        photo = Photo.objects.get(id=first)
        words = {name: photo.facts.get(name, {}).get("value") for name in ("title", "keywords")}
        return photo.rating, photo.favourite, words["title"], words["keywords"]

    assert now() == (5, True, "Noon", ["lake", "summer"])
    # What was changed again since then stays.
    edit_photo(first, [edits.PhotoTitled("Mine")], actor="account:1")
    [address] = re.findall(r"/duplicates/undo/[^/]+/", answer)[:1]
    assert page.post(address).status_code == 302
    assert now() == (2, False, "Mine", ["lake"])
    assert len(tiles_in(page.get("/"))) == 2


def test_nobodys_photo_gives_way_to_one_of_another_person_not_even_by_an_administrators_hand(
    shelf: Shelf, stranger: Account, make_shelf: Callable[[Account], Shelf], admin_client: Client
) -> None:
    ours, theirs = shelf.photo("a.jpg"), make_shelf(stranger).photo("b.jpg")
    assert keep(admin_client, [ours, theirs], ours).status_code == 403
    asked = {"keep": str(ours), "others": [str(theirs)]}
    assert admin_client.post("/api/v1/duplicates/keep", asked, "application/json").status_code == 403
    assert not Photo.objects.filter(duplicate_of__isnull=False).exists()
