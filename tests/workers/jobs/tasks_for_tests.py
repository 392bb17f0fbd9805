"""Tasks for worker processes in tests. Each leaves a line in a file, since a killed process leaves no result."""

import asyncio
import errno
import os
import threading
import time
from pathlib import Path
from typing import Any

import structlog
from django.db import connection
from procrastinate.contrib.django import app

from tests.workers import childrens_tasks
from workers import attempts
from workers.children import run_in_child
from workers.errors import ONCE_MORE, PoisonError, ResourceError, TransientError
from workers.retries import RetryPolicy

QUICK = RetryPolicy(budget=4, first=0.05, cap=0.2, first_pause=0.05, longest_pause=0.1)


def leave(mark: str, word: str) -> None:
    """Append a word and the time to the file that a test watches."""
    with Path(mark).open("a") as file:
        file.write(f"{word} {os.getpid()} {time.time():.6f}\n")


@app.task(name="touch", queue="files", retry=QUICK)
def touch(mark: str, **more: Any) -> None:
    leave(mark, "touched")


@app.task(name="sleep_long", queue="files", retry=QUICK)
def sleep_long(mark: str, seconds: float = 30, again: float = 0) -> None:
    """Sleeps `seconds` in its first run and `again` in later ones."""
    first = not Path(mark).exists()
    leave(mark, "began")
    time.sleep(seconds if first else again)
    leave(mark, "ended")


@app.task(name="hold", queue="files", retry=QUICK)
def hold(mark: str, until: str) -> None:
    """Ends when there is a file of that name."""
    leave(mark, "began")
    while not Path(until).exists():
        time.sleep(0.01)
    leave(mark, "ended")


@app.task(name="unlucky", queue="files", retry=QUICK)
def unlucky(mark: str, how: str = "transient", times: int = 99) -> None:
    leave(mark, how)
    if len(Path(mark).read_text().splitlines()) > times:
        return
    match how:
        case "transient":
            raise TransientError("busy", "Somebody else is at it.")
        case "poison":
            raise PoisonError("empty-file", "This file is empty: it holds no picture.")
        case "resource":
            raise ResourceError("memory", f"Too large for this machine. {ONCE_MORE}")
        case _:
            raise ValueError(f"/photos/2024/IMG_0001.jpg: bad thing at 0x7f00{len(how)} in line 12 \0 \udc80")


@app.task(name="need_room", queue="files", retry=QUICK)
def need_room(mark: str, full: int) -> None:
    """Finds the disk full so many times, and fails of itself from then on."""
    leave(mark, "began")
    if len(Path(mark).read_text().splitlines()) <= full:
        raise OSError(errno.ENOSPC, "No space left on device")
    raise TransientError("busy", "Somebody else is at it.")


@app.task(name="fail_slowly", queue="files", retry=QUICK)
def fail_slowly(mark: str, seconds: float) -> None:
    leave(mark, "began")
    time.sleep(seconds)
    raise TransientError("busy", "Somebody else is at it.")


@app.task(name="killer", queue="files", retry=QUICK)
def killer(mark: str) -> None:
    leave(mark, "killer")
    os.kill(os.getpid(), 9)


@app.task(name="use_child", queue="files", retry=QUICK)
def use_child(mark: str, seconds: float) -> None:
    """Has a child process at work, which leaves its id."""
    run_in_child("decode", childrens_tasks.linger, mark, seconds, seconds=2 * seconds, memory_mib=500)


@app.task(name="meet", queue="files", retry=QUICK)
def meet(mark: str, others: int) -> None:
    """Ends only when so many runs are at it at once."""
    leave(mark, "came")
    deadline = time.monotonic() + 60
    while len(Path(mark).read_text().splitlines()) < others:
        if time.monotonic() > deadline:
            raise TransientError("alone", "Nobody came.")
        time.sleep(0.01)


@app.task(name="ask_database", queue="files", retry=QUICK)
def ask_database(mark: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    leave(mark, threading.current_thread().name)


@app.task(name="speak", queue="files", retry=QUICK)
def speak(mark: str, photo: str) -> None:
    structlog.get_logger("spoken").warning("a line of a task")
    leave(mark, "spoke")


def note_death(job_args: dict[str, Any], task: str, job_id: int, run: int, error: BaseException) -> None:
    """A dead hook: while it runs, the job is not yet failed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM procrastinate_jobs WHERE id = %s", [job_id])
        status = cursor.fetchone()[0]
    leave(job_args["mark"], f"death:{task}:{run}:{type(error).__name__}:{status}")


def broken_hook(job_args: dict[str, Any], task: str, job_id: int, run: int, error: BaseException) -> None:
    leave(job_args["mark"], "hook")
    raise RuntimeError("the hook is broken")


async def _fetch_and_lose(*args: Any) -> Any:
    """The real fetch, whose answer never arrives when it took a job."""
    answer = await _fetch(*args)
    if isinstance(answer, attempts.Fetched):
        await asyncio.Event().wait()
    return answer


async def _hand_back_late(*args: Any, **named: Any) -> Any:
    """The real one, on a machine that is slow."""
    await asyncio.sleep(1.5)
    return await _hand_back(*args, **named)


_fetch, _hand_back = attempts.fetch, attempts.hand_back
if os.environ.get("TEST_SLOW_HAND_BACK"):
    attempts.hand_back = _hand_back_late
if os.environ.get("TEST_LOST_ANSWERS"):
    attempts.fetch = _fetch_and_lose
