"""Search by meaning: the nearest first, of what may be seen; a worker is waited for; else plain words say why."""

import asyncio
import threading
import time
from collections.abc import Callable
from uuid import UUID

import numpy as np
import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import close_old_connections, connection
from django.test import Client

from core import asking, meaning, waiting
from core.accounts import Account
from core.commands import analysis
from core.commands.log import load_photo
from core.commands.photos import replace_content
from core.domain import photos
from core.domain.analysis import MeaningMade
from core.domain.files import file_id
from core.domain.photos import Label
from core.meaning import Text
from tests.web.conftest import Shelf
from tests.web.test_looks import tiles
from tests.web.test_viewer import text_of

Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
ADDRESS = "/search/meaning/?meaning=A+red+boat"


def drawn(seed: int) -> Numbers:
    made = np.random.default_rng(seed).normal(size=48).astype(np.float32)
    return made / np.linalg.norm(made)


def seen(photo: UUID, numbers: Numbers, version: str = "1") -> None:
    made = MeaningMade(load_photo(photo).sha256, "clip", version)
    given = analysis.Numbers(meaning=numbers.tolist())
    analysis.record_seen(photo, [made], given, content=made.content, actor="worker:analysis")


def told(words: str, numbers: Numbers, version: str = "1") -> None:
    meaning.put_text(meaning.ask(words).id, f"clip {version}", numbers.tolist())


def near(answer) -> list[str]:  # type: ignore[no-untyped-def]
    """The photos in their order."""
    return [part.split('"', 1)[0] for part in answer.content.decode().split('id="m-')[1:]]


