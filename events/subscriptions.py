"""Handlers that follow the log at their own pace, each from its checkpoint, each event exactly once.

    statistics = Subscription("statistics", count_events)  # count_events(events: Sequence[Event]) -> None
    await run(statistics)                                  # until cancelled

A handler is called in the transaction that moves the checkpoint, with events in the order of their positions:
what it writes to the same database appears together with the move, or not at all. Catching up and being live
are one loop: look at the fence, read up to a batch, handle it, and when nothing is left wait to be woken.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from django.db import connection, transaction

from events import listener
from events.delivery import TRANSIENT, Delivery, Handler, Next, Poison, Subscription
from events.errors import SubscriptionError
from events.models import Checkpoint, ParkedStream, State
from events.pulse import pulse
from events.runnerlock import held
from events.store import CHANNEL

__all__ = ["Handler", "Poison", "Subscription", "resume", "resume_stream", "run"]

# Bounds the harm of a lost notification; nothing else depends on it.
SWEEP = 90.0
_FIRST_LOOK, _LAST_LOOK = 0.001, 0.05
_FIRST_RETRY, _LAST_RETRY = 0.1, 5.0

_log = logging.getLogger(__name__)


async def run(subscription: Subscription, partition: int = 0, *, wait: bool = True, sweep: float = SWEEP) -> None:
    """Follow the log until cancelled; a handler in the middle of a batch is let finish.

    One runner works for each partition. A second one waits to take over, or returns at once when `wait` is False.
    Raises SubscriptionError when the subscription is known with another number of partitions.
    """
    if not 0 <= partition < subscription.partitions:
        raise SubscriptionError(f"{subscription.name}: there is no partition {partition}")
    while True:
        async with held(f"{subscription.name}/{partition}", wait) as lost:
            if lost is None:
                return
            async with _worker(Delivery(subscription, partition)) as worker:
                await _until(lost, _follow(worker, sweep))


def resume(name: str) -> int:
    """Let the halted partitions of a subscription try again from where they stand; how many these were."""
    with transaction.atomic():
        halted = Checkpoint.objects.filter(name=name, state=State.HALTED)
        resumed = halted.update(state=State.RUNNING, error="")
        pulse(CHANNEL)
    return resumed


def resume_stream(name: str, stream_id: str) -> None:
    """Let the runner handle the events of a parked stream that were set aside, in order, and then unpark it.

    Raises SubscriptionError when the stream is not parked.
    """
    with transaction.atomic():
        parked = ParkedStream.objects.filter(name=name, stream_id=stream_id)
        if not parked.update(resuming=True):
            raise SubscriptionError(f"{name}: the stream {stream_id} is not parked")
        pulse(CHANNEL)


class _Worker:
    """One thread, and thereby one database connection, for the steps of one delivery."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"subscription-{delivery.subscription.name}")

    async def step(self) -> Next:
        return await asyncio.get_running_loop().run_in_executor(self._executor, self.delivery.step)

    async def disconnect(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._executor, _close_connection)

    def end(self) -> None:
        self._executor.shutdown(wait=False)


@asynccontextmanager
async def _worker(delivery: Delivery) -> AsyncIterator[_Worker]:
    worker = _Worker(delivery)
    try:
        yield worker
    finally:
        # Queued behind a step under way: the lock is given back only when that one has ended.
        await worker.disconnect()
        worker.end()


async def _follow(worker: _Worker, sweep: float) -> None:
    """Steps for as long as there is something to do, else rest until woken."""
    look, retry = _FIRST_LOOK, _FIRST_RETRY
    # The first waking comes once LISTEN is in effect, and one after each reconnect: both are read unconditionally.
    async with listener.shared().subscribe(CHANNEL) as wakings:
        while True:
            try:
                following = await worker.step()
                retry = _FIRST_RETRY
            except TRANSIENT as error:
                name = worker.delivery.subscription.name
                _log.warning("subscription %s waits for the database: %s", name, str(error).strip())
                await worker.disconnect()
                await asyncio.sleep(retry * random.uniform(0.5, 1.0))
                retry = min(retry * 2, _LAST_RETRY)
                continue
            match following:
                case Next.MORE:
                    look = _FIRST_LOOK
                case Next.SOON:
                    # A writer holds the fence back. It may roll back without a word, so this is looked at.
                    await asyncio.sleep(look)
                    look = min(look * 2, _LAST_LOOK)
                case Next.REST:
                    look = _FIRST_LOOK
                    await _rest(wakings, sweep)
                    await asyncio.sleep(worker.delivery.subscription.linger)


async def _rest(wakings: listener.Subscription, sweep: float) -> None:
    try:
        # Not `wait_for`: before Python 3.12 it drops a cancellation that comes together with the waking.
        async with asyncio.timeout(sweep):
            await wakings.wait()
    except TimeoutError:
        _log.debug("nothing was heard for %.0f s: looking anyway", sweep)


async def _until(lost: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do the work until it ends or the lock is lost."""
    tasks = {asyncio.ensure_future(work), asyncio.ensure_future(_wait(lost))}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        task.result()


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


def _close_connection() -> None:
    # A function, since `connection` is another one in each thread.
    connection.close()
