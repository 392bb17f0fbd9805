"""manage.py web: the web server."""

import contextlib
import socket
import threading
from typing import Any

import structlog
import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from core.nearby import read_ahead
from core.parent import end_with_supervisor
from core.streaming import end_bodies
from core.waiting import end_waits
from core.web.live import end_streams

# Open streams of live pages end at once on SIGTERM; what else is under way gets this long.
_GRACE_SECONDS = 4
_log = structlog.get_logger(__name__)


class Server(uvicorn.Server):
    """Uvicorn's server, which waits for open answers when it stops: the endless ones are ended first."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # Beside the answers, which need not wait for it.
        threading.Thread(target=_read_ahead, name="similar pictures", daemon=True).start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        end_streams()
        end_waits()
        end_bodies()
        await super().shutdown(sockets)


def _read_ahead() -> None:
    """Have what similar pictures are found by in memory before the first question."""
    try:
        read_ahead()
    except DatabaseError as error:
        _log.info("similar pictures are read with the first question", error=str(error).strip())
    finally:
        connection.close()


class Command(BaseCommand):
    """Serves the pages and the API on FILMROLL_HOST and FILMROLL_PORT."""

    help = "Serve the pages and the API on FILMROLL_HOST and FILMROLL_PORT."

    def handle(self, *_args: Any, **_options: Any) -> None:
        end_with_supervisor()
        config = uvicorn.Config(
            "core.asgi:application",
            host=settings.HOST,
            port=settings.PORT,
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            server_header=False,
        )
        server = Server(config)
        with contextlib.suppress(KeyboardInterrupt):
            server.run()
        if not server.started:
            raise SystemExit(1)  # uvicorn has logged why: the port is taken, as a rule