def jobs() -> list[tuple[str, int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT queue_name, priority, args ->> 'text' FROM procrastinate_jobs"
            " WHERE task_name = 'describe_text' AND status = 'todo'"
        )
        return cursor.fetchall()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has what it takes; no worker runs on it."""
    monkeypatch.setattr("workers.presets.why_not", lambda: "")


@pytest.fixture
def emptied(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")


@pytest.mark.django_db
def test_the_nearest_come_first_as_when_each_is_compared_and_only_those_that_may_be_seen(
    shelf: Shelf,
    page: Client,
    stranger: Account,
    make_shelf: Callable[[Account], Shelf],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The first two are not shown: it has to look farther.
    monkeypatch.setattr("core.readmodels.meaning._CANDIDATES", 2)
    text = drawn(0)
    numbers = {shelf.photo(f"{n}.jpg"): drawn(n) for n in range(1, 9)}
    for photo, one in numbers.items():
        seen(photo, one)
    theirs, waiting = make_shelf(stranger).photo("theirs.jpg"), shelf.photo("waiting.jpg", ready=False)
    for photo in (theirs, waiting):
        seen(photo, text)
    told("a  red BOAT", text)
    # Brute force, over the same numbers of two bytes.
    halves = {photo: one.astype(np.float16).astype(np.float32) for photo, one in numbers.items()}
    alike = {str(photo): float(one @ text / np.linalg.norm(one)) for photo, one in halves.items()}
    expected = sorted(alike, key=lambda photo: -alike[photo])
    answer = page.get(ADDRESS)
    assert near(answer) == expected
    assert "have not been looked at" not in text_of(answer)
    known = page.get("/api/v1/search?meaning=a red boat").json()
    assert [one["id"] for one in known["photos"]] == expected
    assert known["alike"] == pytest.approx([alike[photo] for photo in expected], abs=2e-4)
    assert (known["want"], known["next"], known["left_out"]) == (None, None, False)
    # Filters hold as well; what nobody has looked at is said to be left out.
    shelf.label(UUID(expected[3]), Label("boat", 0.9, (0, 0, 1, 1)))
    unseen = shelf.photo("unseen.jpg")
    shelf.label(unseen, Label("boat", 0.9, (0, 0, 1, 1)))
    answer = page.get(f"{ADDRESS}&label=boat")
    assert near(answer) == [expected[3]]
    with monkeypatch.context() as patched:  # among many it is found in another way
        patched.setattr("core.readmodels.meaning._FEW", 0)
        assert near(page.get(f"{ADDRESS}&label=boat")) == [expected[3]]
    assert "Some photos have not been looked at for their meaning yet" in text_of(answer)
    assert page.get("/api/v1/search?meaning=a red boat&label=boat&limit=1").json()["left_out"] is True
    assert near(page.get(f"{ADDRESS}&label=plane")) == []
    assert page.get(f"{ADDRESS}&rating=9").status_code == 422
    assert page.get("/api/v1/search?meaning=boat&rating=9").status_code == 422
    assert page.get("/api/v1/search?meaning=boat&before=x").status_code == 422
    assert jobs() == []


@pytest.mark.django_db
def test_the_search_page_has_a_section_for_it_that_comes_by_itself(shelf: Shelf, page: Client) -> None:
    boat = shelf.photo("red boat.jpg")
    seen(boat, drawn(1))
    told("red boat", drawn(1))
    searched = page.get("/search/?q=red&q=boat&kind=image")
    # What was found by words is there already, and is no other tile than the one that is still to come.
    assert tiles(searched) == [str(boat)]
    assert 'hx-get="/search/meaning/?meaning=red+boat&amp;kind=image"' in searched.content.decode()
    section = page.get("/search/meaning/?meaning=red+boat&kind=image", headers={"HX-Request": "true"})
    assert section.content.decode().lstrip().startswith('<section class="meaning" id="by-meaning"')
    assert f'id="m-{boat}"' in section.content.decode()
    assert "by-meaning" not in page.get("/search/?kind=image").content.decode()
    assert page.get("/search/meaning/?meaning=+").status_code == 302


@pytest.mark.django_db
def test_where_it_is_not_possible_plain_words_say_why_and_everything_else_works(
    shelf: Shelf, page: Client, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.photo("boat.jpg")
    monkeypatch.setattr("workers.presets.is_installed", lambda: False)
    said = "Search by meaning is not installed: the package keras-hub is not there"
    assert said in text_of(admin_client.get(ADDRESS))
    known = admin_client.get("/api/v1/search?meaning=boat").json()
    assert (known["photos"], known["want"]) == ([], "installed")
    assert said in known["reason"]
    assert said in text_of(admin_client.get(f"/libraries/{shelf.library}/"))
    assert len(tiles(page.get("/search/?q=boat"))) == 1
    monkeypatch.setattr("workers.presets.is_installed", lambda: True)
    assert "is not set up here" in text_of(page.get(ADDRESS))
    assert jobs() == []
    told("a red boat", drawn(1))
    assert "None of these photos has been looked at for its meaning yet" in text_of(page.get(ADDRESS))
    assert page.get("/api/v1/search?meaning=a red boat").json()["want"] == "numbers"
    monkeypatch.setattr("core.meaning.has_tables", lambda: False)
    assert "needs pgvector" in text_of(page.get(ADDRESS))
    assert page.get("/api/v1/search?meaning=boat").json()["want"] == "pgvector"


@pytest.mark.django_db
def test_which_folder_lacks_a_preset_and_what_to_do_is_told_to_administrators_alone(
    page: Client, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.presets.is_installed", lambda: True)
    folder = str(settings.DATA_DIR)
    for address in (ADDRESS, "/api/v1/search?meaning=boat"):
        answer = admin_client.get(address)
        assert folder in text_of(answer)
        assert "models add FOLDER" in text_of(answer)
        answer = page.get(address)
        assert "Search by meaning is not set up here" in text_of(answer)
        assert folder not in text_of(answer)
        assert "docs/" not in text_of(answer)
    # What a worker that tried to read its model met with names folders as well.
    monkeypatch.setattr("core.asking.wait_for", lambda *_: Text(UUID(int=1), "", "", f"{folder}/clip is broken."))
    monkeypatch.setattr("workers.presets.why_not", lambda: "")
    assert f"{folder}/clip is broken." in text_of(admin_client.get(ADDRESS))
    assert "does not work at the moment" in text_of(page.get(ADDRESS))
    assert folder not in text_of(page.get(ADDRESS))


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_waited_for_and_what_it_answers_late_is_used_the_next_time(
    emptied: None, installed: None, shelf: Shelf, page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = shelf.photo("boat.jpg")
    seen(photo, drawn(1))
    monkeypatch.setattr(asking, "PATIENCE", 0.2)
    for _ in range(2):  # pressed again, it is one job still
        answer = page.get(ADDRESS)
        assert "No worker has answered within" in text_of(answer)
        assert "Try again" in text_of(answer)
    # Before every photo, and without the words, which are nobody else's business.
    [(queue, priority, text)] = jobs()
    assert (queue, priority) == ("labels-meaning", 100)
    assert "boat" not in text
    meaning.put_text(UUID(text), "clip 1", drawn(1).tolist())
    assert near(page.get(ADDRESS)) == [str(photo)]

    def work() -> None:
        """A worker: it takes the job that there is for the other words."""
        while not (others := [one for _, _, one in jobs() if one != text]):
            time.sleep(0.01)
        meaning.put_trouble(UUID(others[0]), "The preset is of no use.")
        close_old_connections()
        connection.close()

    # Woken by the answer, not by the end of its patience.
    monkeypatch.setattr(asking, "PATIENCE", 600.0)
    worker = threading.Thread(target=work)
    worker.start()
    began = time.monotonic()
    known = page.get("/api/v1/search?meaning=a green boat").json()
    worker.join()
    assert known["want"] == "trouble"
    assert "an administrator can see why" in known["reason"]
    assert time.monotonic() - began < 300


@pytest.mark.django_db
def test_with_another_model_the_words_are_described_anew_and_former_numbers_count_no_more(
    installed: None, shelf: Shelf, page: Client
) -> None:
    old, new, replaced = (shelf.photo(f"{name}.jpg") for name in ("old", "new", "replaced"))
    for photo in (old, replaced):
        seen(photo, drawn(1))
    told("a red boat", drawn(1))
    assert near(page.get(ADDRESS)) == sorted(map(str, (old, replaced)))
    file = photos.OriginalFile(file_id(shelf.library, "replaced.jpg"), "replaced.jpg", 3, 2)
    found = photos.PhotoImported(shelf.library, file, "b" * 64, "jpeg", "image", "image/jpeg")
    assert replace_content(replaced, found, photos.MetadataRead(1, {}), actor="worker:import")
    shelf.render(replaced)
    assert near(page.get(ADDRESS)) == [str(old)]
    seen(new, drawn(1)[:32], version="2")
    assert meaning.ask("a red boat").vector == ()
    told("a red boat", drawn(1)[:32], version="2")
    answer = page.get(ADDRESS)
    assert near(answer) == [str(new)]
    assert "Some photos have not been looked at" in text_of(answer)


@pytest.mark.django_db(transaction=True)
def test_a_server_that_stops_lets_nobody_wait() -> None:
    async def scenario() -> None:
        async with asyncio.timeout(60):
            asyncio.get_running_loop().call_later(0.1, waiting.end_waits)
            found = waiting._wait("filmroll_meaning", sync_to_async(lambda: None), 600.0)
            assert await found is None

    async_to_sync(scenario)()
    assert not waiting._ends


@pytest.mark.django_db
def test_only_so_many_texts_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "KEPT", 2)
    kept = [meaning.ask(words) for words in ("one", "two", "three")]
    with connection.cursor() as cursor:  # a transaction has one moment
        for age, text in enumerate(reversed(kept)):
            cursor.execute(
                "UPDATE core_text_meaning SET asked_at = now() - %s * interval '1 day' WHERE id = %s",
                [age, text.id],
            )
    meaning.put_text(kept[2].id, "clip 1", [1.0, 0.0])
    assert [meaning.text_of(text.id) is not None for text in kept] == [False, True, True]
