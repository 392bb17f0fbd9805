"""Shows in a terminal how far the machine is: done, failed, rate, time left."""

import asyncio
import time
from collections import deque

from asgiref.sync import sync_to_async
from django.db import OperationalError, close_old_connections

from events import listener
from workers.progress import Progress, progress
from workers.terminal import LastLine

_AT_MOST_EVERY = {True: 0.5, False: 5.0}  # on a terminal, and into a log file
_RATE_SECONDS = 20.0


class Pace:
    """The rate of the last seconds, from (time, done) pairs."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, now: float, done: int) -> float:
        """Photos per second over the last seconds."""
        self._seen.append((now, done))
        while self._seen[0][0] < now - _RATE_SECONDS:
            self._seen.popleft()
        (first, before), (last, after) = self._seen[0], self._seen[-1]
        return (after - before) / (last - first) if last > first else 0.0


async def show_progress(last: LastLine) -> None:
    """Write a line whenever jobs have changed; costs nothing while nothing happens."""
    pace, before = Pace(), ""
    async with listener.shared().subscribe("filmroll_jobs") as changes:
        async for _ in changes:
            line = await _line(pace)
            if line and line != before:
                last.show(line)
                before = line
            await asyncio.sleep(_AT_MOST_EVERY[last.is_terminal])


async def _line(pace: Pace) -> str:
    try:
        now = await sync_to_async(_progress, thread_sensitive=False)()
    except OperationalError:
        return ""  # the database is away; the listener wakes us when it is back
    done = now.photos.shown + now.photos.failed
    return in_words(now, pace.add(time.monotonic(), done))


def _progress() -> Progress:
    try:
        return progress()
    finally:
        close_old_connections()


def in_words(now: Progress, rate: float) -> str:
    """One line: 1,204 shown, 3 failed, 310 waiting · 12.5 photos/s · 25 s left."""
    photos = now.photos
    parts = [f"{photos.shown:,} shown, {photos.failed:,} failed, {photos.waiting:,} waiting"]
    if now.idle:
        return f"{parts[0]} · all done"
    if photos.waiting and rate > 0:
        parts += [f"{rate:.1f} photos/s", f"{duration(photos.waiting / rate)} left"]
    else:
        parts.append(f"{now.left:,} {'job' if now.left == 1 else 'jobs'} left")
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """Seconds as people say them: 40 s, 12 min, 3 h 5 min."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
