"""The worker process: lanes on one event loop, woken through one listening connection, stopped in good order."""

import asyncio
import os
import signal
import time
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import psycopg_pool
import structlog
from django.db import DatabaseError, close_old_connections
from procrastinate.app import App
from procrastinate.contrib.django import app as django_app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException
from procrastinate.psycopg_connector import PsycopgConnector

from events import listener
from events.following import follow_all
from workers import attempts, children
from workers.actions import STOP_CHANNEL
from workers.disks import note_disks
from workers.flow import roll_up
from workers.lanes import LANES
from workers.laneworker import LaneWorker
from workers.presence import Presence
from workers.rebuilding import take_up
from workers.schedules import ensure_schedules
from workers.sweep import AFTER_RESTART_SECONDS, sweep_lost_jobs

# One for each queue: were it one for all, each photo would have every lane look for jobs that are none of its.
_JOBS_CHANNEL = "procrastinate_queue_v1#"
PULSE_CHANNEL = "filmroll_jobs"
# Together under eight seconds: what runs may end, then goes back to the queue.
GRACE_SECONDS = 4.0
_PARTS_SECONDS = 1.0
# All steps of the stop share this, so that on a slow machine the first, which gives the jobs back, may have most.
_CLOSING_SECONDS = 2.8
_LEAST_SECONDS = 0.1
_PULSE_SECONDS = 0.2
_log = structlog.get_logger(__name__)


async def run_worker(lanes: Sequence[str] = tuple(LANES)) -> None:
    """Run these lanes until SIGTERM or SIGINT; a second signal ends the process at once.

    Raises KeyError for an unknown lane, and whatever stops a worker from starting. When it returns, every job
    is either ended or back in the queue, though threads of the latter may still be at it.
    """
    connector = _connector(lanes)
    with django_app.replace_connector(connector) as app:
        app.perform_import_paths()  # type: ignore[no-untyped-call]
        async with app.open_async():
            await _Process(app, connector, lanes).run()


def _connector(lanes: Sequence[str]) -> PsycopgConnector:
    slots = sum(LANES[name].concurrency for name in lanes)
    # Autocommit: each of the worker's statements is one call of one function, a transaction by itself.
    return PsycopgConnector(
        kwargs={**connector_params(), "autocommit": True},
        pool_factory=_pool,
        min_size=1,
        max_size=min(8, slots + len(lanes)),
        timeout=5.0,
        # Gives up soon, so that the next request tries anew: waiting doubles, up to minutes after an outage.
        reconnect_timeout=4.0,
    )


def _pool(**options: Any) -> "psycopg_pool.AsyncConnectionPool[Any]":
    # A check before each use would double the round trips; the lanes try again when a connection turns out dead.
    return psycopg_pool.AsyncConnectionPool(**{**options, "check": None})


