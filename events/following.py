"""Runs all subscriptions that EVENT_SUBSCRIPTIONS names, as a part of some long-lived process."""

import asyncio
import logging

from django.conf import settings
from django.utils.module_loading import import_string

from events.delivery import Subscription
from events.errors import SubscriptionError
from events.subscriptions import run

_FIRST_PAUSE, _LAST_PAUSE = 1.0, 60.0

_log = logging.getLogger(__name__)


def all_subscriptions() -> list[Subscription]:
    """The subscriptions of the settings: dotted names of `Subscription` values."""
    return [import_string(name) for name in getattr(settings, "EVENT_SUBSCRIPTIONS", ())]


async def follow_all() -> None:
    """Run every partition of every subscription until cancelled.

    Any number of processes may do this: one runs each partition, the others stand by. What ails one
    subscription is logged and leaves the others, and the process, alone.
    """
    async with asyncio.TaskGroup() as group:
        for subscription in all_subscriptions():
            for partition in range(subscription.partitions):
                group.create_task(_keep_running(subscription, partition), name=f"{subscription.name}/{partition}")
        # Without any subscription this goes on as well, as a part of its process should.
        await asyncio.Event().wait()


async def _keep_running(subscription: Subscription, partition: int) -> None:
    pause = _FIRST_PAUSE
    while True:
        try:
            await run(subscription, partition)
        except SubscriptionError as error:
            _log.error("a subscription cannot run until the process is started anew: %s", error)
            return
        # The outermost edge: a fault in one subscription must not take the process's other work with it.
        except Exception:  # noqa: BLE001
            _log.exception("the subscription %s failed and is run again in %.0f s", subscription.name, pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LAST_PAUSE)
