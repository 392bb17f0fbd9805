"""Fixtures that open windows of a real browser before a real server, for every folder of tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.browsing import NOWHERE, PATIENCE, WIDE, chromium, serving


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real browser, for all tests of a module."""
    with chromium() as started:
        yield started


@pytest.fixture
def site(transactional_db: None) -> Iterator[str]:
    """The address of the application."""
    with serving() as address:
        yield address


@pytest.fixture
def visit(browser: Any, site: str) -> Iterator[Any]:
    """Opens a window before the site; no window may have had an error that a script or the policy caused."""
    complaints: list[str] = []
    contexts = []

    def open_window(**options: Any) -> Any:
        context = browser.new_context(**{"viewport": WIDE, "base_url": site, **options})
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        window = context.new_page()
        window.on("pageerror", lambda error: complaints.append(str(error)))
        window.on("console", lambda said: complaints.append(_complaint(said)) if said.type == "error" else None)
        return window

    yield open_window
    for context in contexts:
        context.close()
    assert [text for text in complaints if not text.endswith(NOWHERE)] == []


def _complaint(said: Any) -> str:
    return f"{said.text} {said.location['url']}"
