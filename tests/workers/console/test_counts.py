"""What the console counts is what the queue holds."""

from typing import Any

from django.test import Client

from core.accounts import Account
from tests.web.conftest import Shelf, make_shelf, owner, shelf, stranger  # noqa: F401
from tests.workers.console.conftest import Make, sql
from workers.console import figures, listing
from workers.console.search import Filter
from workers.console.states import State


def test_j19_the_sum_of_the_states_is_the_number_of_jobs_in_the_queue(make: Make, worker: int) -> None:
    sql("TRUNCATE procrastinate_jobs CASCADE")
    for times, state in enumerate(State, 1):
        for _ in range(1 if state is State.BLOCKED else times):  # one job holds the lock
            make(state.value, worker=worker)
    listed = {state: listing.page_of(Filter(state), "", [worker], 1000).ids for state in State}
    ids = [job for found in listed.values() for job in found]
    [(jobs,)] = sql("SELECT count(*) FROM procrastinate_jobs")
    assert len(ids) == len(set(ids)) == jobs
    counted = figures.counts([worker])
    assert {state: count.number for state, count in counted.items()} == {
        state: len(listed[state]) for state in counted
    }
    assert figures.counts([worker], 3)[State.DEAD].words == "3+"


def test_j19_a_member_is_shown_what_failed_in_their_own_libraries_alone(
    shelf: Shelf,  # noqa: F811
    stranger: Account,  # noqa: F811
    make_shelf: Any,  # noqa: F811
) -> None:
    theirs = make_shelf(stranger)
    shelf.fail(shelf.photo("mine.jpg", ready=False))
    theirs.fail(theirs.photo("theirs.jpg", ready=False))
    client = Client()
    client.force_login(shelf.owner)
    shown = client.get("/failures/").content.decode()
    assert "mine.jpg" in shown and "theirs.jpg" not in shown
    assert client.get("/jobs/").status_code == 403
