"""Ways in which photo libraries have got stuck elsewhere, each shown not to be one here (the J rows)."""

import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.journeys.conftest import Installation
from tests.journeys.pictures import broken_pictures, make_picture, picture_bytes


def run_import(installation: Installation, timeout: float = 300) -> dict[str, int]:
    installation.manage("import", str(installation.photos))
    worker = installation.start("worker")
    photos: dict[str, int] = installation.status(wait_idle=True, timeout=timeout)["photos"]
    assert worker.poll() is None, installation.logs()
    return photos


def failed_names(installation: Installation) -> set[str]:
    return {row[0] for row in installation.rows("SELECT name FROM failure")}


@pytest.mark.parametrize("good", [40, pytest.param(990, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_j1_ten_corrupt_pictures_among_many_end_as_dead_letters_and_hold_up_nobody(
    installation: Installation, good: int
) -> None:
    for number in range(good):
        make_picture(installation.photos / f"{number:04}.jpg", number, (160, 120), comment=str(number))
    for name, content in broken_pictures().items():
        (installation.photos / name).write_bytes(content)
    photos = run_import(installation, timeout=300)
    assert photos == {"shown": good, "waiting": 0, "failed": 10, "skipped": 0}
    dead = installation.rows(
        "SELECT f.name, f.reason, j.status::text FROM failure f JOIN procrastinate_jobs j ON j.id = f.job"
    )
    assert {name for name, _, _ in dead} == set(broken_pictures())
    assert all(status == "failed" and len(reason) > 30 for _, reason, status in dead)
    # The same worker goes on as before.
    make_picture(installation.photos / "after.jpg", 999)
    installation.manage("import", str(installation.photos))
    assert installation.status(wait_idle=True)["photos"]["shown"] == good + 1


def test_j5_an_unreadable_file_early_in_the_walk_is_listed_and_the_rest_is_imported(
    installation: Installation,
) -> None:
    make_picture(installation.photos / "zz.jpg", 1)
    make_picture(installation.photos / "deep" / "er" / "zz.jpg", 2)
    (installation.photos / "aaa.jpg").write_bytes(b"")
    (installation.photos / "loop").symlink_to(installation.photos)
    (installation.photos / "aab.jpg").symlink_to("nowhere.jpg")
    photos = run_import(installation)
    assert (photos["shown"], photos["failed"]) == (2, 1)
    assert failed_names(installation) == {"aaa.jpg"}
    assert "empty" in installation.value("SELECT reason FROM failure")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read")
def test_j5_a_file_that_the_disk_refuses_to_read_is_tried_again_and_holds_up_nobody(
    installation: Installation,
) -> None:
    (installation.photos / "aaa.jpg").symlink_to("/proc/self/mem")  # reading it is an I/O error, for root too
    make_picture(installation.photos / "ours.jpg", 2)
    installation.manage("import", str(installation.photos))
    installation.start("worker")
    installation.until("SELECT count(*) FROM photo WHERE preview_state = 'ready'", 1)
    installation.until("SELECT count(*) > 1 FROM job_attempt WHERE outcome = 'retrying'", True)
    told = installation.rows(
        "SELECT DISTINCT error_code, error_class, next_run_at > started_at FROM job_attempt"
        " WHERE outcome = 'retrying'"
    )
    assert told == [("disk-error", "OSError", True)]


@pytest.mark.parametrize("step", [pytest.param("import_file", marks=pytest.mark.slow), "render_previews"])
def test_j7_a_worker_killed_in_the_middle_of_a_step_strands_no_photo(
    installation: Installation, step: str
) -> None:
    for number in range(16):
        make_picture(installation.photos / f"{number}.jpg", number, (2400, 1800))
    installation.manage("import", str(installation.photos))
    worker = installation.start("worker")
    installation.until(
        f"SELECT count(*) > 0 FROM procrastinate_jobs WHERE status = 'doing' AND task_name = '{step}'",
        True,
    )
    installation.kill(worker)
    assert installation.value("SELECT count(*) FROM photo WHERE preview_state = 'ready'") < 16
    installation.start("worker")
    photos = installation.status(wait_idle=True)["photos"]
    assert photos == {"shown": 16, "waiting": 0, "failed": 0, "skipped": 0}
    assert installation.value("SELECT count(*) FROM job_attempt WHERE outcome = 'lost'") >= 1
    twice = "SELECT count(*) - count(DISTINCT stream_id) FROM event WHERE type = 'photo.previews_rendered'"
    assert installation.value(twice) == 0


@pytest.mark.slow
def test_j7_a_worker_killed_again_and_again_still_finishes(installation: Installation) -> None:
    for number in range(12):
        make_picture(installation.photos / f"{number}.jpg", number, (2000, 1500))
    installation.manage("import", str(installation.photos))
    for _ in range(2):
        worker = installation.start("worker")
        installation.until("SELECT count(*) > 0 FROM procrastinate_jobs WHERE status = 'doing'", True)
        time.sleep(0.2)
        installation.kill(worker)
    installation.start("worker")
    now = installation.status(wait_idle=True)["photos"]
    # A job that took its worker along twice may rest as a dead letter; nothing is left hanging.
    assert now["waiting"] == 0
    assert now["shown"] + now["failed"] == 12


@pytest.mark.slow
def test_a_stopped_worker_gives_its_jobs_back_at_once_and_burns_no_attempt(installation: Installation) -> None:
    for number in range(20):
        make_picture(installation.photos / f"{number}.jpg", number, (2400, 1800))
    installation.manage("import", str(installation.photos))
    worker = installation.start("worker")
    installation.until("SELECT count(*) > 0 FROM photo WHERE preview_state = 'ready'", True)
    asked = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    worker.wait(15)
    assert time.monotonic() - asked < 10
    assert installation.value("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('doing', 'failed')") == 0
    installation.start("worker")
    assert installation.status(wait_idle=True)["photos"]["shown"] == 20


@pytest.mark.slow
def test_j27_no_text_in_a_file_is_too_long_or_too_odd(installation: Installation) -> None:
    odd = {
        "lens-129.jpg": "L" * 129,
        "lens-5000.jpg": "M" * 5000,
        "with-nul.jpg": "before\0after",
        "latin-1.jpg": "Stra\xdfe",
    }
    for number, (name, lens) in enumerate(odd.items()):
        _picture_with_lens(installation.photos / name, lens, number)
    photos = run_import(installation)
    assert photos == {"shown": 4, "waiting": 0, "failed": 0, "skipped": 0}
    lenses = dict(installation.rows("SELECT name, lens FROM photo"))
    assert lenses["lens-129.jpg"] == "L" * 129
    assert 0 < len(lenses["lens-5000.jpg"]) <= 1001
    assert "\0" not in lenses["with-nul.jpg"]


@pytest.mark.slow
def test_j28_a_jpeg_without_jfif_or_exif_header_is_a_picture_like_any_other(installation: Installation) -> None:
    whole = picture_bytes(3)
    assert whole[2:4] == b"\xff\xe0"
    length = int.from_bytes(whole[4:6], "big")
    (installation.photos / "bare.jpg").write_bytes(whole[:2] + whole[4 + length :])
    (installation.photos / "no_ending").write_bytes(picture_bytes(4))
    (installation.photos / "says.png").write_bytes(picture_bytes(5))
    assert run_import(installation)["shown"] == 3


@pytest.mark.slow
def test_the_same_content_in_two_files_is_one_photo_and_a_changed_file_is_another(
    installation: Installation,
) -> None:
    first = make_picture(installation.photos / "first.jpg", 1)
    shutil.copy(first, installation.photos / "second.jpg")
    assert run_import(installation)["shown"] == 1
    assert installation.value("SELECT count(*) FROM photo_file") == 2
    make_picture(first, 2, (300, 200))
    installation.manage("import", str(installation.photos))
    assert installation.status(wait_idle=True)["photos"]["shown"] == 2
    rows = installation.rows("SELECT path, missing FROM photo ORDER BY path")
    assert rows == [("first.jpg", False), ("second.jpg", False)]


@pytest.mark.slow
def test_looking_through_an_unchanged_library_writes_nothing(installation: Installation) -> None:
    for number in range(20):
        make_picture(installation.photos / f"{number}.jpg", number)
    (installation.photos / "notes.txt").write_text("not a photo")
    (installation.photos / "broken.jpg").write_bytes(b"")
    run_import(installation)
    events = installation.value("SELECT max(position) FROM event")
    installation.manage("import", str(installation.photos))
    installation.status(wait_idle=True)
    assert installation.value("SELECT max(position) FROM event") == events
    assert installation.value("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'import_file'") == 22


def _picture_with_lens(path: Path, lens: str, number: int) -> None:
    from PIL import ExifTags, Image

    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.LensModel] = lens
    Image.new("RGB", (64, 48), (number * 60, 10, 10)).save(path, exif=exif)
