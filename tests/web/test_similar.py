"""More like this: the most alike first, only what may be seen, and plain words where nothing can be compared."""

import hashlib
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.db import connection
from django.test import Client

from core import codes, nearby
from core.accounts import Account
from core.bits import bits_of
from core.commands import analysis
from core.commands.duplicates import keep_best
from core.commands.log import load_photo
from core.domain.analysis import VectorMade
from core.means import mean_of
from core.readmodels import similar
from core.readmodels.alikegroups import duplicate_groups
from tests.web.conftest import Shelf
from tests.web.test_looks import tiles
from tests.web.test_viewer import text_of
from workers.alike import find_alike

MODEL = "mobilenet-v1-embedding"
Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def scene(seed: int) -> Numbers:
    chance = np.random.default_rng(seed)
    return np.maximum(chance.normal(np.asarray(mean_of(MODEL, 1024)), 0.8), 0).astype(np.float32)


def shot(seed: int, away: float, number: int = 0) -> Numbers:
    """Another picture of a scene; the farther away, the less alike."""
    noise = np.random.default_rng(1000 * seed + number).normal(0, away, 1024)
    return np.maximum(scene(seed) + noise, 0).astype(np.float32)


def seen(photo: UUID, numbers: Numbers) -> None:
    made = VectorMade(load_photo(photo).sha256, MODEL, "1")
    given = analysis.Numbers(photo=numbers.tolist())
    analysis.record_seen(photo, [made], given, content=made.content, actor="worker:analysis")


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Codes of a test that was rolled back stay in memory."""
    nearby.forget()
    yield
    nearby.forget()


@pytest.fixture
def dunes(shelf: Shelf) -> list[UUID]:
    """Four pictures of one place, each less like the first, then three of others."""
    made = [shelf.photo(f"dune{n}.jpg") for n in range(4)]
    for number, photo in enumerate(made):
        seen(photo, shot(1, 0.25 * number, number))
    for other in range(2, 5):
        seen(shelf.photo(f"other{other}.jpg"), scene(other))
    return made


@pytest.mark.django_db
def test_the_most_alike_come_first(shelf: Shelf, page: Client, dunes: list[UUID]) -> None:
    answer = page.get(f"/photos/{dunes[0]}/similar/")
    # The photo itself stands above the others.
    assert tiles(answer)[:4] == [str(photo) for photo in dunes]
    assert len(tiles(answer)) == 7
    known = page.get(f"/api/v1/photos/{dunes[0]}/similar").json()
    assert [one["photo"] for one in known["photos"]][:3] == [str(photo) for photo in dunes[1:]]
    alike = [one["alike"] for one in known["photos"]]
    assert alike == sorted(alike, reverse=True) and alike[0] > 0.9 > 0.4 > alike[3]
    assert known["want"] is None
    assert f'href="/photos/{dunes[0]}/similar/"' in page.get(f"/photos/{dunes[0]}/").content.decode()


@pytest.mark.django_db
def test_among_many_photos_of_others_all_that_may_be_seen_are_found(
    shelf: Shelf,
    page: Client,
    stranger: Account,
    dunes: list[UUID],
    make_shelf: Callable[[Account], Shelf],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(similar, "_CANDIDATES", 5)
    theirs = make_shelf(stranger)
    for number in range(20):  # all of them nearer than most of the owner's
        stray = theirs.photo(f"{number}.jpg")
        seen(stray, shot(1, 0.2, 50 + number))
    keep_best(dunes[1], [dunes[3]], review=uuid4(), actor="test")
    found = tiles(page.get(f"/photos/{dunes[0]}/similar/"))
    assert found[:3] == [str(photo) for photo in dunes[:3]]
    assert len(found) == 6
    assert page.get(f"/photos/{stray}/similar/").status_code == 404
    assert page.get(f"/api/v1/photos/{stray}/similar").status_code == 404


@pytest.mark.django_db
def test_what_cannot_be_compared_says_why(shelf: Shelf, page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = shelf.photo()
    assert "Nobody has looked at what this photo is like yet" in text_of(page.get(f"/photos/{photo}/similar/"))
    assert page.get(f"/api/v1/photos/{photo}/similar").json() == {"photos": [], "want": "numbers"}
    seen(photo, scene(1))
    assert "no other photo to compare it with" in text_of(page.get(f"/photos/{photo}/similar/"))
    monkeypatch.setattr("core.vectors.has_vectors", lambda: False)
    assert "needs pgvector" in text_of(page.get(f"/photos/{photo}/similar/"))
    assert page.get(f"/api/v1/photos/{photo}/similar").json()["want"] == "pgvector"
    assert (codes.make_table(), codes.fill_codes()) == (False, 0)
    codes.put_code(photo, MODEL, shelf.library, [0.0])  # harmless


@pytest.mark.django_db
def test_bits_that_are_missing_or_of_before_are_made_from_the_numbers(dunes: list[UUID]) -> None:
    def rows() -> list[tuple[object, ...]]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT photo_id, model, library_id, made, code::text FROM core_photo_code ORDER BY 1")
            return cursor.fetchall()

    before = rows()
    assert len(before) == 7
    assert codes.fill_codes() == 0
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_photo_code WHERE photo_id = %s", [dunes[0]])
        cursor.execute("UPDATE core_photo_code SET made = 0, code = ~code WHERE photo_id = %s", [dunes[1]])
    assert codes.fill_codes() == 2
    # Numbers are kept with two bytes each: hardly a bit may turn.
    for (*known, bits), (*again, now) in zip(before, rows(), strict=True):
        assert known == again
        assert sum(one != other for one, other in zip(str(bits), str(now), strict=True)) <= 2


@pytest.mark.django_db
def test_photos_that_show_nearly_the_same_are_proposed_as_duplicates_where_bits_miss_it(
    shelf: Shelf, stranger: Account, make_shelf: Callable[[Account], Shelf]
) -> None:
    mirrored, original, smaller, other = (
        shelf.photo(f"{n}.jpg", likeness=f"{likeness:048x}")
        for n, likeness in enumerate((0xFFFF << 100, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFF << 60))
    )
    theirs = make_shelf(stranger).photo("theirs.jpg", likeness=f"{0xFFF << 150:048x}")
    for at, photo in enumerate((mirrored, original, smaller, theirs)):
        seen(photo, shot(1, 0.05, at))
    seen(other, scene(2))
    assert [group.size for group in duplicate_groups(shelf.owner)] == [2]
    assert find_alike(mirrored) == 2
    # The smaller one is known by its bits, the other scene is another, and what is theirs is not compared.
    [group] = duplicate_groups(shelf.owner)
    assert {photo.id for photo in group.members} == {mirrored, original, smaller}
    assert find_alike(original) == 1
    assert find_alike(other) == 0
    assert find_alike(shelf.photo("new.jpg")) == 0


@pytest.mark.django_db
def test_what_is_new_is_found_without_reading_everything_again(
    shelf: Shelf, dunes: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = f"{MODEL} 1"

    def found(numbers: Numbers) -> list[UUID]:
        return [UUID(one) for one in nearby.nearby(model, numbers, [shelf.library], 1)[0]]

    monkeypatch.setattr(
        nearby, "_BLOCK", 3
    )  # so that what is new goes into blocks of their own, and into the last one
    assert found(scene(1)) == [dunes[0]]
    for number in range(10, 15):
        fresh = shelf.photo(f"{number}.jpg")
        seen(fresh, scene(number))
        assert found(scene(number)) == [fresh]
    [book] = [one for (_, name), one in nearby._books.items() if name == model]
    assert all(len(block) <= 3 for block in book.blocks)
    assert book.front
    assert nearby.nearby(model, scene(1), [], 5) == ([], False)
    assert nearby.nearby("another", scene(1), None, 5) == ([], False)


def test_bits_differ_the_more_the_less_alike_two_are_and_never_change() -> None:
    def differ(one: Numbers, other: Numbers) -> int:
        return int((bits_of(MODEL, one[None]) != bits_of(MODEL, other[None])).sum())

    near, far, strange = shot(1, 0.1), shot(1, 0.6), scene(2)
    assert 0 < differ(scene(1), near) < differ(scene(1), far) < differ(scene(1), strange) < 512
    # These bits lie in people's databases: other directions need another CODE_VERSION.
    ramp = codes.code_of("of nobody", np.linspace(0, 6, 1024, dtype=np.float32))
    assert hashlib.sha256(ramp.encode()).hexdigest()[:16] == "2628b7a4795cd6bb"
