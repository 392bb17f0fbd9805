"""The files under /static/: served as they are, and closed whatever the browser does."""

import asyncio
import contextlib
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from core.asgi import application

SCRIPT = "/static/js/moments.js"
ON_DISK = Path(settings.BASE_DIR) / "static/js/moments.js"


def test_a_static_file_arrives_whole_with_its_type() -> None:
    answer = Client().get(SCRIPT)
    assert (answer.status_code, answer.content) == (200, ON_DISK.read_bytes())
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert int(answer.headers["Content-Length"]) == ON_DISK.stat().st_size


def test_a_file_that_the_browser_has_is_not_sent_again() -> None:
    client = Client()
    etag = client.get(SCRIPT).headers["ETag"]
    again = client.get(SCRIPT, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_a_part_of_a_file_can_be_asked_for() -> None:
    answer = Client().get(SCRIPT, headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.content) == (206, ON_DISK.read_bytes()[:10])


def test_a_request_for_the_headers_alone_has_no_body() -> None:
    answer = Client().head(SCRIPT)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) == ON_DISK.stat().st_size


@pytest.mark.parametrize("path", ["/static/nothing.js", "/static/../core/settings.py", "/static/%2e%2e/manage.py"])
@pytest.mark.django_db
def test_what_is_no_static_file_is_not_served(path: str) -> None:
    assert Client().get(path).status_code in (302, 404)


def test_a_browser_that_goes_away_in_the_middle_leaves_no_file_open() -> None:
    asyncio.run(_ask_and_go_away())
    # A file that is only closed here, by the garbage collector, is a warning and so an error of this test.
    gc.collect()
    assert str(ON_DISK) not in list(_open_files())


async def _ask_and_go_away() -> None:
    """Ask often, and hang up a little later each time."""
    for step in range(150):
        await asyncio.gather(*(_ask(seconds=0.00002 * step) for _ in range(4)))


async def _ask(seconds: float) -> None:
    messages: list[Any] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await asyncio.sleep(seconds)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        await asyncio.sleep(0)

    scope = {"type": "http", "method": "GET", "path": SCRIPT, "headers": [], "query_string": b"", "scheme": "http"}
    await application({**scope, "http_version": "1.1", "server": ("testserver", 80)}, receive, send)


def _open_files() -> Iterator[str]:
    for number in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            yield str(number.readlink())
