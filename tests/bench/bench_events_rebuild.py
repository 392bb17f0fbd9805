"""How fast a trivial read model is rebuilt, beside one event a transaction, and what writers wait.

Both take turns on one server that syncs to disk; only their ratio counts.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.bar import Bar

_EVENTS, _SINGLY, _ROUNDS = 10_000, 500, 3


def run() -> list[Bar]:
    """The bars of a replay."""
    from core import database

    kept = os.environ.pop("DATABASE_URL", None)
    try:
        with tempfile.TemporaryDirectory(prefix="filmroll-bench-") as name:
            folder = Path(name)
            folder.chmod(0o755)
            with database.running(folder):
                told = _measured(database.conninfo(folder))
    finally:
        if kept is not None:
            os.environ["DATABASE_URL"] = kept
    ratio = median(filled / single for filled, single in zip(told["filled"], told["single"], strict=True))
    print(f"{_EVENTS:,} events into one table, {_ROUNDS} rounds, medians")
    print(f"  one event a transaction   {median(told['single']):8,.0f} /s")
    print(f"  replay by handlers        {median(told['handled']):8,.0f} /s")
    print(f"  replay by FILL            {median(told['filled']):8,.0f} /s")
    return [
        Bar("events-rebuild-to-one-a-transaction", round(ratio, 1), ">=", 30),
        Bar("events-rebuild-writers-held-back", round(max(told["held"]) * 1000, 1), "<=", 500, "ms"),
    ]


def _measured(url: str) -> dict[str, list[float]]:
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "core.settings"}
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "events", "--verbosity", "0"], check=True, env=environment
    )
    done = subprocess.run([sys.executable, "-m", __name__], check=True, env=environment, stdout=subprocess.PIPE)
    told: dict[str, list[float]] = json.loads(done.stdout)
    return told


def _child() -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection, models, transaction

    from events.event import Append, Event, NewEvent
    from events.fence import read_between
    from events.replay import replay
    from events.store import NO_STREAM, append_many

    class Rating(models.Model):
        id = models.BigIntegerField(primary_key=True)
        stars = models.IntegerField()

        class Meta:
            app_label = "bench"
            db_table = "bench_rating"
            managed = False

    def handle(event: Event) -> None:
        Rating.objects.create(id=event.position, stars=event.data["stars"])

    def fill(events: list[Event]) -> None:
        Rating.objects.bulk_create(Rating(id=event.position, stars=event.data["stars"]) for event in events)

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_rating (id bigint PRIMARY KEY, stars int NOT NULL)")
        cursor.execute("CREATE TABLE bench_place (position bigint)")
        cursor.execute("INSERT INTO bench_place VALUES (0)")
    settings.EVENT_CONSUMERS = []
    for start in range(0, _EVENTS, 1000):
        rated = [[NewEvent("photo.rated", {"stars": n % 6}) for n in range(10)] for _ in range(100)]
        append_many([Append(f"photo-{start + n}", NO_STREAM, events) for n, events in enumerate(rated)])
    module: Any = types.ModuleType("bench.ratings")
    module.TABLES, module.HANDLERS = (Rating,), {"photo.rated": handle}
    sys.modules[module.__name__] = module
    settings.EVENT_CONSUMERS = [module.__name__]

    def singly() -> float:
        Rating.objects.all().delete()
        events = read_between(0, 2**62, _SINGLY)
        began = time.monotonic()
        for event in events:
            with transaction.atomic(), connection.cursor() as cursor:
                handle(event)
                cursor.execute("UPDATE bench_place SET position = %s", [event.position])
        return len(events) / (time.monotonic() - began)

    told: dict[str, list[float]] = {"single": [], "handled": [], "filled": [], "held": []}
    for _ in range(_ROUNDS):
        told["single"].append(singly())
        vars(module).pop("FILL", None)
        handled = replay()
        module.FILL = fill
        filled = replay()
        told["handled"].append(handled.rate)
        told["filled"].append(filled.rate)
        told["held"] += [handled.held_back, filled.held_back]
    print(json.dumps(told))


if __name__ == "__main__":
    _child()
