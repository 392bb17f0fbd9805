"""A program whose child runs a counting subscription, is killed at a random moment, and is replaced, n times.

    python counting_runner.py CONNINFO KILLS          one child after the other
The children are forked from one warm process, so that a kill costs milliseconds. When the last kill is done,
one more child runs until standard input ends. Only `events` is installed: the store needs nothing else.
"""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

sys.path.insert(0, str(Path(__file__).parents[2]))

import django
import psycopg
from django.conf import settings


def configure(conninfo: str) -> None:
    parts = dict(conninfo_to_dict(conninfo))
    entry = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
    }
    settings.configure(DATABASES={"default": entry}, INSTALLED_APPS=["events"], USE_TZ=True)
    django.setup()


def counted(conninfo: str) -> int:
    """How many events the children have counted."""
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("SELECT total FROM counted").fetchone()
    assert row is not None
    return int(row[0])


def start() -> int:
    """A child that runs the subscription; its process number."""
    child = os.fork()
    if child:
        return child
    from django.db import connection

    from events.event import Event
    from events.subscriptions import Subscription, run

    def count(events: Sequence[Event]) -> None:
        with connection.cursor() as cursor:
            for event in events:
                cursor.execute("UPDATE counted SET total = total + 1, checksum = checksum + %s", [event.position])
                cursor.execute("INSERT INTO counted_once VALUES (%s)", [event.position])

    asyncio.run(run(Subscription("counter", count, batch=5)))
    os._exit(1)


def main(conninfo: str, kills: int) -> None:
    configure(conninfo)
    from events import subscriptions  # noqa: F401 (warm before the forks)

    chance = random.Random(4)
    for number in range(kills):
        before = counted(conninfo)
        child = start()
        if number % 2:
            # However slow the machine is, every other one shall have worked when it is killed.
            while counted(conninfo) == before:
                time.sleep(0.005)
        time.sleep(chance.uniform(0.0, 0.2))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    child = start()
    print("killed", flush=True)
    sys.stdin.read()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
