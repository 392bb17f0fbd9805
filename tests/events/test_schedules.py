"""Random schedules of writers with savepoints, aborts, deaths and prepared transactions: nothing is missed."""

import psycopg
import pytest

from tests.events.elsewhere import admin, new_database
from tests.events.readers import Verdict, judge
from tests.events.schedules import play, wrong

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("seeds", "steps"),
    [(range(12), 60), pytest.param(range(100, 250), 200, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])],
    ids=["a few", "many"],
)
def test_random_schedules_are_read_with_nothing_missed_doubled_or_out_of_order(seeds: range, steps: int) -> None:
    with new_database(), admin() as asking:
        prepares = int(_allows_prepared(asking))
        played = [play(seed, admin, steps=steps, prepares=prepares) for seed in seeds]
    assert wrong(played) == Verdict(missed=0, doubled=0, misordered=0)
    assert sum(one.events for one in played) > 10 * len(seeds)
    assert sum(one.naive.missed for one in played) > len(seeds) / 4, "there was something to miss"


def test_the_judge_sees_what_is_missed_doubled_and_out_of_order() -> None:
    log = [(1, "a", 1), (2, "b", 1), (4, "a", 2)]
    assert judge([1, 2, 4], log) == Verdict(0, 0, 0)
    assert judge([1, 4], log) == Verdict(1, 0, 0)
    assert judge([1, 2, 2, 4], log) == Verdict(0, 1, 1)
    assert judge([1, 4, 2], log) == Verdict(0, 0, 1)
    assert judge([1, 2], [(1, "a", 2), (2, "a", 1)]) == Verdict(0, 0, 2)
    assert judge([1], [(1, "a", 2)]) == Verdict(0, 0, 1), "a stream begins with version 1"


def _allows_prepared(asking: psycopg.Connection) -> bool:
    return asking.execute("SHOW max_prepared_transactions").fetchone() != ("0",)
