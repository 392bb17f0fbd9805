"""Where the database is: the one that DATABASE_URL names, or PostgreSQL run by Filmroll itself."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from core.cluster import socket_folder
from core.environment import setting
from core.postmaster import EMBEDDED_NAME
from core.postmaster import Embedded as Embedded  # known here by this name


def cores() -> int:
    """Processor cores that this process may use, at least 1."""
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def kept_secret(path: Path) -> str:
    """A random key, made on first use and kept in a file that only its owner may read.

    Raises ImproperlyConfigured when the folder cannot be used.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _keep(path, secrets.token_urlsafe(50))
        return path.read_text()
    except OSError as error:
        raise ImproperlyConfigured(f"The data folder {path.parent} cannot be used: {error.strerror}.") from error


def _keep(path: Path, text: str) -> None:
    """Of processes that start together one writes the file; it appears whole or not at all."""
    making = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    with contextlib.suppress(FileExistsError):
        os.link(making, path)
    making.unlink()


def is_embedded() -> bool:
    """Whether Filmroll runs PostgreSQL itself."""
    return not setting("DATABASE_URL")


def conninfo(data_dir: Path) -> str:
    """The libpq connection string of the database in use."""
    return str(setting("DATABASE_URL")) or make_conninfo(
        host=str(socket_folder(data_dir / "postgres")), user="postgres", dbname=EMBEDDED_NAME
    )


def configuration(data_dir: Path) -> dict[str, Any]:
    """Django's DATABASES entry for the database in use."""
    parts: dict[str, Any] = dict(conninfo_to_dict(conninfo(data_dir)))
    named = {
        key.upper(): str(parts.pop(name, "") or "")
        for key, name in {"name": "dbname", "user": "user", "password": "password"}.items()
    }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": str(parts.pop("host", "") or ""),
        "PORT": str(parts.pop("port", "") or ""),
        **named,
        # The pool checks each connection before it lends it: a restarted server costs no error.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **parts,
            "application_name": parts.get("application_name") or "filmroll",
            # Django turns prepared statements off for the sake of external poolers; ours are direct.
            "prepare_threshold": 5,
            # After an outage the waits between its tries would double up to minutes; so it gives up with the
            # request that waits, not sooner, and the next request makes it start anew.
            "pool": {
                "min_size": 0,
                "max_size": 12 + cores(),
                "timeout": 20,
                "max_idle": 300,
                "reconnect_timeout": 20,
            },
        },
    }


def check_answers() -> None:
    """Raises RuntimeError when the server that DATABASE_URL names takes no session.

    Asked before the pool of connections is, which tries for long and tells of each try.
    """
    try:
        psycopg.connect(setting("DATABASE_URL"), connect_timeout=10).close()
    except psycopg.OperationalError as error:
        told = " ".join(str(error).split())
        raise RuntimeError(f"The database that DATABASE_URL names does not answer: {told}") from error


@contextlib.contextmanager
def running(data_dir: Path, **server_settings: str) -> Iterator[None]:
    """Have the embedded server running inside the block, or make sure that the one of DATABASE_URL answers.

    Raises RuntimeError.
    """
    if not is_embedded():
        check_answers()
        yield
        return
    server = Embedded(data_dir, **server_settings)
    server.join()
    try:
        yield
    finally:
        server.leave()
