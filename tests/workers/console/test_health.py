"""What machines ask about health."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpResponse
from django.test import AsyncClient, Client

from tests.workers.console.conftest import Make


def test_metrics_count_jobs_and_workers_for_prometheus(client: Client, make: Make, worker: int) -> None:
    make("dead")
    make("running", worker=worker)
    lines = client.get("/jobs/metrics").content.decode().splitlines()
    assert 'filmroll_jobs{queue="files",state="dead"} 1' in lines
    assert 'filmroll_jobs{queue="files",state="running"} 1' in lines
    assert "filmroll_workers_alive 1" in lines


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
    }


async def _ask() -> HttpResponse:
    answer = await AsyncClient().get("/jobs/health")
    # The thread of the view would keep its connection until the end of the run.
    await sync_to_async(connections.close_all)()
    return answer
