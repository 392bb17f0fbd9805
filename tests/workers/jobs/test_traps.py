"""The traps of the queue that hold everywhere: locks, prepared statements, queries that count millions."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.utils import connector_params

from core.accounts import Account
from tests.web.conftest import Shelf, make_shelf, owner, shelf  # noqa: F401
from tests.workers.jobs.processes import rows
from workers.worker import _connector

pytestmark = pytest.mark.django_db


def test_t14_the_pipeline_uses_no_locks_of_the_queue(shelf: Shelf) -> None:  # noqa: F811
    shelf.photo(ready=False)
    shelf.photo()
    [(jobs, locked)] = rows("SELECT count(*), count(lock) + count(queueing_lock) FROM procrastinate_jobs")
    assert jobs > 0 and locked == 0


def test_t15_statements_are_prepared_by_every_program() -> None:
    connection.ensure_connection()
    assert connection.connection.prepare_threshold == 5
    assert connector_params()["prepare_threshold"] == 5
    assert _connector(["media"])._pool_args["kwargs"]["prepare_threshold"] == 5


def test_t16_no_page_of_the_console_skips_rows_or_counts_the_finished(client: Client) -> None:
    client.force_login(Account.objects.create_user("ada", password="x", is_staff=True))
    pages = ("", "list/?state=succeeded", "list/?state=", "dead/", "tasks/", "queues/", "workers/", "schedules/")
    with CaptureQueriesContext(
        connection,
    ) as caught:
        for page in pages:
            assert client.get(f"/jobs/{page}").status_code == 200
    said = [query["sql"] for query in caught.captured_queries if "procrastinate_jobs" in query["sql"]]
    assert said
    for query in said:
        assert "OFFSET" not in query.upper(), query
        assert "procrastinate_list" not in query, query
        for part in query.lower().split("count(")[1:]:
            # A count stops somewhere, or is over what waits, runs or is dead.
            assert "limit" in part or "'doing'" in part, query
