"""Databases of a test's own: on the server of the run, or on a server that the test may stop or kill."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
from django.core.management import call_command
from django.db import connection, connections

from core import database
from events import connecting, pulse

_numbers = itertools.count(1)


@contextmanager
def default_is(**entry: Any) -> Iterator[None]:
    """Let everything in this process, threads included, find another database behind the default alias."""
    settings = connections.settings["default"]
    before = {key: settings[key] for key in entry}
    _disconnect()
    settings.update(entry)
    # Again: a thread may have made a pool for the former database in between.
    _disconnect()
    try:
        yield
    finally:
        _disconnect()
        settings.update(before)
        _disconnect()


def _disconnect() -> None:
    pulse.close()
    connection.close()
    connection.close_pool()


def admin() -> psycopg.Connection:
    """A connection beside Django's, in autocommit mode, to the database that is the default now."""
    return psycopg.connect(**connecting.parameters("admin"), autocommit=True)


@contextmanager
def new_database(migrated: bool = True) -> Iterator[str]:
    """An empty database on the same server, gone when the block ends; it becomes the default if it is migrated."""
    name = f"events_test_{os.getpid()}_{next(_numbers)}"
    with admin() as opened:
        opened.execute(f"CREATE DATABASE {name}")
        try:
            if not migrated:
                yield name
                return
            with default_is(NAME=name):
                call_command("migrate", "events", verbosity=0)
                yield name
        finally:
            opened.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def new_server(folder: Path, **server_settings: str) -> Iterator[database.Embedded]:
    """A running server of one's own, its database the default; the test may stop it, kill it and start it."""
    # PostgreSQL runs as another user, who must be able to walk here.
    for parent in (folder, *list(folder.parents)[:3]):
        parent.chmod(parent.stat().st_mode | 0o011)
    server = database.Embedded(folder / "own", fsync="off", **server_settings)
    server.prepare()
    with patch.dict(os.environ):
        os.environ.pop("DATABASE_URL", None)
        entry = database.configuration(folder / "own")
        try:
            server.start()
            server.wait_until_ready()
            with default_is(**entry):
                call_command("migrate", "events", verbosity=0)
                yield server
        finally:
            server.stop()
