"""What is done to many photos at once, all or none, and how it is taken back."""

import re
from collections.abc import Callable, Sequence
from uuid import UUID

import pytest
from django.test import Client

from core.accounts import Account
from core.commands import decisions
from core.commands.edits import edit_photo
from core.domain import edits
from core.readmodels.photos import Photo, history_of
from core.readmodels.stacks import StackMember
from core.readmodels.timeline import counts
from core.web.history import history_in_words
from events.event import Event
from tests.web.conftest import Shelf
from tests.web.test_timeline import tiles_in

pytestmark = pytest.mark.django_db


def undone(page: Client, answer: str) -> int:
    """Press Undo in an answer."""
    named = re.findall(r'name="undo" value="([^"]+)"', answer)
    return page.post("/selection/undo/", {"undo": named}).status_code


def test_stars_hearts_and_keywords_for_all_of_them_are_taken_back_at_once(shelf: Shelf, page: Client) -> None:
    photos = [shelf.photo(f"{number}.jpg") for number in range(3)]
    page.post(f"/photos/{photos[0]}/edit/", {"fact": "keywords", "value": "lake", "seen": "99"})
    chosen = {"photo": photos[:2]}
    stars = page.post("/selection/", {**chosen, "act": "rate", "rating": "4"}).content.decode()
    page.post("/selection/", {**chosen, "act": "favour"})
    words = page.post("/selection/", {**chosen, "act": "keywords", "keywords": " lake, summer ,"}).content.decode()
    assert "4 stars for 2 photos." in stars
    rows = list(Photo.objects.order_by("name"))
    assert [(row.rating, row.favourite) for row in rows] == [(4, True), (4, True), (None, False)]
    assert [row.facts.get("keywords", {}).get("value") for row in rows] == [["lake", "summer"]] * 2 + [None]
    assert (undone(page, stars), undone(page, words)) == (200, 200)
    rows = list(Photo.objects.order_by("name"))
    assert [(row.rating, row.favourite) for row in rows] == [(None, True), (None, True), (None, False)]
    assert [row.facts.get("keywords", {}).get("value") for row in rows] == [["lake"], None, None]


def test_nothing_is_done_when_one_of_them_is_not_the_askers_or_the_act_makes_no_sense(
    shelf: Shelf, page: Client, stranger: Account
) -> None:
    photo, other = shelf.photo("a.jpg"), Client()
    other.force_login(stranger)
    assert other.post("/selection/", {"photo": [photo], "act": "favour"}).status_code == 404
    assert other.post("/selection/undo/", {"undo": f"{photo}:{photo}"}).status_code == 404
    assert page.post("/selection/", {"photo": [photo], "act": "erase"}).status_code == 400
    assert page.post("/selection/", {"photo": ["x"], "act": "favour"}).status_code == 404
    for wrong in ({"act": "rate", "rating": "9"}, {"act": "keywords"}, {"act": "stack"}):
        assert 'role="alert"' in page.post("/selection/", {"photo": [photo], **wrong}).content.decode()
    assert not Photo.objects.get().favourite
    assert not StackMember.objects.exists()


def test_a_stack_by_hand_is_one_tile_and_one_to_count_and_each_act_on_it_is_taken_back(
    shelf: Shelf, page: Client, owner: Account
) -> None:
    photos = [shelf.photo(f"{number}.jpg") for number in range(3)]
    assert counts(owner).shown == 3
    answer = page.post("/selection/", {"photo": photos[:2], "act": "stack"}).content.decode()
    assert f'data-gone="{photos[1]} "' in answer
    assert set(tiles_in(page.get("/"))) == {photos[0], photos[2]}
    assert counts(owner).shown == 2
    # Another one on top, and back.
    page.post(f"/photos/{photos[1]}/on-top/")
    assert set(tiles_in(page.get("/"))) == {photos[1], photos[2]}
    assert take_back(page, owner, photos[1], "Chosen") == 200
    assert set(tiles_in(page.get("/"))) == {photos[0], photos[2]}
    # Taken apart, and back, in the history of either.
    page.post(f"/photos/{photos[0]}/unstack/")
    assert len(tiles_in(page.get("/"))) == 3
    assert take_back(page, owner, photos[1], "Taken out") == 200
    assert len(tiles_in(page.get("/"))) == 2
    # And the whole stack.
    assert take_back(page, owner, photos[0], "Put together") == 200
    assert len(tiles_in(page.get("/"))) == 3
    assert counts(owner).shown == 3


