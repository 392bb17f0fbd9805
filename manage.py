#!/usr/bin/env python
"""The one command line of Filmroll."""

import contextlib
import logging
import os
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from types import FrameType

# These need no database, or see to it themselves.
_WITHOUT_DATABASE = {"up", "help", "check", "collectstatic", "models", "--help", "-h", "--version", "version"}
# What a shell says of a program that Ctrl-C, or SIGTERM, has ended.
_INTERRUPTED, _TERMINATED = 130, 143


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")
    # The programs and children that this one starts keep less freed memory: two heaps, not eight for each core.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    # And what a large picture took goes back at once; glibc would raise this limit with the first that is freed.
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(8 << 20))
    # As an exception, so that the database is left in good order; servers and workers have their own way.
    signal.signal(signal.SIGTERM, _terminate)
    try:
        with contextlib.ExitStack() as held:
            _prepare(held)
            _run()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


def _prepare(held: contextlib.ExitStack) -> None:
    """Read the settings and have the database there; what keeps them from it is told in one line."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        settings.INSTALLED_APPS  # noqa: B018  # reads them all
        held.enter_context(_database())
    except ImproperlyConfigured as error:
        _refuse(error, 2)
    except (RuntimeError, OSError) as error:
        _refuse(error, 1)


def _run() -> None:
    import psycopg
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except (OperationalError, psycopg.OperationalError) as error:
        if "--traceback" in sys.argv:
            raise
        _refuse(f"The database failed: {' '.join(str(error).split())}", 1)


def _database() -> AbstractContextManager[None]:
    """The embedded database for the time of one command, unless it is not wanted or `up` sees to it."""
    from core import database, parent
    from core.environment import setting

    named = sys.argv[1:2]
    if not named or named[0] in _WITHOUT_DATABASE or "--help" in sys.argv or parent.is_supervised():
        return nullcontext()
    if named == ["web"] and not database.is_embedded():
        return nullcontext()  # it serves, and says that it is unwell, until the database comes
    return database.running(setting("FILMROLL_DATA_DIR"))


def _refuse(reason: object, code: int) -> None:
    print(reason, file=sys.stderr)
    sys.exit(code)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(_TERMINATED)


if __name__ == "__main__":
    main()
    if sys.argv[1:2] == ["worker"]:
        # Threads whose jobs are back in the queue would keep the interpreter from ending.
        logging.shutdown()
        os._exit(0)
