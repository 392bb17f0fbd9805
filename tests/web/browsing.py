"""A real browser before a real server: Chromium by Playwright, uvicorn in a thread, the tests' own database."""

import asyncio
import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn
from django.db import connections

CHROMIUM = Path("/usr/bin/chromium")
NOWHERE = "/no-such-page/"  # an address without a page: its 404 is no complaint
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]  # what axe is to look for
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 800}
# Costs nothing where what is waited for happens.
_SECONDS = 60
PATIENCE = 1000 * _SECONDS  # milliseconds, as browsers count


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """The whole application on a free port, streams and all; yields its address."""
    from core.asgi import application
    from core.management.commands.web import Server

    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(application, lifespan="off", log_config=None, timeout_graceful_shutdown=2)
    server = Server(config)
    thread = threading.Thread(target=asyncio.run, args=(server.serve(sockets=[listening]),), daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(_SECONDS)
        listening.close()
        # Threads of the server have borrowed connections; the test database cannot be emptied around them.
        connections["default"].close_pool()


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """A browser without a window."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)

    # Playwright keeps an event loop in this thread, which makes Django think that it runs inside one.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            options = ["--no-sandbox", "--disable-background-networking"]
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=options)
            yield browser
            browser.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def wait_until(condition: Callable[[], object], seconds: float = _SECONDS) -> None:
    """Return when the condition holds; an AssertionError when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
