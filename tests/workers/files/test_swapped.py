"""Two who take up files that change places: each waits for the other once, and sees what it did."""

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from core.commands.libraries import add_library
from core.readmodels.files import PhotoFile
from core.readmodels.libraries import Folder
from core.readmodels.photos import Photo
from tests.journeys.pictures import make_picture
from tests.locks import waiting
from workers import imports
from workers.ignoring import Rules
from workers.moves import Rest, follow_moves
from workers.pipelines.files import FileFacts, NotAPhoto
from workers.pipelines.kinds import KINDS

pytestmark = pytest.mark.django_db(transaction=True)


def test_swapped_names_are_taken_in_by_two_workers_without_a_deadlock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "home"
    for number, name in enumerate(("a.jpg", "b.jpg")):
        make_picture(root / name, number, (64, 48), format="JPEG")
    folder = Folder.objects.get(id=add_library(root, actor="test"))
    for name in ("a.jpg", "b.jpg"):
        imports.import_found(folder, name)
    before = dict(Photo.objects.values_list("path", "id"))
    (root / "a.jpg").rename(root / "c")
    (root / "b.jpg").rename(root / "a.jpg")
    (root / "c").rename(root / "b.jpg")
    both = threading.Barrier(2)
    remove_file = imports.commands.remove_file

    def remove_and_meet(*given: Any, **named: Any) -> None:
        remove_file(*given, **named)
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(1)  # whoever takes turns waits here alone, and goes on

    monkeypatch.setattr(imports.commands, "remove_file", remove_and_meet)
    errors: list[Exception] = []

    def take_in(name: str) -> None:
        try:
            imports.import_found(folder, name)
        except Exception as error:  # noqa: BLE001  # told below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=take_in, args=(name,)) for name in ("a.jpg", "b.jpg")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert dict(Photo.objects.values_list("path", "id")) == {"a.jpg": before["b.jpg"], "b.jpg": before["a.jpg"]}


@pytest.fixture
def while_placed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], threading.Thread]:
    """Do something in another thread once an import has found its place, until it waits for it, or is done."""

    def arrange(act: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            try:
                act()
            finally:
                connection.close()

        other, place = threading.Thread(target=run), imports._place

        def placed_meanwhile(*given: Any) -> Any:
            monkeypatch.setattr(imports, "_place", place)
            photo = place(*given)
            other.start()
            end = time.monotonic() + 60
            while not waiting("advisory") and other.is_alive() and time.monotonic() < end:
                time.sleep(0.01)
            return photo

        monkeypatch.setattr(imports, "_place", placed_meanwhile)
        return other

    return arrange


Meanwhile = Callable[[Callable[[], object]], threading.Thread]


def test_a_move_waits_for_the_import_that_finds_another_photo_at_its_end_and_leaves_it_that_place(
    tmp_path: Path, while_placed: Meanwhile
) -> None:
    root = tmp_path / "home"
    make_picture(root / "a.jpg", 1, (64, 48), format="JPEG")
    folder = Folder.objects.get(id=add_library(root, actor="test"))
    imports.import_found(folder, "a.jpg")
    # Renamed to b.jpg, and written over there before anybody has followed.
    (root / "a.jpg").unlink()
    make_picture(root / "b.jpg", 2, (64, 48), format="JPEG")
    rest: list[Rest] = []
    moving = while_placed(lambda: rest.append(follow_moves(folder, Rules([]), [("a.jpg", "b.jpg")])))
    imports.import_found(folder, "b.jpg")
    moving.join(60)
    [photo] = Photo.objects.filter(path="b.jpg")
    assert [row.photo_id for row in PhotoFile.objects.filter(path="b.jpg")] == [photo.id]
    assert rest == [Rest(found={"a.jpg", "b.jpg"}, gone={"a.jpg"})]


def test_a_picture_that_is_overwritten_with_notes_while_it_is_imported_has_no_file_afterwards(
    tmp_path: Path, while_placed: Meanwhile
) -> None:
    root = tmp_path / "home"
    make_picture(root / "a.jpg", 1, (64, 48), format="JPEG")
    folder = Folder.objects.get(id=add_library(root, actor="test"))

    def overwrite() -> None:
        facts = FileFacts("0" * 64, 5, 1, KINDS["text"], None)
        imports._skip(folder, "a.jpg", facts, NotAPhoto("text", "These are notes.", failed=False))

    overwriting = while_placed(overwrite)
    imports.import_found(folder, "a.jpg")
    overwriting.join(60)
    assert list(PhotoFile.objects.values_list("path", "state", "photo_id")) == [("a.jpg", "skipped", None)]
    assert Photo.objects.get().missing
