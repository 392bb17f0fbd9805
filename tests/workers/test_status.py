"""What the command that tells how far the machine is says in its last line."""

from typing import Any

import pytest

from workers.management.commands.status import _in_words
from workers.progress import PhotoCounts, Progress

JOBS = {"ready": 0, "retrying": 0, "scheduled": 0, "running": 0, "dead": 0, "held": 0}
FULL = {"previews": "The disk of the data folder is full."}


@pytest.mark.parametrize(
    ("jobs", "held", "left", "says"),
    [
        ({}, {}, 0, "idle"),
        ({"ready": 2}, {}, 2, "2 jobs left"),
        ({"held": 3}, FULL, 0, "idle, and 3 jobs wait for what is said above"),
        ({}, FULL, 0, "idle"),
    ],
)
def test_the_last_line_says_what_is_left_and_what_waits(
    jobs: dict[str, int], held: dict[str, Any], left: int, says: str
) -> None:
    lines = _in_words(Progress(PhotoCounts(0, 0, 0, 0), JOBS | jobs, held, left), []).splitlines()
    assert lines[-1] == says
    assert ("previews The disk of the data folder is full." in lines) == bool(held)
