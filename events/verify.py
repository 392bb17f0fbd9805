"""Checks that the log says what it said when it was written, by hashes computed anew outside the database.

Two walks, each in batches, so that memory stays flat. The first goes stream by stream and follows each chain:
it finds events that were changed, forged, taken out of the middle, or put elsewhere. The second goes by position
and compares each block with its seal: it finds what a stream's own chain cannot show, such as a cut-off end.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from events.calling import call
from events.models import Checkpoint, Seal
from events.seals import BLOCK, NAME

_NO_HASH = bytes(32)
_BATCH = 1_000

# Whether a tombstone has its erasure on record; NULL for any other event.
_RECORDED = """
    CASE WHEN e.data = '{"$erased": true}'::jsonb
         THEN EXISTS (SELECT FROM event_erasure r WHERE r.event_id = e.event_id) END
"""
_COLUMNS = f"""e.stream_id, e.version, e.position, e.category, e.type || '.v' || e.schema_version,
    uuid_send(e.event_id), e.data::text, e.data_hash, e.chain_hash, {_RECORDED}"""
_STREAM = f"""
    SELECT {_COLUMNS} FROM event e WHERE e.stream_id = %s AND e.version > %s ORDER BY e.version LIMIT %s::bigint
"""  # noqa: S608
_STREAMS = f"""
    SELECT {_COLUMNS} FROM event e WHERE (e.stream_id, e.version) > (%s, %s::int)
    ORDER BY e.stream_id, e.version LIMIT %s::bigint
"""  # noqa: S608
_BLOCK = """
    SELECT e.position, (extract(epoch FROM e.recorded_at) * 1000000)::bigint, e.meta::text, e.chain_hash
    FROM event e WHERE e.position BETWEEN %s AND %s ORDER BY e.position
"""

Report: TypeAlias = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Flaw:
    """An event that is not as it was written: the stream's version, and what is wrong in plain words."""

    stream_id: str
    version: int
    what: str

    def __str__(self) -> str:
        return f"{self.stream_id} v{self.version}: {self.what}"


@dataclass(frozen=True, slots=True)
class BrokenSeal:
    """A block that is not as it was sealed."""

    number: int
    first: int
    last: int
    what: str

    def __str__(self) -> str:
        return f"block {self.number} (positions {self.first:,} to {self.last:,}): {self.what}"


def verify_stream(stream_id: str) -> list[Flaw]:
    """What is wrong with a stream; empty when every event is there and as it was written.

    Events cut off at the end of a stream leave no trace in its own chain; `verify_seals` finds those.
    """
    return list(_follow_chains(_rows_of(stream_id)))


def verify_streams(report: Report | None = None) -> Iterator[Flaw]:
    """What is wrong with any event, stream by stream; `report` hears how many were checked."""
    return _follow_chains(_all_rows(report))


def verify_seals(report: Report | None = None) -> Iterator[BrokenSeal]:
    """What is wrong with any sealed block; `report` hears how many events were checked."""
    number, last, root, checked = 0, 0, _NO_HASH, 0
    for seal in Seal.objects.iterator(chunk_size=_BATCH):
        broken = [f"the seal {number + 1} before it is missing"] if seal.number != number + 1 else []
        if (seal.first_position, bytes(seal.previous_root)) != (last + 1, root) and not broken:
            broken.append("its seal does not follow from the seal before it")
        events = call(_BLOCK, [seal.first_position, seal.last_position])
        if len(events) != seal.events:
            broken.append(f"{seal.events:,} events were sealed, {len(events):,} are there")
        elif _root(seal, events) != bytes(seal.root):
            broken.append("its events, their order or the seal itself are not as they were sealed")
        yield from (BrokenSeal(seal.number, seal.first_position, seal.last_position, what) for what in broken)
        number, last, root = seal.number, seal.last_position, bytes(seal.root)
        checked += len(events)
        if report is not None:
            report(checked)
    yield from _cut_off(number, last)


