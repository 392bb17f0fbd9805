"""One migrated, empty database a test run; all others are clones of it, which take a fraction of a second."""

import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

_RUN = "FILMROLL_TEST_RUN"
_LOCK = 0x46494C54  # "FILT": any number that nobody else takes
_READY = "SELECT 1 FROM pg_database AS d WHERE datname = %s AND shobj_description(d.oid, 'pg_database') = 'ready'"


def begin_run() -> None:
    """Called by the process that starts the others: they share what it names."""
    os.environ[_RUN] = uuid.uuid4().hex[:8]


def end_run() -> None:
    """Drop the database, where the server is not dropped with it."""
    with _server() as server:
        server.execute(f"DROP DATABASE IF EXISTS {_name()} WITH (FORCE)")


def template() -> str:
    """The name of the migrated database; whoever asks first makes it, the others wait."""
    with _server() as server:
        server.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        if server.execute(_READY, [_name()]).fetchone() is None:
            server.execute(f"DROP DATABASE IF EXISTS {_name()} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {_name()}")
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
                cwd=Path(__file__).parents[1],
                env={**os.environ, "DATABASE_URL": url_of(_name())},
                check=True,
            )
            server.execute(f"COMMENT ON DATABASE {_name()} IS 'ready'")
    return _name()


def url_of(name: str) -> str:
    """The address of another database of the tests' server."""
    return make_conninfo(**{**conninfo_to_dict(os.environ["DATABASE_URL"]), "dbname": name})


def _name() -> str:
    return f"template_{os.environ[_RUN]}"


def _server() -> psycopg.Connection[Any]:
    return psycopg.connect(url_of("postgres"), autocommit=True)
