"""Disks that are full, that go away, that may only be read: with real mounts, where the system allows them."""

import contextlib
import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.conftest import Installation
from tests.journeys.pictures import make_picture

pytestmark = pytest.mark.slow
Mount = Callable[..., None]
READY = "SELECT count(*) FROM photo WHERE preview_state = 'ready' AND NOT missing"
DISKS_AWAY = "SELECT count(*) FROM folder_mount WHERE offline_since IS NOT NULL"
OFFLINE = "SELECT count(*) FROM library_folder WHERE offline_since IS NOT NULL"


def unmount(place: Path) -> None:
    subprocess.run(["umount", str(place)], check=True)


def fill(path: Path, but_for: int = 0) -> None:
    """Write until the disk is full to the last byte, or but for so many."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        for size in (4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    os.write(file, bytes(size))
        os.truncate(path, os.fstat(file).st_size - but_for)
    finally:
        os.close(file)


def fingerprint(root: Path) -> dict[str, tuple[int, int, str]]:
    """Every file below a folder: rights, time and content."""
    made = {}
    for folder, _, names in os.walk(os.fsencode(root)):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118  # bytes
            facts = os.lstat(path)
            content = hashlib.sha256(Path(os.fsdecode(path)).read_bytes()).hexdigest()
            made[os.fsdecode(path)] = (facts.st_mode, facts.st_mtime_ns, content)
    return made


def test_j17_a_library_started_with_an_empty_mount_loses_nothing_and_all_is_back_with_the_disk(
    installation: Installation, mount: Mount
) -> None:
    disk = installation.folder / "disk"
    for number in range(5):
        make_picture(disk / f"{number}.jpg", number)
    mount(installation.photos, "--bind", str(disk))
    installation.manage("import", str(installation.photos))
    installation.start("worker")
    installation.until(READY, 5)
    ids = installation.rows("SELECT path, id FROM photo ORDER BY path")
    unmount(installation.photos)
    watcher = installation.start("watch")
    installation.until(OFFLINE, 1)
    assert installation.value(READY) == 5
    mount(installation.photos, "--bind", str(disk))
    installation.until(OFFLINE, 0)
    make_picture(installation.photos / "new.jpg", 50)
    installation.until(READY, 6)
    # It goes and comes while it is watched.
    unmount(installation.photos)
    installation.until(OFFLINE, 1)
    make_picture(disk / "meanwhile.jpg", 51)
    mount(installation.photos, "--bind", str(disk))
    installation.until(READY, 7)
    assert set(ids) <= set(installation.rows("SELECT path, id FROM photo"))
    assert (
        installation.value("SELECT count(*) FROM event WHERE type IN ('photo.file_missing', 'photo.file_gone')")
        == 0
    )
    assert watcher.poll() is None


def test_j17_a_disk_below_a_watched_folder_goes_and_comes_and_takes_nothing_along(
    installation: Installation, mount: Mount
) -> None:
    disk, place = installation.folder / "disk", installation.photos / "card"
    make_picture(disk / "one.jpg", 1)
    make_picture(installation.photos / "home.jpg", 2)
    mount(place, "--bind", str(disk))
    installation.manage("import", str(installation.photos))
    installation.start("worker")
    installation.start("watch")
    installation.until(READY, 2)
    installation.until("SELECT count(*) FROM folder_mount", 1)
    unmount(place)
    installation.until(DISKS_AWAY, 1)
    installation.manage("import", str(installation.photos))
    installation.status(wait_idle=True)
    assert installation.value(READY) == 2
    make_picture(disk / "meanwhile.jpg", 3)
    mount(place, "--bind", str(disk))
    installation.until(DISKS_AWAY, 0)
    installation.until(READY, 3)
    make_picture(place / "watched.jpg", 4)
    installation.until(READY, 4)
    # One that is mounted for the first time, with the watch on.
    second = installation.folder / "second"
    make_picture(second / "new.jpg", 5)
    mount(installation.photos / "stick", "--bind", str(second))
    installation.until(READY, 5)
    assert installation.value("SELECT count(*) FROM event WHERE type = 'photo.file_missing'") == 0


def test_j17_a_worker_that_starts_remembers_the_disks_that_are_there(
    installation: Installation, mount: Mount
) -> None:
    make_picture(installation.photos / "home.jpg", 1)
    installation.manage("import", str(installation.photos))
    first = installation.start("worker")
    installation.until(READY, 1)
    installation.kill(first)
    mount(installation.photos / "stick", "-t", "tmpfs", "tmpfs")
    installation.start("worker")
    installation.until("SELECT count(*) FROM folder_mount", 1)
    assert installation.value("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'scan_library'") == 1


def test_j23_originals_on_a_mount_that_may_only_be_read_are_all_there_afterwards_untouched(
    installation: Installation, mount: Mount
) -> None:
    disk = installation.folder / "disk"
    for number in range(3):
        make_picture(disk / "deep" / f"{number}.jpg", number)
    (disk / "broken.jpg").write_bytes(b"")
    (disk / "notes.txt").write_text("words")
    before = fingerprint(disk)
    mount(installation.photos, "--bind", str(disk))
    subprocess.run(["mount", "-o", "remount,bind,ro", str(installation.photos)], check=True)
    with pytest.raises(OSError, match="Read-only"):
        (installation.photos / "x").write_bytes(b"")
    installation.manage("import", str(installation.photos))
    installation.start("worker")
    installation.start("watch")
    installation.until(READY, 3)
    make_picture(disk / "new.jpg", 9)
    installation.until(READY, 4)
    assert {path: facts for path, facts in fingerprint(disk).items() if path in before} == before


def test_j25_a_full_data_disk_makes_jobs_wait_and_they_end_well_once_there_is_space(
    installation: Installation, mount: Mount
) -> None:
    data = installation.folder / "data"
    mount(data, "-t", "tmpfs", "-o", "size=2m", "tmpfs")
    ballast = data / "ballast"
    for number in range(6):
        make_picture(installation.photos / f"{number}.jpg", number, (1200, 900))
    installation.manage("import", str(installation.photos))
    # Room enough to begin, and too little for any preview.
    fill(ballast, but_for=64 << 10)
    worker = installation.start("worker")
    # The first that finds no room holds the others back.
    waits = "SELECT count(*) > 0 FROM job_attempt WHERE error_code = 'disk-full' AND outcome = 'waiting'"
    installation.until(waits, True, 60)
    held = "the disk of the data folder is full"
    installation.until("SELECT max(waiting ->> 'previews') FROM worker_info WHERE name = 'media'", held, 60)
    assert installation.value("SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'") == 0
    assert installation.value("SELECT count(*) FROM failure") == 0
    ballast.unlink()
    installation.until(READY, 6, 100)
    assert worker.poll() is None
    # Nothing half-made is left, and each preview that is told of is whole.
    from PIL import Image

    kept = list((data / "previews").rglob("*.webp"))
    assert len(kept) == 12
    for path in kept:
        with Image.open(path) as picture:
            picture.load()
    assert not list((data / "working").iterdir())


def test_j25_jobs_that_come_to_a_disk_full_to_the_brim_wait_in_their_queue_without_a_run(
    installation: Installation, mount: Mount
) -> None:
    data = installation.folder / "data"
    mount(data, "-t", "tmpfs", "-o", "size=2m", "tmpfs")
    for number in range(3):
        make_picture(installation.photos / f"{number}.jpg", number)
    installation.manage("import", str(installation.photos))
    fill(data / "ballast")
    installation.start("worker")
    held = "the disk of the data folder is full"
    installation.until("SELECT max(waiting ->> 'previews') FROM worker_info WHERE name = 'media'", held, 60)
    installation.until("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'render_previews'", 3)
    assert installation.status()["held"] == {"previews": held, **installation.status()["held"]}
    assert installation.value("SELECT count(*) FROM job_attempt WHERE task = 'render_previews'") == 0
    (data / "ballast").unlink()
    installation.until(READY, 3, 60)


def test_j20_previews_are_whole_or_not_there_however_often_the_power_fails(installation: Installation) -> None:
    from PIL import Image

    for number in range(12):
        make_picture(installation.photos / f"{number}.jpg", number, (2000, 1500))
    installation.manage("import", str(installation.photos))
    for ready in (1, 4):
        worker = installation.start("worker")
        installation.until(f"SELECT count(*) >= {ready} FROM photo WHERE preview_state = 'ready'", True, 60)
        installation.kill(worker)
        for path in (installation.folder / "data" / "previews").rglob("*.webp"):
            with Image.open(path) as picture:
                picture.load()
    installation.start("worker")
    installation.until("SELECT count(*) FROM photo WHERE preview_state = 'ready'", 12, 100)