def data_hash(canonical: str) -> bytes:
    """The hash of an event's data; canonical is the text form that PostgreSQL gives a jsonb value."""
    return hashlib.sha256(canonical.encode()).digest()


def chain_hash(previous: bytes, stream_id: str, version: int, name: str, event_id: UUID, of_data: bytes) -> bytes:
    """The hash that ties an event to all before it in its stream; `name` is its type with schema version.

    `previous` is the chain hash before it, 32 zero bytes for the first event of a stream.
    """
    return _chained(previous, stream_id, version, name, event_id.bytes, of_data)


def _chained(previous: bytes, stream_id: str, version: int, name: str, event_id: bytes, of_data: bytes) -> bytes:
    parts = previous + _sized(stream_id) + version.to_bytes(8, "big") + _sized(name) + event_id + of_data
    return hashlib.sha256(parts).digest()


def _sized(text: str) -> bytes:
    raw = text.encode()
    return len(raw).to_bytes(4, "big") + raw


def _follow_chains(rows: Iterable[tuple[Any, ...]]) -> Iterator[Flaw]:
    stream, version, position, chain = "", 0, 0, _NO_HASH
    for row in rows:
        if row[0] != stream:
            stream, version, position, chain = row[0], 0, 0, _NO_HASH
        for what in _wrong(row, version, position, chain):
            yield Flaw(stream, row[1], what)
        _, version, position, *_, chain, _ = row


def _wrong(row: tuple[Any, ...], before: int, position_before: int, chain: bytes) -> list[str]:
    stream, version, position, category, name, event_id, data, of_data, of_chain, recorded = row
    wrong = []
    if version != before + 1:
        wrong.append(f"version {before + 1} is missing before it")
    if recorded is False:
        wrong.append("its data were replaced by a tombstone, but no erasure is on record")
    elif recorded is None and data_hash(data) != of_data:
        wrong.append("its data are not those that were recorded")
    if _chained(chain, stream, version, name, event_id, of_data) != of_chain:
        wrong.append("its chain hash does not follow from the event before it")
    if position <= position_before:
        wrong.append("it has a position before that of the version before it")
    if not stream.startswith(category) or category != stream.split("-", 1)[0]:
        wrong.append(f"its category {category!r} is not that of its stream")
    return wrong


def _rows_of(stream_id: str) -> Iterator[tuple[Any, ...]]:
    version = 0
    while rows := call(_STREAM, [stream_id, version, _BATCH]):
        yield from rows
        version = rows[-1][1]


def _all_rows(report: Report | None) -> Iterator[tuple[Any, ...]]:
    stream, version, checked = "", 0, 0
    while rows := call(_STREAMS, [stream, version, _BATCH]):
        yield from rows
        stream, version = rows[-1][:2]
        checked += len(rows)
        if report is not None:
            report(checked)


def _root(seal: Seal, events: Iterable[tuple[int, int, str, bytes]]) -> bytes:
    leaves = hashlib.sha256()
    for position, moment, meta, chain in events:
        of_meta = hashlib.sha256(meta.encode()).digest()
        leaves.update(position.to_bytes(8, "big") + moment.to_bytes(8, "big", signed=True) + of_meta + chain)
    numbers = (seal.number, seal.first_position, seal.last_position, seal.events)
    spelled = b"".join(number.to_bytes(8, "big") for number in numbers)
    return hashlib.sha256(bytes(seal.previous_root) + spelled + leaves.digest()).digest()


def _cut_off(number: int, last: int) -> Iterator[BrokenSeal]:
    """Seals that were made once, by what the sealer says of itself, and are there no more."""
    reached = Checkpoint.objects.filter(name=NAME).values_list("position", flat=True).first() or 0
    [(position, until)] = call(
        "SELECT min(position), max(position) FROM event WHERE position > %s AND position <= %s", [last, reached]
    )
    # The sealer seals a block at the first event that it sees at or after the block's end.
    end = 0 if position is None else ((position - 1) // BLOCK + 1) * BLOCK
    if end and until >= end:
        yield BrokenSeal(number + 1, last + 1, end, "its seal is missing, though it was made once")
