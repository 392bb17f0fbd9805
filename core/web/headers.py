"""Headers that every answer carries: what a page may load, what it may not do, and who may see its cookies."""

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

# Scripts and styles are files of our own, never inline. Style attributes are allowed: tiles carry their
# shape and colour in them. `data:` pictures are the placeholders.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; script-src 'self'; style-src 'self'; "
    "style-src-attr 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
}

Handler = Callable[[HttpRequest], Any]


@sync_and_async_middleware
def security_headers(get_response: Handler) -> Handler:
    """Middleware; a view that sets one of the headers itself keeps its own."""
    if iscoroutinefunction(get_response):
        return _asynchronous(get_response)

    def handle(request: HttpRequest) -> HttpResponseBase:
        return _with_headers(request, get_response(request))

    return handle


def _asynchronous(get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]) -> Handler:
    async def handle(request: HttpRequest) -> HttpResponseBase:
        return _with_headers(request, await get_response(request))

    return handle


def _with_headers(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    # No setting could say it: the same server is reached through a proxy's TLS and by plain http at home.
    if request.is_secure():
        for cookie in response.cookies.values():
            cookie["secure"] = True
    return response
