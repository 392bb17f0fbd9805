"""The J rows that take minutes: crowds of workers, restarts, deletions, outages, rest, memory, dead machines."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from core import database
from tests.journeys.conftest import ROOT, Installation
from tests.journeys.pictures import make_picture
from tests.journeys.test_up import answers, child, machine  # noqa: F401

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

READY = "SELECT count(*) FROM photo WHERE preview_state = 'ready'"


def fill(folder: Path, count: int, size: tuple[int, int] = (160, 120), first: int = 0) -> None:
    for number in range(first, first + count):
        path = folder / f"{number // 100:03}" / f"{number:06}.jpg"
        # The pictures themselves come round again after some thousands.
        make_picture(path, number, size, comment=str(number))


def doubled(installation: Installation) -> int:
    """Results of a step beyond the first for the same photo."""
    query = "SELECT count(*) - count(DISTINCT stream_id) FROM event WHERE type = 'photo.previews_rendered'"
    return int(installation.value(query))


def test_j4_four_workers_claim_ten_thousand_jobs_once_each(installation: Installation) -> None:
    query = """INSERT INTO procrastinate_jobs (queue_name, task_name, args)
               SELECT 'files', 'touch', jsonb_build_object('mark', %s::text) FROM generate_series(1, 10000)"""
    installation.rows(query, str(installation.folder / "mark"), fetch=False)
    installation.extra_environment["DJANGO_SETTINGS_MODULE"] = "tests.workers.jobs.worker_settings"
    for _ in range(4):
        installation.start("worker", "--lanes", "media")
    installation.until("SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'", 10_000, 600)
    lines = (installation.folder / "mark").read_text().splitlines()
    assert len(lines) == 10_000
    assert len({line.split()[1] for line in lines}) == 4  # all four had a part in it
    assert installation.rows("SELECT count(*), count(DISTINCT job_id) FROM job_attempt") == [(10_000, 10_000)]


def test_j11_ten_restarts_during_an_import_queue_nothing_twice(installation: Installation) -> None:
    photos = 60
    fill(installation.photos, photos, (2000, 1500))
    for _ in range(10):
        installation.manage("import", str(installation.photos))
        worker = installation.start("worker")
        installation.until("SELECT count(*) > 0 FROM procrastinate_jobs WHERE status = 'doing'", True)
        time.sleep(0.3)
        installation.kill(worker)
        waiting = """SELECT COALESCE(max(n), 0) FROM (
            SELECT count(*) AS n FROM procrastinate_jobs
             WHERE status IN ('todo', 'doing') AND task_name IN ('import_file', 'render_previews')
             GROUP BY task_name, COALESCE(args ->> 'photo', args ->> 'file')) AS x"""
        assert installation.value(waiting) <= 1
    installation.manage("import", str(installation.photos))
    installation.start("worker")
    now = installation.status(wait_idle=True, timeout=300)["photos"]
    # A job that took its worker along twice may rest as a dead letter; nothing is lost, nothing doubled.
    assert now["waiting"] == 0 and now["shown"] + now["failed"] == photos
    assert doubled(installation) == 0


def test_j13_jobs_of_five_hundred_deleted_photos_are_cancelled_and_nothing_restarts(
    installation: Installation,
) -> None:
    fill(installation.photos, 500, (64, 48))
    make_picture(installation.photos / "stays.jpg", 9999)
    # Previews wait while the files are read.
    pause = "INSERT INTO job_queue_setting (queue, paused_at, paused_by) VALUES ('previews', now(), 'test')"
    installation.rows(pause, fetch=False)
    installation.manage("import", str(installation.photos))
    worker = installation.start("worker")
    installation.until("SELECT count(*) FROM photo", 501, 200)
    for folder in installation.photos.iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)
    installation.manage("import", str(installation.photos))
    ended = """SELECT count(*) FROM procrastinate_jobs
                WHERE task_name = 'render_previews' AND status = 'cancelled'"""
    installation.until(ended, 500, 120)
    installation.rows("DELETE FROM job_queue_setting", fetch=False)
    installation.rows("SELECT pg_notify('procrastinate_queue_v1#previews', '')", fetch=False)
    installation.until(READY, 1, 60)
    installation.status(wait_idle=True)
    assert installation.value("SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'") == 0
    assert worker.poll() is None
    # The files come back: so do the jobs.
    fill(installation.photos, 5, (64, 48))
    installation.manage("import", str(installation.photos))
    installation.until(READY, 6, 60)


SECONDS_AT_REST = int(os.environ.get("FILMROLL_TEST_REST", "300"))


def test_j15_a_system_at_rest_says_less_than_one_statement_in_five_seconds(
    machine: Installation,  # noqa: F811
) -> None:
    for folder in (machine.folder, *list(machine.folder.parents)[:3]):
        folder.chmod(folder.stat().st_mode | 0o011)  # the server runs as another user
    fill(machine.photos, 3)
    up = machine.start("up", "--photos", str(machine.photos))
    answers(machine, 60)
    child(machine, up, "watch")
    machine.status(wait_idle=True)
    log = machine.folder / "data" / "postgres.log"
    url = database.conninfo(machine.folder / "data")
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("ALTER SYSTEM SET log_statement = 'all'")
        # Two minutes: the figures of the minutes with work are rolled up, and the newly started look round once.
        time.sleep(min(125, SECONDS_AT_REST))
        session.execute("SELECT pg_reload_conf()")
        time.sleep(1)
    began = log.stat().st_size
    time.sleep(SECONDS_AT_REST)
    with log.open("rb") as told:
        told.seek(began)
        said = re.findall(rb"LOG:  (?:statement|execute [^:]*): (.*)", told.read())
    assert len(said) < SECONDS_AT_REST / 5, said
    up.send_signal(signal.SIGTERM)
    assert up.wait(20) == 0


def test_j24_a_minute_without_the_database_in_an_import_and_everything_goes_on_by_itself(
    own_server: database.Embedded, tmp_path: Path
) -> None:
    made = Installation(tmp_path, database.conninfo(tmp_path / "own"))
    made.photos.mkdir()
    fill(made.photos, 150, (1600, 1200))
    made.manage("migrate", "--verbosity", "0")
    with _port() as port:
        made.extra_environment["FILMROLL_PORT"] = str(port)
    try:
        programs = [made.start("web"), made.start("worker"), made.start("watch")]
        made.manage("import", str(made.photos))
        made.until(f"SELECT ({READY}) > 5", True, 60)
        own_server.stop()
        time.sleep(60)
        own_server.start()
        own_server.wait_until_ready()
        make_picture(made.photos / "during.jpg", 777)
        made.until(READY, 151, 300)
        made.status(wait_idle=True)
        assert doubled(made) == 0
        assert made.value("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('doing', 'failed')") == 0
        assert [program.poll() for program in programs] == [None, None, None], made.logs()
        assert urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30).status == 200
        make_picture(made.photos / "afterwards.jpg", 778)
        made.until(READY, 152, 60)
    finally:
        made.end()


@contextlib.contextmanager
def _port() -> Iterator[int]:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield int(free.getsockname()[1])


MANY_PHOTOS = int(os.environ.get("FILMROLL_TEST_PHOTOS", "20000"))


@pytest.mark.timeout(7200)
def test_j26_memory_after_many_photos_is_what_it_was_after_a_tenth_of_them(installation: Installation) -> None:
    worker = installation.start("worker")
    held = []
    for upto in (MANY_PHOTOS // 10, MANY_PHOTOS):
        done = installation.value("SELECT count(*) FROM photo")
        fill(installation.photos, upto - done, (64, 48), first=done)
        installation.manage("import", str(installation.photos), timeout=300)
        installation.until(READY, upto, 5400)
        held.append(_own_memory(worker))
    assert held[1] < 1.1 * held[0], held


def _own_memory(worker: "subprocess.Popen[bytes]") -> int:
    """Bytes of the worker's own process: its children are replaced after so many tasks."""
    return int(psutil.Process(worker.pid).memory_info().rss)


