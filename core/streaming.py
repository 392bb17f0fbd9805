"""Request bodies of uploads are read as they come: nothing is gathered before the view has looked at the request.

Django's own way puts the whole body into a temporary file first, gigabytes where a program sends a file in one
request, and loses it all with the connection. Here the view's thread asks for the next bytes when it wants them;
the server holds the sender back meanwhile.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.core.handlers.asgi import ASGIHandler

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
_STREAMED = ("/uploads/", "/api/v1/uploads/", "/api/v1/photos")
_METHODS = ("POST", "PATCH", "PUT")
# A sender that is silent for so long is gone; what has come of the body counts.
SILENT_SECONDS = 30.0
_open: set["Incoming"] = set()


class Incoming(io.RawIOBase):
    """A request's body, for a reader in a thread. It ends early when the sender is gone, or the server stops."""

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop) -> None:
        self._receive = receive
        self._loop = loop
        self._rest: bytes = b""
        self._ended = False
        self._waiting: asyncio.Task[Any] | None = None
        _open.add(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._rest and not self._ended:
            self._rest = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
        taken = min(len(buffer), len(self._rest))
        buffer[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        return taken

    def end(self) -> None:
        """Nothing more is read. To be called in the event loop."""
        self._ended = True
        if self._waiting is not None:
            self._waiting.cancel()

    def close(self) -> None:
        _open.discard(self)
        super().close()

    async def _next(self) -> bytes:
        self._waiting = asyncio.current_task()
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                message = await self._receive()
        except (TimeoutError, asyncio.CancelledError):  # this task is nobody else's
            message = {}
        finally:
            self._waiting = None
        self._ended = self._ended or not message.get("more_body", False)
        return bytes(message.get("body", b""))


class _Streamed:
    """Stands for `receive`, so that each of the handler's steps finds the body."""

    def __init__(self, body: Incoming) -> None:
        self.body = body

    async def __call__(self) -> Message:
        # Whether the sender is still there, the reader of the body learns. A view that has the bytes finishes
        # its work in any case, and gives its database connection back.
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]


class Handler(ASGIHandler):
    """Django's handler, but for the bodies of uploads."""

    async def handle(self, scope: Message, receive: Any, send: Any) -> None:
        if scope["method"] in _METHODS and scope["path"].startswith(_STREAMED):
            receive = _Streamed(Incoming(receive, asyncio.get_running_loop()))
        await super().handle(scope, receive, send)  # type: ignore[arg-type]

    async def read_body(self, receive: Any) -> Any:
        if isinstance(receive, _Streamed):
            return io.BufferedReader(receive.body, 1 << 16)
        return await super().read_body(receive)


def end_bodies() -> None:
    """End every body that is being read; its view keeps what has come. For the event loop, at the server's end."""
    for body in list(_open):
        body.end()
