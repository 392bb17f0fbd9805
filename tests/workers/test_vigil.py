"""The supervisor is woken when the database's process ends or its lock file changes, and by nothing else."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workers import vigil

ONLY_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel is asked")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def rings(folder: Path, pid: int, act: Callable[[], object], seconds: float) -> bool:
    """Whether the alarm rings within so long after the act."""

    async def scenario() -> bool:
        with vigil.alarm(folder, pid) as alarm:
            ringing = asyncio.create_task(alarm.rings())
            await asyncio.sleep(0)
            act()
            done, _ = await asyncio.wait([ringing], timeout=seconds)
            ringing.cancel()
            return bool(done)

    return asyncio.run(scenario())


def test_a_change_to_the_lock_file_rings(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    file = tmp_path / "postmaster.pid"
    file.write_text("ready   \n")
    assert rings(tmp_path, sleeper.pid, lambda: file.write_text("stopping\n"), 10)


def test_the_end_of_the_process_rings(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    assert rings(tmp_path, sleeper.pid, sleeper.kill, 10)


def test_a_process_that_has_ended_already_rings_at_once(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert rings(tmp_path, ended.pid, lambda: None, 10)


@ONLY_LINUX
def test_nothing_rings_while_nothing_happens(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    (tmp_path / "base").mkdir()
    files = len(list(Path("/proc/self/fd").iterdir()))
    assert not rings(tmp_path, sleeper.pid, lambda: (tmp_path / "base" / "1").write_text("a table"), 0.3)
    assert len(list(Path("/proc/self/fd").iterdir())) == files


def test_where_the_kernel_gives_no_watch_one_looks_now_and_then(
    tmp_path: Path, sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(_folder: Path) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vigil, "_folder_watch", none_left)
    monkeypatch.setattr(vigil, "_PATIENCE", 0.05)
    assert rings(tmp_path, sleeper.pid, lambda: None, 10)
