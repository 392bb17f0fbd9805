"""Disks that are mounted below a library's folder: with real mounts, where the system allows them."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command

from core.readmodels.files import files_of_photo
from core.readmodels.libraries import Folder
from core.readmodels.mounts import Mount
from core.readmodels.photos import Photo
from core.web.missing import absence_of
from tests.journeys.pictures import make_picture
from tests.workers.files.conftest import Home, last_position
from workers import disks

pytestmark = pytest.mark.django_db
Mounting = Callable[..., None]


def unmount(place: Path) -> None:
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("left_behind", ["nothing", "another file"])
def test_photos_on_a_disk_below_the_folder_are_offline_while_it_is_away_and_back_with_it(
    home: Home, mount: Mounting, tmp_path: Path, left_behind: str
) -> None:
    home.put("here.jpg", 1)
    card = home.root / "my cards" / "1"
    card.mkdir(parents=True)
    if left_behind != "nothing":
        (card / "notes.txt").write_text("put the disk in")
    make_picture(tmp_path / "disk" / "deep" / "one.jpg", 2, (64, 48), format="JPEG")
    mount(card, "--bind", str(tmp_path / "disk"))
    home.scan()
    before = home.photos()
    assert set(before) == {"here.jpg", "my cards/1/deep/one.jpg"}
    unmount(card)
    events = last_position()
    assert home.scan()["offline"] == [f"{home.root}/my cards/1"]
    home.scan()
    assert (home.photos(), home.missing()) == (before, set())
    # One event tells of the whole disk; what lay beneath is found besides.
    assert last_position() - events == (1 if left_behind == "nothing" else 2)
    photo = Photo.objects.get(path__contains="deep")
    absence = absence_of(photo, files_of_photo(photo.id))
    assert absence is not None
    assert (absence.offline, Folder.objects.get().offline_since) == (True, None)
    rows = list(Mount.objects.values())
    call_command("replay", verbosity=0)
    assert list(Mount.objects.values()) == rows
    mount(card, "--bind", str(tmp_path / "disk"))
    assert home.scan()["offline"] == []
    assert (home.photos(), home.missing()) == (before, set())
    assert absence_of(photo, files_of_photo(photo.id)) is None
    # Files deleted from a disk that is there are missing as everywhere.
    (card / "deep" / "one.jpg").unlink()
    make_picture(card / "kept.jpg", 3, (64, 48), format="JPEG")
    home.scan()
    assert home.missing() == {"my cards/1/deep/one.jpg"}


def test_a_disk_that_is_no_longer_needed_is_forgotten_once_its_files_lie_in_the_folder_itself(
    home: Home, mount: Mounting, tmp_path: Path
) -> None:
    make_picture(tmp_path / "disk" / "one.jpg", 2, (64, 48), format="JPEG")
    mount(home.root / "card", "--bind", str(tmp_path / "disk"))
    home.scan()
    unmount(home.root / "card")
    home.scan()
    assert Mount.objects.get().offline_since is not None
    shutil.copytree(tmp_path / "disk", home.root / "card", dirs_exist_ok=True, copy_function=shutil.copy2)
    home.scan()
    assert not Mount.objects.exists()
    (home.root / "card" / "one.jpg").unlink()
    home.put("kept.jpg", 4)
    home.scan()
    assert home.missing() == {"card/one.jpg"}


def test_another_disk_in_its_place_takes_nothing_along(home: Home, mount: Mounting) -> None:
    card = home.root / "card"
    mount(card, "-t", "tmpfs", "tmpfs")
    make_picture(card / "one.jpg", 2, (64, 48), format="JPEG")
    home.scan()
    before = home.photos()
    mount(card, "-t", "tmpfs", "tmpfs")
    make_picture(card / "other.jpg", 3, (64, 48), format="JPEG")
    home.scan()
    assert Mount.objects.get().offline_reason.startswith("Another disk")
    assert before.items() <= home.photos().items()
    assert home.missing() == set()
    unmount(card)
    home.scan()
    assert Mount.objects.get().offline_since is None


@pytest.mark.parametrize("noted", [True, False])
def test_a_disk_that_was_there_when_filmroll_started_is_missed_before_anything_was_looked_through(
    home: Home, mount: Mounting, monkeypatch: pytest.MonkeyPatch, noted: bool
) -> None:
    card = home.root / "card"
    mount(card, "-t", "tmpfs", "tmpfs")
    make_picture(card / "one.jpg", 2, (64, 48), format="JPEG")
    with monkeypatch.context() as before_the_upgrade:
        before_the_upgrade.setattr(disks, "mounted_below", lambda _: frozenset())
        home.scan()
    assert not Mount.objects.exists()
    if noted:
        disks.note_disks()
        events = last_position()
        disks.note_disks()
        assert last_position() == events, "once is enough"
    unmount(card)
    home.scan()
    assert home.missing() == (set() if noted else {"card/one.jpg"})


@pytest.mark.parametrize("instead", ["folder", "dangling link", "loop"])
def test_a_file_that_a_folder_or_a_link_to_nowhere_took_the_place_of_is_missing(home: Home, instead: str) -> None:
    home.put("kept.jpg", 1)
    path = home.put("one.jpg", 2)
    home.scan()
    path.unlink()
    if instead == "folder":
        path.mkdir()
    else:
        path.symlink_to("nowhere" if instead == "dangling link" else "one.jpg")
    home.scan()
    assert home.missing() == {"one.jpg"}
