"""Runs subscriptions in the background of a test, and waits for what they do."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from events.event import Event, NewEvent
from events.store import ANY, append
from events.subscriptions import Subscription, run


@contextmanager
def following(subscription: Subscription, **options: Any) -> Iterator[None]:
    """The subscription runs inside the block, in a thread with an event loop of its own."""
    ready = threading.Event()
    state: dict[str, Any] = {}

    async def story() -> None:
        state["loop"], state["task"] = asyncio.get_running_loop(), asyncio.current_task()
        ready.set()
        await run(subscription, **options)

    def work() -> None:
        try:
            asyncio.run(story())
        except asyncio.CancelledError:
            pass
        except Exception as error:  # noqa: BLE001 (raised again in the test's thread)
            state["error"] = error

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(60)
    try:
        yield
    finally:
        if thread.is_alive():
            state["loop"].call_soon_threadsafe(state["task"].cancel)
        thread.join(60)
        assert not thread.is_alive()
        if "error" in state:
            raise state["error"]


# Costs nothing where what is waited for comes about, and is less than a subscription's own sweep.
PATIENCE = 60.0


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> float:
    """Wait for a condition; how long it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it did not come about in time"
        time.sleep(0.005)
    return time.monotonic() - began


def add(stream_id: str, count: int = 1, **data: Any) -> list[int]:
    """Append events to a stream; their positions."""
    return list(append(stream_id, ANY, [NewEvent("test.done", data) for _ in range(count)]).positions)


def seen_by(seen: list[Event]) -> list[int]:
    return [event.position for event in seen]
