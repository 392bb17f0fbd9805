"""manage.py web: the web server."""

from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand

from core.parent import end_with_supervisor

# Open streams of live pages end at once on SIGTERM; what else is under way gets this long.
_GRACE_SECONDS = 4


class Command(BaseCommand):
    """Serves the pages and the API on FILMROLL_HOST and FILMROLL_PORT."""

    help = "Serve the pages and the API on FILMROLL_HOST and FILMROLL_PORT."

    def handle(self, *_args: Any, **_options: Any) -> None:
        end_with_supervisor()
        uvicorn.run(
            "core.asgi:application",
            host=settings.HOST,
            port=settings.PORT,
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            server_header=False,
        )