def test_a_machine_that_dies_loses_nothing_and_another_goes_on(installation: Installation) -> None:
    """Two machines: each with a name, processes, a network (none) and mounts of its own; one store."""
    photos, store = 40, installation.folder / "data"
    store.mkdir(exist_ok=True)
    fill(installation.photos, photos, (2400, 1800))
    installation.manage("import", str(installation.photos))
    first = _machine(installation, "darkroom")
    second = _machine(installation, "attic")
    installation.until("SELECT count(DISTINCT host) FROM worker_info WHERE ended_at IS NULL", 2, 60)
    told = installation.rows("SELECT DISTINCT host, version, queue_version FROM worker_info ORDER BY host")
    assert [row[0] for row in told] == ["attic", "darkroom"] and all(row[1] and row[2] for row in told)
    query = "SELECT count(*) > 0 FROM job_attempt WHERE host = 'darkroom' AND ended_at IS NULL"
    installation.until(query, True, 60)
    first.kill()  # with it goes everything in its namespace of processes, at once
    first.wait(10)
    installation.until(READY, photos, 300)
    assert doubled(installation) == 0
    assert installation.status(wait_idle=True)["photos"] == {
        "shown": photos, "waiting": 0, "failed": 0, "skipped": 0,
    }  # fmt: skip
    assert (
        installation.value("SELECT count(*) FROM job_attempt WHERE host = 'attic' AND outcome = 'succeeded'") > 0
    )
    assert second.poll() is None, installation.logs()
    second.kill()
    second.wait(10)


def _machine(installation: Installation, name: str) -> "subprocess.Popen[bytes]":
    """A worker with nothing but the database's address, the photos and the store, at a place of its own."""
    own = installation.folder / f"mounts-{name}"
    own.mkdir()
    mount = f"mount --bind {installation.folder / 'data'} {own}"
    begin = f"hostname {name} && {mount} && exec {sys.executable} manage.py worker"
    words = ["unshare", "--uts", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c"]
    if subprocess.run([*words, "mount --bind /tmp /tmp"], capture_output=True, check=False).returncode:
        pytest.skip("no namespaces can be made here")
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": installation.database_url,
        "FILMROLL_DATA_DIR": str(own),
        "FILMROLL_CONCURRENCY": "1",
    }
    with (installation.folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [*words, begin], cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    installation.processes.append(process)
    return process
