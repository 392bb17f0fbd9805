"""What the event store's tests share: a way to watch a channel, and servers to be hard on."""

from collections.abc import Iterator

import psycopg
import pytest

from events import connecting, pulse


@pytest.fixture
def watcher(transactional_db: None) -> Iterator[psycopg.Connection]:
    """A connection beside Django's, in autocommit mode, to the same database."""
    with psycopg.connect(**connecting.parameters("watcher"), autocommit=True) as connection:
        yield connection
    pulse.close()
