"""What machines ask about health."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpResponse
from django.test import AsyncClient, Client

from core.accounts import Account
from core.commands.accounts import create_api_key
from tests.workers.console.conftest import Make


def bearer(**account: bool) -> dict[str, str]:
    """The header with a key of a new account."""
    Account.objects.create_user("grafana", password="x", **account)
    return {"Authorization": f"Bearer {create_api_key('prometheus', 'grafana')}"}


def test_metrics_count_jobs_and_workers_for_prometheus(client: Client, make: Make, worker: int) -> None:
    make("dead")
    make("running", worker=worker)
    lines = client.get("/jobs/metrics", headers=bearer(is_staff=True)).content.decode().splitlines()
    assert 'filmroll_jobs{queue="files",state="dead"} 1' in lines
    assert 'filmroll_jobs{queue="files",state="running"} 1' in lines
    assert "filmroll_workers_alive 1" in lines


def test_metrics_are_shown_to_an_administrator_who_is_signed_in(staff: Client) -> None:
    assert staff.get("/jobs/metrics").status_code == 200


def test_metrics_are_not_for_strangers(client: Client, db: None) -> None:
    for headers in ({}, {"Authorization": "Bearer filmroll_guessed"}):
        answer = client.get("/jobs/metrics", headers=headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert b"filmroll_jobs" not in answer.content


def test_metrics_are_not_for_a_key_of_somebody_who_is_no_administrator(client: Client, db: None) -> None:
    assert client.get("/jobs/metrics", headers=bearer()).status_code == 403


def test_metrics_are_not_for_the_key_of_an_account_that_was_closed(client: Client, db: None) -> None:
    headers = bearer(is_staff=True)
    Account.objects.update(is_active=False)
    assert client.get("/jobs/metrics", headers=headers).status_code == 401


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    from tests.workers.console.conftest import sql

    sql("TRUNCATE procrastinate_jobs, procrastinate_workers, procrastinate_events CASCADE")
    yield


def test_health_says_no_while_no_worker_lives_and_that_notifications_arrive(committed: None) -> None:
    answer = asyncio.run(_ask())
    assert answer.status_code == 503
    assert json.loads(answer.content) == {
        "ready": False,
        "database": True,
        "workers": 0,
        "stuck": 0,
        "listener": True,
        "watchers": 0,
        "folders": {"all": 0, "offline": 0, "unwatched": 0},
    }


async def _ask() -> HttpResponse:
    answer = await AsyncClient().get("/jobs/health")
    # The thread of the view would keep its connection until the end of the run.
    await sync_to_async(connections.close_all)()
    return answer
