"""What machines ask about health."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from django.http import HttpResponse
from django.test import AsyncClient, Client

from tests.workers.console.conftest import Make

pytestmark = pytest.mark.urls("workers.console.health")


def test_healthz_says_that_the_database_answers(client: Client, db: None) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"database": True})


def test_metrics_count_jobs_and_workers_for_prometheus(client: Client, make: Make, worker: int) -> None:
    make("dead")
    make("running", worker=worker)
    lines = client.get("/metrics").content.decode().splitlines()
    assert 'filmroll_jobs{queue="files",state="dead"} 1' in lines
    assert 'filmroll_jobs{queue="files",state="running"} 1' in lines
    assert "filmroll_workers_alive 1" in lines


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    from tests.workers.console.conftest import sql

    sql("TRUNCATE procrastinate_jobs, procrastinate_workers, procrastinate_events CASCADE")
    yield


def test_readyz_says_no_while_no_worker_lives_and_that_notifications_arrive(committed: None) -> None:
    answer = asyncio.run(_ask())
    assert answer.status_code == 503
    assert json.loads(answer.content) == {
        "ready": False,
        "database": True,
        "workers": 0,
        "stuck": 0,
        "listener": True,
    }


async def _ask() -> HttpResponse:
    return await AsyncClient().get("/readyz")
