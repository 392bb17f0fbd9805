#!/usr/bin/env python
"""The one command line of Filmroll."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext

# These need no database, or see to it themselves.
_WITHOUT_DATABASE = {"up", "help", "check", "collectstatic", "models", "--help", "-h", "--version", "version"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")
    from django.core.management import execute_from_command_line

    with _database():
        execute_from_command_line(sys.argv)


def _database() -> AbstractContextManager[None]:
    """The embedded database for the time of one command, unless it runs already or is not wanted."""
    named = sys.argv[1:2]
    if not named or named[0] in _WITHOUT_DATABASE or "--help" in sys.argv:
        return nullcontext()
    from core import database
    from core.environment import setting

    return database.running(setting("FILMROLL_DATA_DIR"))


if __name__ == "__main__":
    main()
