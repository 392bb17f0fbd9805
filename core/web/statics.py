"""Serves the files under /static/, each read whole in one go."""

import asyncio
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from servestatic.middleware import ServeStaticMiddleware
from servestatic.responders import Redirect, StaticFile


class StaticFiles(ServeStaticMiddleware):  # type: ignore[misc]  # the library has no types
    """The library's middleware, except for how a file gets from the disk into the answer.

    Its own way opens the file in a thread and drops it, open, when the browser goes away at that moment. These
    files are small, and a thread that reads one whole also closes it, whoever still waits for it.
    """

    @staticmethod
    async def aserve(static_file: StaticFile | Redirect, request: HttpRequest) -> HttpResponseBase:
        return await asyncio.to_thread(_answer, static_file, request)


def _answer(static_file: StaticFile | Redirect, request: HttpRequest) -> HttpResponse:
    found = static_file.get_response(request.method or "GET", request.META)
    if found.file is None:
        body = b""
    else:
        with found.file as file:
            body = file.read()
    answer = HttpResponse(body, status=HTTPStatus(found.status))
    del answer.headers["Content-Type"]
    for name, value in found.headers:
        if value is not None:
            answer.headers[name] = value
    return answer
