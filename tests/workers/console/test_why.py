"""Why is it not running, and what comes next."""

import pytest

from workers.console.states import State
from workers.console.why import Facts, explain


def told(state: State, **facts: object) -> str:
    return " ".join(
        explain(Facts(state, "previews", **{"runs": 0, "budget": 6, "serving": 1, "slots": 2} | facts))
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "facts", "expected"),
    [
        (State.READY, {"serving": 0}, "No live worker serves the queue “previews”."),
        (State.READY, {"missing": "model missing"}, "waits: model missing. Nothing is used up meanwhile."),
        (State.READY, {"busy": 2}, "All 2 slots"),
        (State.READY, {"ahead": 1}, "1 job of this queue goes first"),
        (State.READY, {"ahead": 1000, "ahead_more": True}, "1,000 jobs or more of this queue go first"),
        (State.READY, {}, "It is next"),
        (State.BLOCKED, {"holder": 7}, "Job 7 holds its lock"),
        (State.RETRYING, {"runs": 2}, "2 runs of 6 used, 4 left."),
        (
            State.RETRYING,
            {"waits": "waits for room on the disk"},
            "room on the disk. It goes on by itself",
        ),
        (State.SCHEDULED, {}, "starts by itself then"),
        (State.RUNNING, {}, "at it now"),
        (State.STUCK, {}, "by itself"),
        (State.DEAD, {"runs": 6, "reason": "Empty."}, "All 6 runs failed. Empty."),
        (State.DEAD, {"runs": 1}, "does not go away by trying again"),
        (State.RESOLVED, {"ended_by": "ada"}, "by ada"),
        (State.SUCCEEDED, {}, "Nothing comes next"),
    ],
)
def test_the_answer_names_the_cause(state: State, facts: dict[str, object], expected: str) -> None:
    assert expected in told(state, **facts)


def test_there_is_an_answer_for_every_state() -> None:
    assert all(told(state) for state in State)
