"""Connections of the event store's own, beside Django's: for NOTIFY and LISTEN, outside any transaction."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

# Things that Django gives to psycopg for its own cursors.
_DJANGO_ONLY = {"cursor_factory", "context", "prepare_threshold"}
# A connection that waits for hours must notice when the other end is gone without a word.
# The kernel asks, the server runs no statement; unix sockets ignore it.
_KEEPALIVES = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


def parameters(purpose: str, using: str = DEFAULT_DB_ALIAS) -> dict[str, Any]:
    """Keyword arguments for psycopg's `connect`, from Django's settings as they are now.

    `purpose` is added to the application name, so that the connection can be told in pg_stat_activity.
    """
    django: dict[str, Any] = connections[using].get_connection_params()
    ours = {key: value for key, value in django.items() if key not in _DJANGO_ONLY}
    name = f"{ours.get('application_name') or 'events'} {purpose}"
    return {"connect_timeout": 10, **_KEEPALIVES, **ours, "application_name": name}
