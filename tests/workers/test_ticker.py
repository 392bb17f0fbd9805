"""The terminal's one line says how far the machine is, as people say it."""

import pytest

from workers.progress import PhotoCounts, Progress
from workers.ticker import Pace, duration, in_words


def progress(shown: int, waiting: int, failed: int, left: int) -> Progress:
    return Progress(PhotoCounts(shown, waiting, failed, 0), {}, {}, left)


@pytest.mark.parametrize(
    ("now", "rate", "line"),
    [
        (progress(0, 0, 0, 1), 0.0, "0 shown, 0 failed, 0 waiting · 1 job left"),
        (progress(1204, 310, 3, 620), 12.5, "1,204 shown, 3 failed, 310 waiting · 12.5 photos/s · 25 s left"),
        (progress(1514, 0, 3, 40), 12.5, "1,514 shown, 3 failed, 0 waiting · 40 jobs left"),
        (progress(1514, 0, 3, 0), 0.0, "1,514 shown, 3 failed, 0 waiting · all done"),
    ],
)
def test_the_line_says_done_failed_rate_and_time_left(now: Progress, rate: float, line: str) -> None:
    assert in_words(now, rate) == line


def test_the_pace_is_that_of_the_last_seconds() -> None:
    pace = Pace()
    assert pace.add(0, 0) == 0
    assert pace.add(10, 100) == pytest.approx(10)
    assert pace.add(25, 100) == pytest.approx(0)


@pytest.mark.parametrize(("seconds", "words"), [(40, "40 s"), (700, "12 min"), (11_100, "3 h 5 min")])
def test_durations_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words
