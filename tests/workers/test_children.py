"""Children: real processes, really killed."""

import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.workers import childrens_tasks as tasks
from tests.workers.jobs.processes import wait_until
from workers import children
from workers.children import Lane, RemoteError, run_in_child
from workers.errors import PoisonError, ResourceError, TransientError


@pytest.fixture(autouse=True)
def lanes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(children, "_crowds", {})
    # A spawned child imports its parent's __main__ first. In production that is manage.py; here it is pytest.
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    monkeypatch.setitem(children.LANES, "one", Lane(children=1, tasks=100, idle_seconds=60))
    monkeypatch.setitem(children.LANES, "two", Lane(children=2, tasks=10_000, idle_seconds=60))
    monkeypatch.setitem(children.LANES, "short-lived", Lane(children=1, tasks=2, idle_seconds=60))
    monkeypatch.setitem(children.LANES, "impatient", Lane(children=1, tasks=100, idle_seconds=0.2))
    yield
    children.stop()


def run(
    function: Callable[..., Any], *args: Any, lane: str = "one", seconds: float = 60, memory_mib: int = 500
) -> Any:
    return run_in_child(lane, function, *args, seconds=seconds, memory_mib=memory_mib)


def gone(pid: int) -> bool:
    """Whether the process has ended; so has one that its parent has yet to collect."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def at_work(lane: str) -> int:
    """How many children of a lane have a task."""
    return len(children._crowds[lane]._busy)


def waiting(lane: str) -> int:
    """How many callers wait for a child of a lane."""
    return len(children._crowds[lane]._changed._waiters)  # type: ignore[attr-defined]


def test_the_value_comes_back_from_another_process() -> None:
    assert run(tasks.double, 21) == 42
    assert run(os.getpid) != os.getpid()


def test_a_child_stays_for_the_next_task() -> None:
    assert run(os.getpid) == run(os.getpid)


def test_large_arguments_and_values_pass() -> None:
    data = os.urandom(8 << 20)
    assert run(tasks.echo, data) == data


def test_a_job_error_comes_through_unchanged_with_the_traceback_from_inside_the_child() -> None:
    with pytest.raises(PoisonError) as caught:
        run(tasks.refuse)
    assert caught.value.code == "truncated"
    assert caught.value.reason == "This file ends in the middle."
    assert "in refuse" in str(caught.value.__cause__)


def test_an_error_of_the_language_comes_through_unchanged() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        run(tasks.divide_by_zero)
    assert "in divide_by_zero" in str(caught.value.__cause__)


def test_an_error_that_cannot_be_unpickled_comes_as_its_name_and_message_and_harms_nobody() -> None:
    pid = run(os.getpid)
    with pytest.raises(RemoteError, match=r"childrens_tasks\.Stubborn: ab") as caught:
        run(tasks.raise_stubborn)
    assert "in raise_stubborn" in str(caught.value.__cause__)
    assert run(os.getpid) == pid


def test_an_error_of_a_module_that_only_the_child_has_imported_is_not_imported_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fractions_of_a_child.py").write_text("class Strange(Exception): pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RemoteError, match="only the child knows this class"):
        run(tasks.raise_strange)
    assert "fractions_of_a_child" not in sys.modules


def test_a_function_whose_module_cannot_be_imported_in_the_child_is_an_error_and_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_in_the_parent.py").write_text("def nothing(): pass\n")
    with monkeypatch.context() as here:
        here.syspath_prepend(tmp_path)
        nothing = importlib.import_module("only_in_the_parent").nothing
    with pytest.raises(ModuleNotFoundError, match="only_in_the_parent"):
        run(nothing)


def test_a_function_that_wants_to_exit_does_not_end_the_worker() -> None:
    with pytest.raises(RemoteError, match="SystemExit: 3"):
        run(tasks.leave)


@pytest.mark.parametrize("endless", [tasks.loop, tasks.loop_in_native_code])
def test_an_endless_loop_ends_at_the_time_limit(endless: Callable[[], None]) -> None:
    pid = run(os.getpid)
    with pytest.raises(ResourceError) as caught:
        run(endless, seconds=0.3)
    assert caught.value.code == "time-limit"
    assert "0.3 seconds" in caught.value.reason
    wait_until(lambda: gone(pid))
    assert run(tasks.double, 2) == 4


def test_a_child_that_grows_to_two_gibibytes_ends_at_the_memory_limit() -> None:
    pid = run(os.getpid)
    with pytest.raises(ResourceError) as caught:
        run(tasks.grow, 2048, memory_mib=200)
    assert caught.value.code == "memory-limit"
    assert "200 MiB" in caught.value.reason
    wait_until(lambda: gone(pid))
    assert run(tasks.double, 2) == 4


def test_a_refused_allocation_is_the_memory_limit_too() -> None:
    with pytest.raises(ResourceError) as caught:
        run(tasks.ask_for_too_much)
    assert caught.value.code == "memory-limit"


@pytest.mark.parametrize("crash", [tasks.crash, tasks.crash_in_silence])
def test_a_segmentation_fault_is_told_with_the_place_where_it_happened(crash: Callable[[], None]) -> None:
    with pytest.raises(ResourceError) as caught:
        run(crash)
    assert caught.value.code == "crashed"
    assert "SIGSEGV" in caught.value.reason
    assert f"in {crash.__name__}" in caught.value.__notes__[0]
    assert run(tasks.double, 2) == 4


def test_what_a_library_says_before_it_aborts_is_kept() -> None:
    with pytest.raises(ResourceError, match="SIGABRT") as caught:
        run(tasks.shout_and_abort)
    assert "free(): invalid pointer" in caught.value.__notes__[0]


def test_a_child_killed_from_outside_is_a_crash_of_its_task_only(tmp_path: Path) -> None:
    mark, over = tmp_path / "mark", tmp_path / "over"
    with ThreadPoolExecutor() as callers:
        bystander = callers.submit(run, tasks.hold, str(mark), str(over), lane="two")
        try:
            wait_until(mark.exists)
            with pytest.raises(ResourceError) as caught:
                run(tasks.kill, signal.SIGKILL, lane="two")
        finally:
            over.touch()
        pid = bystander.result()
    assert caught.value.code == "crashed"
    assert "SIGKILL" in caught.value.reason
    assert mark.read_text() == f"child {pid} 0\n", "it began once"
    assert not gone(pid)


@pytest.mark.parametrize(("neighbour", "limit"), [("loop", {"seconds": 0.5}), ("swell", {"memory_mib": 200})])
def test_a_slow_or_greedy_neighbour_neither_stops_nor_holds_up_the_others(
    neighbour: str, limit: dict[str, Any]
) -> None:
    with ThreadPoolExecutor() as callers:
        bad = callers.submit(run, getattr(tasks, neighbour), lane="two", **limit)
        wait_until(lambda: "two" in children._crowds and at_work("two"))
        pids = {run(os.getpid, lane="two")}
        while not bad.done():
            pids.add(run(os.getpid, lane="two"))
        pids.add(run(os.getpid, lane="two"))
        assert isinstance(bad.exception(), ResourceError)
    assert len(pids) == 1


def test_an_idle_child_that_was_killed_costs_the_next_task_nothing() -> None:
    for wait in (0, 0.3):
        pid = run(os.getpid)
        os.kill(pid, signal.SIGKILL)
        time.sleep(wait)
        assert run(os.getpid) != pid


def test_many_threads_share_the_children_of_a_lane(tmp_path: Path) -> None:
    with ThreadPoolExecutor(12) as callers:
        met = list(callers.map(lambda _: run(tasks.meet, str(tmp_path / "mark"), 2, lane="two"), range(2)))
        spans = list(callers.map(lambda _: run(tasks.pause, 0.02, lane="two"), range(40)))
    assert len(set(met)) == 2
    assert {pid for pid, _, _ in spans} <= set(met)
    assert max(sum(b <= begun < e for _, b, e in spans) for _, begun, _ in spans) <= 2


def test_a_child_outlives_the_thread_that_asked_for_it_first() -> None:
    pids: list[int] = []
    asking = threading.Thread(target=lambda: pids.append(run(os.getpid)))
    asking.start()
    asking.join()
    time.sleep(0.2)
    assert run(os.getpid) == pids[0]


def test_a_child_is_renewed_after_its_number_of_tasks() -> None:
    pids = [run(os.getpid, lane="short-lived") for _ in range(6)]
    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4] == pids[5]


def test_an_idle_child_gives_its_memory_back() -> None:
    pid = run(os.getpid, lane="impatient")
    wait_until(lambda: gone(pid))
    assert run(os.getpid, lane="impatient") != pid


def test_stop_ends_every_child_at_once_and_tells_who_was_waiting() -> None:
    pid = run(os.getpid)
    with ThreadPoolExecutor() as callers:
        running = callers.submit(run, tasks.loop, seconds=600)
        wait_until(lambda: at_work("one"))
        behind = callers.submit(run, tasks.double, 1)
        wait_until(lambda: waiting("one"))
        children.stop()
        for future in (running, behind):
            with pytest.raises(TransientError, match="stopped"):
                future.result()
    assert gone(pid)
    assert run(tasks.double, 2) == 4


@pytest.mark.parametrize("busy_with", ["time.sleep(60)", "tasks.loop_in_native_code()"])
def test_children_die_with_their_parent_however_busy_they_are(busy_with: str, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, time\n"
        "from tests.workers import childrens_tasks as tasks\n"
        "from workers.children import run_in_child\n"
        "def work():\n"
        f"    os.write(int(os.environ['TELL']), b'%d ' % os.getpid())\n    {busy_with}\n"
        "if __name__ == '__main__':\n"
        "    run_in_child('decode', work, seconds=60, memory_mib=500)\n"
    )
    pid, parent = _pid_of_child(script)
    parent.kill()
    parent.wait()
    wait_until(lambda: gone(pid))


def _pid_of_child(script: Path) -> tuple[int, subprocess.Popen[bytes]]:
    told = script.with_suffix(".told")
    script.write_text(
        script.read_text().replace("int(os.environ['TELL'])", f"os.open({str(told)!r}, os.O_WRONLY)")
    )
    told.touch()
    path = str(Path(children.__file__).parents[1])
    parent = subprocess.Popen(
        [sys.executable, script], env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.DEVNULL
    )
    wait_until(lambda: told.read_bytes().endswith(b" "))
    return int(told.read_bytes()), parent


def test_a_ctrl_c_for_the_whole_group_passes_the_children_by() -> None:
    pid = run(os.getpid)
    with ThreadPoolExecutor() as callers:
        running = callers.submit(run, tasks.pause, 0.4)
        time.sleep(0.1)
        os.kill(pid, signal.SIGINT)
        assert running.result()[0] == pid


def test_children_are_quiet_polite_and_import_neither_django_nor_the_queue(
    capfd: pytest.CaptureFixture[str],
) -> None:
    run(tasks.shout)
    around = run(tasks.surroundings)
    assert around["modules"] == []
    assert around["niceness"] == min(19, os.nice(0) + 10)
    assert "noise" not in "".join(capfd.readouterr())
