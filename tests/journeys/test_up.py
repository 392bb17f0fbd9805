"""Everything in one command: it starts, it gets over the death of any of its programs, it stops in order."""

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.cluster import live_postmaster
from tests.journeys.conftest import Installation, free_port
from tests.journeys.pictures import make_picture


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Installation]:
    """A machine with nothing on it: the database is the embedded one, in its own data folder."""
    tmp_path.chmod(0o755)
    made = Installation(tmp_path, "")
    made.extra_environment["FILMROLL_PORT"] = str(free_port())
    made.photos.mkdir()
    yield made
    for process in made.processes:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
    subprocess.run(["pkill", "-9", "-f", str(tmp_path / "data" / "postgres")], check=False)


def answers(machine: Installation, seconds: float = 120) -> float:
    """Wait until the web server answers; the seconds that it took."""
    started = time.monotonic()
    while True:
        with contextlib.suppress(OSError):
            port = machine.extra_environment["FILMROLL_PORT"]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10):
                return time.monotonic() - started
        assert time.monotonic() - started < seconds, machine.logs()
        time.sleep(0.05)


def child(machine: Installation, up: subprocess.Popen[bytes], name: str) -> psutil.Process:
    """The running program of that name below `up`; waits for it."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for process in psutil.Process(up.pid).children():
            with contextlib.suppress(psutil.Error):
                words = process.cmdline()
                # A program that has just died has no words left.
                if words and (words[-1] == name or (name == "postgres" and words[0].endswith("/postgres"))):
                    return process
        time.sleep(0.05)
    raise AssertionError(f"no {name}\n{machine.logs()}")


# How soon is a question for a machine that does nothing else, as `make test-slow` has it.
@pytest.mark.parametrize("alone", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_it_shows_photos_stops_in_order_starts_again_quickly_and_gets_over_the_death_of_any_program(
    machine: Installation, alone: bool
) -> None:
    make_picture(machine.photos / "one.jpg", 1)
    up = machine.start("up", "--photos", str(machine.photos))
    answers(machine)
    assert machine.status(wait_idle=True)["photos"]["shown"] == 1
    # A photo that is copied in shows by itself.
    child(machine, up, "watch")
    time.sleep(1)
    make_picture(machine.photos / "new folder" / "two.jpg", 2)
    shows(machine, 2)
    a_second_start_is_refused_with_one_clear_line(machine)
    it_stops(machine, up, signal.SIGTERM, 10 if alone else 60)

    again = machine.start("up", "--photos", str(machine.photos))
    assert answers(machine) < (10 if alone else 120)
    each_killed_program_is_back(machine, again, 5 if alone else 120)
    answers(machine)
    make_picture(machine.photos / "afterwards.jpg", 3)
    shows(machine, 3)
    it_stops(machine, again, signal.SIGINT, 10 if alone else 60)


def shows(machine: Installation, photos: int) -> None:
    deadline = time.monotonic() + 120
    while machine.status()["photos"]["shown"] < photos:
        assert time.monotonic() < deadline, machine.logs()


def it_stops(machine: Installation, up: subprocess.Popen[bytes], sign: signal.Signals, seconds: float) -> None:
    up.send_signal(sign)
    assert up.wait(seconds) == 0
    nothing_is_left_behind(machine)


def a_second_start_is_refused_with_one_clear_line(machine: Installation) -> None:
    second = machine.start("up")
    assert second.wait(120) == 1
    assert "running already" in (machine.folder / "up-1.log").read_text()


def each_killed_program_is_back(machine: Installation, up: subprocess.Popen[bytes], seconds: float) -> None:
    kills = [(name, signal.SIGKILL) for name in ("web", "worker", "watch", "postgres")]
    # Asked politely, the database waits for all sessions to end, and takes no new ones: it would for ever.
    for name, sign in [*kills, ("postgres", signal.SIGTERM)]:
        before = child(machine, up, name)
        before.send_signal(sign)
        killed = time.monotonic()
        before.wait(60)
        while child(machine, up, name).pid == before.pid:
            time.sleep(0.02)
        # Asked politely, it is first given time to end by itself.
        assert time.monotonic() - killed < seconds + (0 if sign == signal.SIGKILL else 10), name


@pytest.mark.slow
def test_after_a_power_cut_it_starts_again_and_goes_on_where_it_was(machine: Installation) -> None:
    for number in range(12):
        make_picture(machine.photos / f"{number}.jpg", number, (2000, 1500))
    up = machine.start("up", "--photos", str(machine.photos))
    answers(machine)
    deadline = time.monotonic() + 120
    while machine.status()["photos"]["shown"] < 2:
        assert time.monotonic() < deadline, machine.logs()
    # The supervisor first: it must have no time to start again what dies.
    for process in [psutil.Process(up.pid), *psutil.Process(up.pid).children(recursive=True)]:
        with contextlib.suppress(psutil.Error):
            process.kill()
    up.wait(60)
    # The number in the pid file belongs to somebody else after the machine has started again.
    pid_file = machine.folder / "data" / "postgres" / "postmaster.pid"
    assert pid_file.exists()
    pid_file.write_text("\n".join([str(os.getpid()), *pid_file.read_text().split("\n")[1:]]))
    machine.start("up", "--photos", str(machine.photos))
    answers(machine)
    photos = machine.status(wait_idle=True)["photos"]
    assert (photos["shown"], photos["waiting"]) == (12, 0)


def test_a_port_that_another_program_has_is_told_before_anything_is_started(machine: Installation) -> None:
    with socket.create_server(("127.0.0.1", int(machine.extra_environment["FILMROLL_PORT"]))):
        assert machine.start("up").wait(120) == 1
    told = (machine.folder / "up-0.log").read_text()
    assert told.count("\n") == 1
    assert "cannot be listened on: another program uses it. Set FILMROLL_PORT" in told
    assert not (machine.folder / "data" / "postgres").exists()


@pytest.mark.slow
def test_commands_and_up_share_the_database_whoever_comes_first(machine: Installation) -> None:
    names = ["migrate", "status", "status", "api_key"]
    machine.manage("migrate", "-v", "0")
    first = [machine.start(name, *(["list"] if name == "api_key" else [])) for name in names]
    assert [one.wait(120) for one in first] == [0, 0, 0, 0], machine.logs()
    # A command that lasts has started the server; `up` comes after it, and stays when it ends.
    watching = machine.start("watch")
    postmaster = _postmaster(machine)
    up = machine.start("up")
    answers(machine)
    watching.terminate()
    assert watching.wait(60) in (0, 143), machine.logs()
    answers(machine)
    assert _postmaster(machine).pid == postmaster.pid
    # `up` keeps it running though it has not started it, and commands that come meanwhile lose nothing.
    for sign in (signal.SIGTERM, signal.SIGKILL):
        before = _postmaster(machine)
        before.send_signal(sign)
        before.wait(60)
        assert machine.status()["idle"]
        answers(machine)
        assert _postmaster(machine).pid != before.pid
    up.terminate()
    assert up.wait(60) == 0
    nothing_is_left_behind(machine)


def _postmaster(machine: Installation) -> psutil.Process:
    deadline = time.monotonic() + 120
    while (found := live_postmaster(machine.folder / "data" / "postgres")) is None:
        assert time.monotonic() < deadline, machine.logs()
        time.sleep(0.05)
    return found


def nothing_is_left_behind(machine: Installation) -> None:
    """What is killed along with its parent is gone a moment after it."""
    deadline = time.monotonic() + 10
    while left := _left_behind(machine):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def _left_behind(machine: Installation) -> list[str]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(machine.folder) in " ".join(process.cmdline()) + process.environ().get("FILMROLL_DATA_DIR", ""):
                found.append(" ".join(process.cmdline()))
    return found
