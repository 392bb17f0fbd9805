"""Bulk append beside a bare COPY of the same rows, and the rebuild of a read model beside one event at a time.

The bare COPY takes the same events from the same Python values, makes the same JSON, and writes all of the log's
columns, hashes given, into a table with the log's columns and indexes, without triggers, checks and hashing.
"""

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any
from uuid import uuid4

from tests.bench.bar import Bar
from tests.bench.eventserver import PAYLOAD, server, set_up

_EVENTS, _ROUNDS, _SINGLE = 20_000, 7, 400
_COLUMNS = (
    "recorded_at, version, schema_version, event_id, stream_id, category, type, data, meta, data_hash, chain_hash"
)


def run() -> list[Bar]:
    """The bars of the bulk append and of the rebuild."""
    with server() as url:
        set_up(url)
        return [_bulk(url), _rebuild()]


def _bulk(url: str) -> Bar:
    import psycopg

    from events.bulk import append_bulk
    from events.event import Meta

    meta = Meta(actor="bench")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE bare_copy (LIKE event INCLUDING IDENTITY INCLUDING INDEXES)")
        pairs = []
        # The first round warms up.
        for _ in range(_ROUNDS + 1):
            ours = _rate(append_bulk, _appends(), meta)
            pairs.append((ours, _rate(_bare_copy(connection), _appends(), meta)))
    ratios = [ours / bare for ours, bare in pairs[1:]]
    print(f"bulk: {_EVENTS:,} events in streams of 1 to 3, {_ROUNDS} rounds, medians")
    print(f"  append_bulk  {median(ours for ours, _ in pairs[1:]):8,.0f} /s")
    print(f"  bare COPY    {median(bare for _, bare in pairs[1:]):8,.0f} /s")
    print(f"  ratios {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
    return Bar("events-bulk-to-bare-copy", round(median(ratios), 2), ">=", 0.6, "x")


def _appends() -> list[Any]:
    from events.event import Append, NewEvent
    from events.store import NO_STREAM

    return [
        Append(f"bench-{uuid4()}", NO_STREAM, [NewEvent("bench.rendered", PAYLOAD) for _ in range(1 + number % 3)])
        for number in range(_EVENTS // 2)
    ]


def _bare_copy(connection: Any) -> Callable[..., None]:
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

    def copy(appends: Sequence[Any], meta: Any) -> None:
        now, said, nothing = datetime.now(UTC), encode(meta.as_json()), bytes(32)
        with connection.transaction(), connection.cursor().copy(f"COPY bare_copy ({_COLUMNS}) FROM STDIN") as rows:
            for part in sorted(appends, key=lambda one: one.stream_id):
                for version, event in enumerate(part.events, 1):
                    fixed = (event.event_id, part.stream_id, "bench", event.type, encode(event.data), said)
                    rows.write_row((now, version, 1, *fixed, nothing, nothing))

    return copy


def _rate(write: Callable[..., object], appends: Sequence[Any], meta: Any) -> float:
    begun = time.perf_counter()
    write(appends, meta)
    return sum(len(part.events) for part in appends) / (time.perf_counter() - begun)


def _rebuild() -> Bar:
    """Events a second of a trivial read model that starts anew: in batches, and one event in each transaction."""
    from django.db import connection, models
    from django.db.models import F

    from events.delivery import Delivery, Next, Subscription

    class Total(models.Model):
        events = models.IntegerField(default=0)

        class Meta:
            app_label = "bench"
            db_table = "bench_total"
            managed = False

    def count(events: Sequence[Any]) -> None:
        Total.objects.filter(id=1).update(events=F("events") + len(events))

    def rate(batch: int, most: int) -> float:
        Total.objects.update_or_create(id=1, defaults={"events": 0})
        delivery = Delivery(Subscription(f"totals-{uuid4()}", count, batch=batch))
        begun = time.perf_counter()
        steps = 0
        while delivery.step() is Next.MORE and steps * batch < most:
            steps += 1
        return Total.objects.get(id=1).events / (time.perf_counter() - begun)

    with connection.schema_editor() as editor:
        editor.create_model(Total)
    pairs = [(rate(500, 40_000), rate(1, _SINGLE)) for _ in range(3)]
    ratios = [many / one for many, one in pairs]
    print(f"rebuild: {median(many for many, _ in pairs):,.0f} /s in batches of 500,", end=" ")
    print(f"{median(one for _, one in pairs):,.0f} /s one by one; ratios {', '.join(f'{r:.0f}' for r in ratios)}")
    return Bar("events-rebuild-to-one-by-one", round(median(ratios), 1), ">=", 30, "x")
