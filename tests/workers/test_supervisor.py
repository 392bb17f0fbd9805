"""What the program that keeps the others running does when one of them dies."""

import asyncio
import errno
import os

import psycopg
import pytest
from asgiref.sync import async_to_sync
from django.db import connection

from tests import templates
from workers.actions import PULSE_CHANNEL
from workers.supervisor import Child, Supervisor


@pytest.mark.django_db(transaction=True)
def test_open_pages_look_who_works_when_a_program_has_died(monkeypatch: pytest.MonkeyPatch) -> None:
    where = templates.url_of(connection.settings_dict["NAME"])
    monkeypatch.setattr("workers.supervisor.database.conninfo", lambda _: where)
    child = Child("help", ["help"])  # needs no database, and says nothing to one

    async def scenario() -> None:
        supervisor = Supervisor([child], None)
        async with await psycopg.AsyncConnection.connect(where, autocommit=True) as listening:
            await listening.execute(f"LISTEN {PULSE_CHANNEL}")
            running = asyncio.create_task(supervisor.run())
            assert [note.channel async for note in listening.notifies(timeout=120, stop_after=1)] == [
                PULSE_CHANNEL
            ]
            supervisor.stop()
            await running

    async_to_sync(scenario)()
    assert child.starts >= 1


class Ended:
    """A program that has done its work."""

    returncode = 0

    async def wait(self) -> int:
        return self.returncode


def test_a_program_for_which_there_is_no_memory_just_now_is_started_later(monkeypatch: pytest.MonkeyPatch) -> None:
    child = Child("help", ["help"])
    started: list[str] = []

    async def scenario() -> None:
        supervisor = Supervisor([child], None)

        async def start(_: Child) -> Ended:
            started.append("tried")
            if len(started) < 3:
                raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
            supervisor.stop()
            return Ended()

        monkeypatch.setattr("workers.supervisor._start", start)
        monkeypatch.setattr("workers.supervisor._LEAST_WAIT", 0.01)
        async with asyncio.timeout(60):
            await supervisor.run()

    asyncio.run(scenario())
    assert (len(started), child.starts) == (3, 1)
