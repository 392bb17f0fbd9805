"""`events status` says who follows the log, how far, and who holds readers back."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import call_command

from events import following as running
from events.lag import lag
from events.subscriptions import Subscription
from tests.events.following import add, following, until

pytestmark = pytest.mark.django_db(transaction=True)


def status() -> list[str]:
    out = StringIO()
    call_command("events", "status", stdout=out)
    return out.getvalue().splitlines()


def refuse(events: object) -> None:
    raise ValueError("no such colour")


def test_subscriptions_that_halted_are_named_with_what_ails_them() -> None:
    position = add("photo-1", 2)[0]
    with following(Subscription("colours", refuse)):
        until(lambda: lag() and lag()[0].error)
    until(lambda: lag()[0].runner is None)
    lines = status()
    assert lines[0].startswith(f"events    2, readable up to position {position + 1:,}")
    assert lines[1] == "seals     Nothing is sealed yet."
    assert lines[2].startswith("colours   halted, 2 events behind (")
    assert lines[2].endswith(", nobody runs it")
    assert "no such colour" in lines[3]


def test_who_holds_readers_back_is_named(beside: Callable[[], psycopg.Connection], monkeypatch: Any) -> None:
    monkeypatch.setattr("events.management.commands.events.safe_position", lambda: 0)
    writer = beside()
    writer.execute("BEGIN; LOCK TABLE event IN ROW EXCLUSIVE MODE")
    assert any(line.startswith(f"held back by process {writer.info.backend_pid} (") for line in status())


def test_the_subscriptions_of_the_settings_run_side_by_side(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio
    import sys
    import types

    seen: list[int] = []
    module = types.ModuleType("subscriptions_of_test")
    module.good = Subscription("good", lambda events: seen.append(len(events)))
    module.many = Subscription("many", lambda _: None, partitions=2)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    settings.EVENT_SUBSCRIPTIONS = ["subscriptions_of_test.good", "subscriptions_of_test.many"]
    add("photo-1", 3)

    async def story() -> None:
        task = asyncio.create_task(running.follow_all())
        while len(await asyncio.to_thread(followed)) < 3:
            assert not task.done()
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])

    def followed() -> list[Any]:
        from django.db import connection

        try:
            return [one for one in lag() if one.runner and not one.behind]
        finally:
            connection.close()

    asyncio.run(story())
    assert seen == [3]
    assert [(one.name, one.partition) for one in lag()] == [("good", 0), ("many", 0), ("many", 1)]


def test_a_subscription_that_fails_is_run_again_and_leaves_the_others_alone(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    import asyncio

    calls: list[str] = []

    async def run(subscription: Subscription, partition: int) -> None:
        calls.append(subscription.name)
        if subscription.name == "bad":
            raise RuntimeError("out of ideas")
        await asyncio.Event().wait()

    monkeypatch.setattr(running, "run", run)
    monkeypatch.setattr(running, "_FIRST_PAUSE", 0.001)
    listed = [Subscription(name, lambda _: None) for name in ("bad", "good")]
    monkeypatch.setattr(running, "all_subscriptions", lambda: listed)

    async def story() -> None:
        task = asyncio.create_task(running.follow_all())
        while calls.count("bad") < 3:
            await asyncio.sleep(0.001)
        assert not task.done() and calls.count("good") == 1
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(story())