def test_the_undo_beside_a_new_stack_takes_it_back(shelf: Shelf, page: Client) -> None:
    photos = [shelf.photo(f"{number}.jpg") for number in range(2)]
    answer = page.post("/selection/", {"photo": photos, "act": "stack"}).content.decode()
    assert undone(page, answer) == 200
    assert len(tiles_in(page.get("/"))) == 2


def take_back(page: Client, owner: Account, photo: object, words: str) -> int:
    entries = history_in_words(history_of(owner, photo))  # type: ignore[arg-type]
    [event] = [entry.undo for entry in entries if entry.undo and entry.words.startswith(words)]
    headers = {"HX-Request": "true"}
    return page.post(f"/photos/{photo}/undo/{event}/", headers=headers).status_code


@pytest.mark.parametrize("word", ["{x}", "{", "a{}b"])
def test_a_keyword_with_braces_is_given_to_many_as_it_was_typed(shelf: Shelf, page: Client, word: str) -> None:
    chosen = {"act": "keywords", "keywords": word, "photo": [shelf.photo("a.jpg"), shelf.photo("b.jpg")]}
    assert f"{word}: added to 2 photos." in page.post("/selection/", chosen).content.decode()


@pytest.fixture(params=["before the past is read", "after it was read"])
def somebody_says(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[UUID, edits.Edit], None]:
    """Have somebody else say something of a photo while the next act is under way, once."""
    read = decisions.read_stream

    def arrange(photo: UUID, edit: edits.Edit) -> None:
        def disturbed(stream: str) -> Sequence[Event]:
            monkeypatch.setattr(decisions, "read_stream", read)
            stored = read(stream)
            edit_photo(photo, [edit], actor="account:other")
            return read(stream) if request.param.startswith("before") else stored

        monkeypatch.setattr(decisions, "read_stream", disturbed)

    return arrange


Somebody = Callable[[UUID, edits.Edit], None]


def test_what_somebody_else_says_meanwhile_is_not_taken_back_with_it(
    shelf: Shelf, page: Client, somebody_says: Somebody
) -> None:
    photo = shelf.photo()
    somebody_says(photo, edits.PhotoTitled("Theirs"))
    hearts = page.post("/selection/", {"photo": photo, "act": "favour"}).content.decode()
    assert undone(page, hearts) == 200
    row = Photo.objects.get()
    assert (row.favourite, row.facts["title"]["value"]) == (False, "Theirs")


def test_the_undo_of_a_new_stack_is_not_that_of_what_somebody_else_says_meanwhile(
    shelf: Shelf, page: Client, somebody_says: Somebody
) -> None:
    photos = [shelf.photo(f"{number}.jpg") for number in range(2)]
    somebody_says(photos[0], edits.PhotoTitled("Theirs"))
    answer = page.post("/selection/", {"photo": photos, "act": "stack"}).content.decode()
    assert len(tiles_in(page.get("/"))) == 1
    assert undone(page, answer) == 200
    assert len(tiles_in(page.get("/"))) == 2
    assert Photo.objects.get(id=photos[0]).facts["title"]["value"] == "Theirs"


def test_keywords_that_two_give_at_once_are_all_there(shelf: Shelf, page: Client, somebody_says: Somebody) -> None:
    photo = shelf.photo(keywords=["lake"])
    somebody_says(photo, edits.KeywordsChanged(("lake", "theirs")))
    page.post("/selection/", {"photo": photo, "act": "keywords", "keywords": "ours"})
    assert Photo.objects.get().facts["keywords"]["value"] == ["lake", "theirs", "ours"]
