"""Says that this process's workers live, in a way that ends with the process: session locks, and a slow heartbeat.

Each worker (one a lane) holds an advisory lock with its id for key, on one connection of the process. When the
process is killed, the server drops the locks at once, and the sweep sees it. The heartbeat is for the case
that the server cannot see: a machine that went away without a word.
"""

import asyncio
import contextlib
import importlib.metadata
import os
import socket
import tomllib
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any

import psycopg
import structlog
from django.conf import settings
from psycopg.types.json import Jsonb

from events import connecting
from workers.actions import PULSE_CHANNEL
from workers.lanes import Lane

# Half of each lock's key; the other half is the worker's id. "FILM" in ASCII.
LOCK_CLASS = 0x46494C4D
HEARTBEAT = 60.0
_RETRY_SECONDS = (0.1, 0.3, 1.0, 2.0)
_log = structlog.get_logger(__name__)

_REGISTER = "INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id"
_LOCK = "SELECT pg_advisory_lock(%s, %s::int)"
_TRY_LOCK = "SELECT pg_try_advisory_lock(%s, %s::int)"
_INTRODUCE = """
INSERT INTO worker_info (worker_id, name, host, pid, version, queue_version, queues, concurrency, waiting,
                         memory, started_at)
VALUES (%(id)s, %(name)s, %(host)s, %(pid)s, %(version)s, %(queue_version)s, %(queues)s, %(concurrency)s, '{}',
        %(memory)s, now())
"""
_BEAT = """
WITH beaten AS (UPDATE procrastinate_workers SET last_heartbeat = now() WHERE id = ANY(%(ids)s) RETURNING id),
     weighed AS (UPDATE worker_info SET memory = %(memory)s WHERE worker_id = ANY(%(ids)s))
SELECT ARRAY(SELECT id FROM beaten) AS beaten,
       EXISTS (SELECT 1 FROM procrastinate_jobs
                WHERE status = 'doing' AND (worker_id IS NULL OR worker_id <> ALL(%(ids)s))) AS others_busy,
       ARRAY(SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = ANY(%(ids)s)) AS held
"""
_LEAVE = "DELETE FROM procrastinate_workers WHERE id = ANY(%s)"
_GOODBYE = "UPDATE worker_info SET ended_at = now() WHERE worker_id = ANY(%s)"


class Presence:
    """The registration of one worker process: a worker id for each of its lanes.

    `others_busy` is called after a heartbeat that saw jobs running under workers that are not of this process;
    `holds`, after each, with the jobs that the database believes to be running in it.
    """

    def __init__(
        self,
        lanes: Mapping[str, Lane],
        others_busy: Callable[[], Awaitable[None]],
        holds: Callable[[set[int]], None],
    ) -> None:
        self.ids: dict[str, int] = {}
        self._lanes = lanes
        self._others_busy = others_busy
        self._holds = holds
        self._unlocked: set[int] = set()
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._stirred = asyncio.Event()

    async def arrive(self) -> None:
        """Register every lane. Raises psycopg.Error when the database is away."""
        self._connection = await self._connect()
        for name in self._lanes:
            await self._register(self._connection, name)
        await self._have_pages_look(self._connection)

    async def stay(self) -> None:
        """Keep the locks and the heartbeat going, over any loss of the connection, until cancelled."""
        failures = 0
        while True:
            try:
                if self._connection is None:
                    self._connection = await self._connect()
                    await self._beat(self._connection)
                    await self._have_pages_look(self._connection)
                failures = 0
                await self._rest(self._connection)
                await self._beat(self._connection)
            except (psycopg.Error, OSError) as error:
                failures += 1
                _log.warning("the worker lost the database and goes on when it is back", error=str(error).strip())
                await self._hang_up()
                await asyncio.sleep(_RETRY_SECONDS[min(failures, len(_RETRY_SECONDS)) - 1])

    def doubt(self) -> None:
        """Look now whether the database still knows these workers."""
        self._stirred.set()

    async def leave(self) -> None:
        """Sign off: nobody has to sweep after this process."""
        if self._connection is not None:
            ids = list(self.ids.values())
            await self._connection.execute(_LEAVE, [ids])
            await self._connection.execute(_GOODBYE, [ids])
            await self._have_pages_look(self._connection)
        await self._hang_up()

    async def _connect(self) -> psycopg.AsyncConnection[Any]:
        connection = await psycopg.AsyncConnection.connect(**connecting.parameters("worker"), autocommit=True)
        # The locks of the former connection went with it.
        self._unlocked = set(self.ids.values())
        return connection

    async def _have_pages_look(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Open pages show who works: they would say for long that nobody does."""
        await connection.execute(f"NOTIFY {PULSE_CHANNEL}")

    async def _register(self, connection: psycopg.AsyncConnection[Any], name: str) -> None:
        lane = self._lanes[name]
        # In one transaction: nobody sees the row before its lock is held.
        async with connection.transaction():
            row = await (await connection.execute(_REGISTER)).fetchone()
            assert row is not None
            await connection.execute(_LOCK, [LOCK_CLASS, row[0]])
            about = {
                "id": row[0],
                "name": name,
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "version": product_version(),
                "queue_version": importlib.metadata.version("procrastinate"),
                "queues": Jsonb(list(lane.queues)),
                "concurrency": lane.concurrency,
                "memory": _memory(),
            }
            await connection.execute(_INTRODUCE, about)
        self.ids[name] = row[0]

    async def _beat(self, connection: psycopg.AsyncConnection[Any]) -> None:
        await self._lock_again(connection)
        cursor = await connection.execute(_BEAT, {"ids": list(self.ids.values()), "memory": _memory()})
        row = await cursor.fetchone()
        assert row is not None
        for name in [name for name, worker_id in self.ids.items() if worker_id not in row[0]]:
            _log.warning("this worker was taken for dead and registers anew", lane=name)
            await self._register(connection, name)
        self._holds(set(row[2]))
        if row[1]:
            await self._others_busy()

    async def _lock_again(self, connection: psycopg.AsyncConnection[Any]) -> None:
        for worker_id in sorted(self._unlocked):
            # Not waited for: a former connection that died in silence may hold it for a while, which serves too.
            row = await (await connection.execute(_TRY_LOCK, [LOCK_CLASS, worker_id])).fetchone()
            if row is not None and row[0]:
                self._unlocked.discard(worker_id)

    async def _rest(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Until the next heartbeat, or the connection stirs (its end can be read), or somebody doubts."""
        loop, file = asyncio.get_running_loop(), connection.fileno()
        loop.add_reader(file, self._stirred.set)
        try:
            async with asyncio.timeout(HEARTBEAT):
                await self._stirred.wait()
        except TimeoutError:
            pass
        finally:
            loop.remove_reader(file)
            self._stirred.clear()

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


@cache
def product_version() -> str:
    """Filmroll's own version: it runs from its folder, not as an installed package."""
    told = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())
    return str(told["project"]["version"])


def _memory() -> int:
    """Bytes that this process and its children hold."""
    import psutil  # of all programs the workers alone need it

    this = psutil.Process()
    held = 0
    for process in (this, *this.children(recursive=True)):
        with contextlib.suppress(psutil.Error):  # a child that has just ended
            held += int(process.memory_info().rss)
    return held
