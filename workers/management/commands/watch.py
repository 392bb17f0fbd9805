"""manage.py watch: follows the libraries' folders."""

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connections

from core.parent import end_with_supervisor
from workers.watch import WATCHER_NAME, watch


class Command(BaseCommand):
    """Queues files as they appear in the libraries' folders."""

    help = "Watch the libraries' folders and queue what is new or changed."

    def handle(self, *_args: Any, **_options: Any) -> None:
        end_with_supervisor()
        # So that health can tell a live watcher by its connection; the kernel ends it with the process.
        options = connections["default"].settings_dict.setdefault("OPTIONS", {})
        options["application_name"] = WATCHER_NAME
        asyncio.run(_watch_until_signal())


async def _watch_until_signal() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    await watch(stop)
