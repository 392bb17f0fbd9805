"""The embedded database serves any number of programs, and gets over what a power cut leaves behind."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.test import Client

from core import database, locks, postmaster
from core.cluster import is_stopping

# One cluster for all of them: making it takes longer than most tests.
pytestmark = pytest.mark.xdist_group("embedded database")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("embedded")
    for one in (folder, *list(folder.parents)[:3]):
        one.chmod(one.stat().st_mode | 0o011)
    return folder


@pytest.fixture
def folder(made: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder without DATABASE_URL; nothing runs in it before and after a test."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert server(made).pid() is None
    yield made
    assert server(made).pid() is None


def server(folder: Path) -> database.Embedded:
    """One program's view of the server. Locks are those of open files: two of these are like two programs."""
    return database.Embedded(folder, fsync="off")


def session(folder: Path) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(database.conninfo(folder), autocommit=True)


def until(condition: object, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def killed(folder: Path, sign: int) -> int:
    """The number of the server's process, which has got the signal."""
    pid = server(folder).pid()
    assert pid is not None
    os.kill(pid, sign)
    return pid


def test_a_cluster_left_behind_by_a_power_cut_starts_again(folder: Path) -> None:
    with database.running(folder):
        with session(folder) as asking:
            asking.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
            asking.execute("INSERT INTO kept VALUES (1)")
        pid_file = folder / "postgres" / "postmaster.pid"
        lines = pid_file.read_text().split("\n")
        killed(folder, signal.SIGKILL)
        until(lambda: server(folder).pid() is None)
    # What a power cut leaves: a pid file whose number now belongs to somebody else.
    pid_file.write_text("\n".join(["1", *lines[1:]]))
    with database.running(folder), session(folder) as asking:
        assert asking.execute("SELECT n FROM kept").fetchall() == [(1,)]


def test_a_data_folder_with_a_long_path_still_gets_a_socket(folder: Path) -> None:
    long = folder / ("d" * 100)
    long.mkdir()
    with database.running(long), session(long) as asking:
        assert asking.execute("SELECT 1").fetchone() == (1,)


def test_the_server_lives_for_as_long_as_any_program_uses_it_and_no_longer(folder: Path) -> None:
    with contextlib.ExitStack() as second:
        with database.running(folder, fsync="off"):
            first = server(folder).pid()
            second.enter_context(database.running(folder, fsync="off"))
        with session(folder) as asking:
            assert asking.execute("SELECT 1").fetchone() == (1,)
        assert server(folder).pid() == first


def test_programs_that_start_and_end_at_any_time_never_lose_the_server(folder: Path) -> None:
    failures: list[BaseException] = []

    def program(number: int) -> None:
        try:
            for turn in range(2):
                with database.running(folder, fsync="off"), session(folder) as asking:
                    for _ in range(1 + (number + turn) % 3):
                        asking.execute("SELECT pg_sleep(0.02)")
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    programs = [threading.Thread(target=program, args=(number,)) for number in range(5)]
    for one in programs:
        one.start()
    for one in programs:
        one.join()
    assert failures == []


def test_a_server_that_a_killed_program_left_behind_is_started_anew(folder: Path) -> None:
    left = server(folder)
    left.join()
    before = left.pid()
    os.close(left._use)  # type: ignore[arg-type]  # as the kernel does for a killed program
    with database.running(folder, fsync="off"):
        assert server(folder).pid() not in (None, before)
        assert left.process is not None
        left.process.wait(60)


@pytest.mark.django_db
def test_a_server_that_was_told_to_stop_but_waits_for_a_session_is_started_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = server(folder)
    ours.join()
    try:
        monkeypatch.setitem(connection.settings_dict, "HOST", str(folder / "postgres"))
        monkeypatch.setitem(connection.settings_dict, "NAME", postmaster.EMBEDDED_NAME)
        with session(folder) as held:
            assert Client().get("/healthz").json()["database"] == "answers"
            before = killed(folder, signal.SIGTERM)
            until(lambda: is_stopping(folder / "postgres"))
            assert ours.trouble() == "was told to stop"
            assert held.execute("SELECT 1").fetchone() == (1,)
            answer = Client().get("/healthz")
            assert answer.status_code == 503
            assert answer.json() == {"status": "unwell", "database": "is shutting down"}
            ours.have_running()
        assert ours.pid() not in (None, before)
        assert ours.trouble() == ""
        assert Client().get("/healthz").status_code == 200
    finally:
        ours.leave()
    assert Client().get("/healthz").json() == {"status": "unwell", "database": "does not answer"}


def test_no_server_starts_while_a_process_of_another_one_lives_though_nobody_sees_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postmaster, "_READY_SECONDS", 0.2)
    unseen = locks.take(folder / "locks" / "server")
    assert unseen is not None
    monkeypatch.setattr(postmaster, "_STOPS", ((signal.SIGINT, 0.1),))
    try:
        with pytest.raises(RuntimeError, match="does not answer"):
            server(folder).join()
    finally:
        os.close(unseen)
    assert server(folder).pid() is None


def test_who_waits_too_long_for_its_turn_is_told_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postmaster, "_TURN_SECONDS", 0.1)
    with locks.turn(folder / "locks" / "turn", 1), pytest.raises(locks.Busy, match="Another program has held"):
        server(folder).join()