class _Threads(ThreadPoolExecutor):
    """Threads for sync tasks. The loop's end does not wait for them: their jobs are back in the queue by then."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        super().shutdown(wait=False, cancel_futures=cancel_futures)


class _Process:
    """What the lanes of one process share: the stop, the wake-up, the pulse for live pages, the sweep."""

    def __init__(self, app: App, connector: PsycopgConnector, lanes: Sequence[str]) -> None:
        chosen = {name: LANES[name] for name in lanes}
        self.connector = connector
        self.presence = Presence(chosen, self.sweep, self.compare)
        self.changed = asyncio.Event()
        self.worked = asyncio.Event()
        self.stopping = asyncio.Event()
        self.workers = [
            LaneWorker(app, connector, name, lane, self.presence, self.changed.set)
            for name, lane in chosen.items()
        ]

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        slots = sum(worker.concurrency for worker in self.workers)
        # The loop's own default has six threads on two cores, whatever the lanes' numbers.
        loop.set_default_executor(_Threads(slots + 4, thread_name_prefix="job"))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        await self.presence.arrive()
        await asyncio.to_thread(_take_up_in_thread, "operations" in self.presence.ids)
        if "scan" in self.presence.ids:
            # Not waited for: a network disk that does not answer holds up whoever asks.
            loop.run_in_executor(None, _note_disks_in_thread)
        _log.info("worker started", lanes={worker.lane_name: worker.concurrency for worker in self.workers})
        await self._serve()
        await self._close()

    def stop(self) -> None:
        """First signal: in good order. Second: at once; the sweep gives the jobs back."""
        if self.stopping.is_set():
            os._exit(1)
        self.stopping.set()

    async def sweep(self) -> None:
        """Look for jobs of workers that are gone."""
        try:
            await asyncio.to_thread(_sweep_in_thread)
        except DatabaseError as error:
            _log.warning("the sweep waits for the database", error=str(error).strip())

    def compare(self, held: set[int]) -> None:
        """Jobs that the database takes for running here, and that no lane runs, are looked for by each lane."""
        if held - {job_id for worker in self.workers for job_id in worker.running_ids}:
            for worker in self.workers:
                worker.doubt()

    async def _serve(self) -> None:
        """Until told to stop. Raises what ended any of the parts: a process without one of them is of no use."""
        parts = {asyncio.create_task(part) for part in self._parts()}
        stop = asyncio.create_task(self.stopping.wait())
        try:
            done, _ = await asyncio.wait({stop, *parts}, return_when=asyncio.FIRST_COMPLETED)
            for part in done - {stop}:
                part.result()
        finally:
            for worker in self.workers:
                worker.stop()
            for part in parts:
                part.cancel()
            await asyncio.wait(parts, timeout=_PARTS_SECONDS)

    def _parts(self) -> list[Coroutine[Any, Any, None]]:
        lanes = [worker.run() for worker in self.workers]
        listening = [self._listen(worker, queue) for worker in self.workers for queue in worker.served_queues]
        return [
            *lanes,
            *listening,
            self.presence.stay(),
            self._listen_for_stops(),
            self._pulse(),
            self._roll_up(),
            self._sweep_early(),
            follow_all(),
        ]

    async def _listen(self, worker: LaneWorker, queue: str) -> None:
        async with listener.shared().subscribe(_JOBS_CHANNEL + queue) as wakings:
            async for _ in wakings:
                worker.wake()

    async def _listen_for_stops(self) -> None:
        async with listener.shared().subscribe(STOP_CHANNEL) as wakings:
            async for _ in wakings:
                for worker in self.workers:
                    try:
                        await worker.stop_asked()
                    except ConnectorException:
                        _log.debug("nobody is stopped: the database is away")

    async def _pulse(self) -> None:
        """Tell the open pages that something changed, a few times a second at most."""
        while True:
            await self.changed.wait()
            self.changed.clear()
            self.worked.set()
            try:
                await attempts.notify(self.connector, PULSE_CHANNEL)
            except ConnectorException:
                _log.debug("no pulse: the database is away")
            await asyncio.sleep(_PULSE_SECONDS)

    async def _roll_up(self) -> None:
        """Bring the overview's figures up to date, once for each minute in which there was work."""
        while True:
            await self.worked.wait()
            await asyncio.sleep(61 - time.time() % 60)
            self.worked.clear()
            try:
                await asyncio.to_thread(_roll_up_in_thread)
            except DatabaseError as error:
                _log.warning("the figures wait for the database", error=str(error).strip())

    async def _sweep_early(self) -> None:
        """At the start, for the worker that ran here before may have been killed; and once more, for right
        after a restart of the database nobody's absence can be told yet."""
        for pause in (0, AFTER_RESTART_SECONDS + 5):
            await asyncio.sleep(pause)
            await self.sweep()
        # A part that ends is a fault; this one is done.
        await asyncio.Event().wait()

    async def _close(self) -> None:
        running = {task for worker in self.workers for task in worker.running}
        if running:
            _log.info("waiting for what runs", jobs=len(running), seconds=GRACE_SECONDS)
            await asyncio.wait(running, timeout=GRACE_SECONDS)
        over = time.monotonic() + _CLOSING_SECONDS
        for worker in self.workers:
            # Also with nothing running: a fetch that the stop cut off may have taken a job all the same.
            # First the jobs, then the children: their errors come too late to count as failed attempts.
            if handed := await _within(_until(over), worker.hand_back()):
                _log.info("back in the queue", lane=worker.lane_name, jobs=handed)
        await _within(_until(over), asyncio.to_thread(children.stop))
        await _within(_until(over), attempts.notify(self.connector, PULSE_CHANNEL))
        await _within(_until(over), self.presence.leave())
        _log.info("worker stopped")


def _until(over: float) -> float:
    """What is left of the time for the stop; each step may at least try."""
    return max(over - time.monotonic(), _LEAST_SECONDS)


async def _within(seconds: float, step: Coroutine[Any, Any, Any]) -> Any:
    """A step of the stop: bounded, and never in the way of the next one."""
    try:
        # Not wait_for: on Python 3.11 it may swallow a cancellation that comes together with the step's end.
        async with asyncio.timeout(seconds):
            return await step
    except (TimeoutError, ConnectorException, psycopg.Error, OSError) as error:
        _log.warning("a step of the stop did not end well", error=repr(error))
        return None


def _sweep_in_thread() -> None:
    close_old_connections()
    try:
        sweep_lost_jobs()
    finally:
        close_old_connections()


def _take_up_in_thread(schedules: bool) -> None:
    close_old_connections()
    try:
        take_up()
        if schedules:
            ensure_schedules()
    finally:
        close_old_connections()


def _note_disks_in_thread() -> None:
    close_old_connections()
    try:
        note_disks()
    except (DatabaseError, OSError) as error:
        _log.warning("the disks below the folders were not noted", error=str(error).strip())
    finally:
        close_old_connections()


def _roll_up_in_thread() -> None:
    close_old_connections()
    try:
        roll_up()
    finally:
        close_old_connections()
