"""What the event store's tests share: an empty log for each test, and connections beside Django's."""

import itertools
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import psycopg
import pytest
from django.db import connections

from events import connecting

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def no_consumers(settings: Any) -> None:
    """The store alone; a test that wants consumers names its own."""
    settings.EVENT_CONSUMERS = []
    settings.EVENT_LIFTS = None


@pytest.fixture(autouse=True)
def fresh_pool() -> None:
    """What threads of earlier tests have borrowed and never given back is missing in their pool."""
    connections["default"].close_pool()


@pytest.fixture
def beside(transactional_db: None) -> Iterator[Callable[[], psycopg.Connection]]:
    """Makes connections of other people to the same database, in autocommit mode."""
    opened: list[psycopg.Connection] = []

    def connect() -> psycopg.Connection:
        opened.append(psycopg.connect(**connecting.parameters("beside"), autocommit=True))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def watcher(beside: Callable[[], psycopg.Connection]) -> psycopg.Connection:
    """One such connection."""
    return beside()


@pytest.fixture
def consumers(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes modules of the given attributes the consumers, in order; the name of each is its own."""
    names: list[str] = []

    def register(name: str, **attributes: Any) -> None:
        # A number, since imports are remembered by name.
        module = ModuleType(f"consumers_of_test_{next(_numbers)}.{name}")
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        names.append(module.__name__)
        settings.EVENT_CONSUMERS = list(names)

    return register
