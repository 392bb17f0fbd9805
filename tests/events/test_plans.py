"""The store's real statements on a large log: each uses an index and touches few pages.

The statements are caught on their way to the server, then explained under both kinds of plan: the one made for
the parameters, and the generic one that a prepared statement may be given after some uses.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from uuid import UUID

import psycopg
import pytest
from psycopg._queries import PostgresQuery
from psycopg.adapt import Transformer

from events import calling
from events.delivery import Delivery
from events.erasure import erase
from events.event import Append, NewEvent
from events.fence import read_between
from events.lag import fence_holder, lag
from events.models import Checkpoint
from events.store import ANY, append, append_many, read_stream, safe_position
from events.subscriptions import Subscription
from tests.events.elsewhere import admin, new_database

pytestmark = pytest.mark.django_db(transaction=True)

# As many streams as rows / 10, and one of 5,000; one category in a thousand rows is rare.
FILL = """
    INSERT INTO event (recorded_at, version, schema_version, event_id, stream_id, category, type, data, meta,
        data_hash, chain_hash)
    SELECT now(),
           CASE WHEN n % 200 = 0 THEN n / 200 ELSE row_number() OVER (PARTITION BY stream ORDER BY n) END,
           1, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
           CASE WHEN n % 200 = 0 THEN 'photo-long' ELSE stream END,
           split_part(stream, '-', 1), 'photo.rated', '{"stars": 5}', '{"actor": "system"}',
           sha256('{"stars": 5}'), sha256(int4send(n))
    FROM (
        SELECT n, (CASE WHEN n % 1000 = 7 THEN 'album-' ELSE 'photo-' END)
            || n * 7919::bigint % (%(rows)s / 10) AS stream
        FROM generate_series(1, %(rows)s) AS n
    ) AS numbered
    ORDER BY n
