"""Two workers that read two files which swapped their names: each waits for the other once, and for ever never."""

import contextlib
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from core.commands.libraries import add_library
from core.readmodels.libraries import Folder
from core.readmodels.photos import Photo
from tests.journeys.pictures import make_picture
from workers import imports

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
