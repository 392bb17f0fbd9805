"""Checks that the log says what it said when it was written, by hashes computed anew outside the database."""

import hashlib
import json
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from events.event import TOMBSTONE

_NO_CHAIN = bytes(32)


@dataclass(frozen=True, slots=True)
class Flaw:
    """An event that is not as it was written: the stream's version, and what is wrong in plain words."""

    stream_id: str
    version: int
    what: str


@dataclass(frozen=True, slots=True)
class _Row:
    version: int
    type: str
    schema_version: int
    event_id: UUID
    data: str
    data_hash: bytes
    chain_hash: bytes
    erasure_recorded: bool


def verify_stream(stream_id: str) -> list[Flaw]:
    """What is wrong with a stream; empty when every event is there and as it was written.

    Events cut off at the end of a stream leave no trace in its own chain.
    """
    flaws: list[Flaw] = []
    version, chain = 0, _NO_CHAIN
    for row in _rows(stream_id):
        flaws += [Flaw(stream_id, row.version, what) for what in _wrong(stream_id, version + 1, row, chain)]
        version, chain = row.version, row.chain_hash
    return flaws


def data_hash(canonical: str) -> bytes:
    """The hash of an event's data; canonical is the text form that PostgreSQL gives a jsonb value."""
    return hashlib.sha256(canonical.encode()).digest()


def chain_hash(previous: bytes, stream_id: str, version: int, name: str, event_id: UUID, of_data: bytes) -> bytes:
    """The hash that ties an event to all before it in its stream; `name` is its type with schema version.

    `previous` is the chain hash before it, 32 zero bytes for the first event of a stream.
    """
    parts = previous + _sized(stream_id) + version.to_bytes(8, "big") + _sized(name) + event_id.bytes + of_data
    return hashlib.sha256(parts).digest()


def _sized(text: str) -> bytes:
    raw = text.encode()
    return len(raw).to_bytes(4, "big") + raw


def _wrong(stream_id: str, expected: int, row: _Row, chain: bytes) -> list[str]:
    wrong = []
    if row.version != expected:
        wrong.append(f"version {expected} is missing before it")
    if json.loads(row.data) == TOMBSTONE:
        if not row.erasure_recorded:
            wrong.append("its data were replaced by a tombstone, but no erasure is on record")
    elif data_hash(row.data) != row.data_hash:
        wrong.append("its data are not those that were recorded")
    name = f"{row.type}.v{row.schema_version}"
    if chain_hash(chain, stream_id, row.version, name, row.event_id, row.data_hash) != row.chain_hash:
        wrong.append("its chain hash does not follow from the event before it")
    return wrong


def _rows(stream_id: str) -> list[_Row]:
    sql = """
        SELECT e.version, e.type, e.schema_version, e.event_id, e.data::text, e.data_hash, e.chain_hash,
               EXISTS (SELECT FROM event_erasure r WHERE r.event_id = e.event_id)
        FROM event e WHERE e.stream_id = %s ORDER BY e.version
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [stream_id])
        return [_Row(*row) for row in cursor.fetchall()]