"""


@dataclass(frozen=True)
class Plan:
    """What the server did: the indexes it read, and what it should not have done."""

    nodes: tuple[str, ...]
    indexes: frozenset[str]
    pages: int

    def __str__(self) -> str:
        return f"{self.pages} pages, {', '.join(sorted(self.indexes)) or 'no index'}"


@contextmanager
def caught() -> Iterator[list[tuple[str, Sequence[Any]]]]:
    """The statements that the store sends meanwhile."""
    statements: list[tuple[str, Sequence[Any]]] = []

    class Catching(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            statements.append((query, params or ()))
            return super().execute(query, params, **options)

    with patch.object(calling.psycopg, "Cursor", Catching):
        yield statements


def explain(asking: psycopg.Connection, statement: str, parameters: Sequence[Any], mode: str) -> Plan:
    """Run a statement under a mode of planning, and undo it."""
    query = PostgresQuery(Transformer(asking))
    query.convert(statement, parameters)
    asking.execute("BEGIN")
    asking.execute(f"SET LOCAL plan_cache_mode = {mode}")
    asking.execute(b"PREPARE explained AS " + query.query)
    marks = f"({', '.join(['%s'] * len(parameters))})" if parameters else ""
    with psycopg.ClientCursor(asking) as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE explained{marks}", parameters)
        [(explained,)] = cursor.fetchall()
    assert scans(asking) == 0, f"{statement} reads the whole table"
    asking.execute("ROLLBACK")
    asking.execute("DEALLOCATE explained")
    return read_plan((json.loads(explained) if isinstance(explained, str) else explained)[0]["Plan"])


def scans(asking: psycopg.Connection) -> int:
    """How often this transaction has read the table from end to end, inside functions too."""
    sql = "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'event'"
    [(count,)] = asking.execute(sql)
    return int(count)


def read_plan(top: dict[str, Any]) -> Plan:
    nodes = list(_walk(top))
    return Plan(
        nodes=tuple(f"{node['Node Type']} {node.get('Relation Name', '')}".strip() for node in nodes),
        indexes=frozenset(node["Index Name"] for node in nodes if "Index Name" in node),
        pages=top["Shared Hit Blocks"] + top["Shared Read Blocks"],
    )


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for part in node.get("Plans", ()):
        yield from _walk(part)


def known_id(number: int) -> UUID:
    return UUID(f"00000000-0000-7000-8000-{number:012x}")


def new(count: int = 1) -> list[NewEvent]:
    return [NewEvent("photo.rated", {"stars": 5}) for _ in range(count)]


def questions(rows: int) -> dict[str, tuple[Callable[[], object], int, set[str]]]:
    """What is asked, the most pages that it may touch, and the indexes that serve it."""
    key, streams, ids = "event_pkey", "event_stream_version", "event_event_id"
    again = [NewEvent("photo.rated", {"stars": 5}, event_id=known_id(5))]
    first = f"photo-{5 * 7919 % (rows // 10)}"
    last = rows

    def partition() -> object:
        return Delivery(Subscription("parts", list, partitions=4), 1)._read(rows // 2, last)

    return {
        "a short stream": (lambda: read_stream(f"photo-{7919 % (rows // 10)}"), 60, {streams}),
        "the end of a long stream": (lambda: read_stream("photo-long", rows // 200 - 20), 60, {streams}),
        "a page of a long stream": (lambda: read_stream("photo-long", 50, 50), 90, {streams}),
        "all, from the beginning": (lambda: read_between(0, last, 500), 60, {key}),
        "all, in the middle": (lambda: read_between(rows // 2, last, 500), 60, {key}),
        "all, slightly behind": (lambda: read_between(last - 100, last, 500), 60, {key}),
        "all, with nothing new": (lambda: read_between(last, last, 500), 10, {key}),
        "a frequent category": (lambda: read_between(rows // 2, last, 500, ["photo"]), 60, {key}),
        # No index of its own: each costs every append. 20 of these are in the 20,000 events that are read.
        "a rare category": (lambda: read_between(rows // 4, rows // 4 + 20_000, 20, ["album"]), 1_500, {key}),
        "a partition": (partition, 200, {key}),
        "lag": (lag, 150, {key}),
        "an append": (lambda: append("photo-1", ANY, new()), 40, set()),
        "an append to a new stream": (lambda: append("photo-new", 0, new()), 40, set()),
        "an append to a long stream": (lambda: append("photo-long", rows // 200, new(10)), 80, set()),
        "an append of a hundred": (lambda: append("photo-1", ANY, new(100)), 600, set()),
        "an append that was made before": (
            lambda: append(first, ANY, again),
            60,
            {ids},
        ),
        "an append to many": (
            lambda: append_many([Append(f"photo-{number}", ANY, new()) for number in range(10)]),
            350,
            set(),
        ),
        "an erasure": (lambda: erase([known_id(9)], "somebody", "asked to"), 40, set()),
        "the fence": (lambda: (safe_position(), fence_holder()), 40, set()),
    }


MILLION = pytest.param(1_000_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])


@pytest.mark.parametrize("statistics", [True, False], ids=["analysed", "grown since"])
@pytest.mark.parametrize("rows", [30_000, MILLION])
def test_every_statement_finds_its_rows_by_an_index_and_touches_few_pages(rows: int, statistics: bool) -> None:
    with new_database(), admin() as asking:
        asking.execute("ALTER TABLE event DISABLE TRIGGER USER")
        with psycopg.ClientCursor(asking) as cursor:
            cursor.execute(FILL.replace("% ", "%% "), {"rows": rows})
        asking.execute("ALTER TABLE event ENABLE TRIGGER USER")
        asking.execute("VACUUM ANALYZE event" if statistics else "VACUUM event")
        for name, position in (("behind", 0), ("there", rows)):
            Checkpoint.objects.create(name=name, position=position)
        for name, (ask, pages, indexes) in questions(rows).items():
            with caught() as statements:
                ask()
            assert statements, name
            for mode in ("force_custom_plan", "force_generic_plan"):
                # Once before: a session that meets a table or a function for the first time reads the catalogue.
                for statement in statements:
                    explain(asking, *statement, mode)
                plans = [explain(asking, *statement, mode) for statement in statements]
                found = frozenset().union(*(plan.indexes for plan in plans))
                touched = max(plan.pages for plan in plans)
                print(f"{name}, {mode}: {'; '.join(map(str, plans))}")
                assert touched <= pages, (name, mode, plans)
                assert indexes <= found, (name, mode, plans)
                if indexes == {"event_pkey"} and name != "lag":
                    assert not any("Bitmap" in node for plan in plans for node in plan.nodes)
