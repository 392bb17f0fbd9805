"""Parts of a file: what a Range header asks for, and the answer that carries it (RFC 9110, section 14)."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import BinaryIO

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response

_CHUNK = 256 * 1024
# One range. Several at once may be answered with the whole (section 14.2), and no player asks for that.
_ONE = re.compile(r"bytes\s*=\s*(?P<first>\d{0,18})-(?P<last>\d{0,18})[\s,]*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes from `start`, `length` of them."""

    start: int
    length: int


class Unsatisfiable(ValueError):
    """The range begins behind the end, or asks for the last no bytes."""


def asked_part(header: str, size: int) -> Part | None:
    """The part of `size` bytes that a Range header asks for; None for the whole, also where it makes no sense.

    Raises Unsatisfiable.
    """
    found = _ONE.fullmatch(header.strip())
    if found is None or not (found["first"] or found["last"]):
        return None
    if not found["first"]:
        length = min(int(found["last"]), size)
        if length == 0:
            raise Unsatisfiable(header)
        return Part(size - length, length)
    first = int(found["first"])
    last = min(int(found["last"]), size - 1) if found["last"] else size - 1
    if found["last"] and int(found["last"]) < first:
        return None  # invalid, and an invalid range is as good as none
    if first >= size:
        raise Unsatisfiable(header)
    return Part(first, last - first + 1)


def answer_with(request: HttpRequest, file: BinaryIO, whole: Part, etag: str) -> HttpResponseBase:
    """Answer with a stretch of an open file, or the part of it that is asked for; the answer closes the file.

    Nothing is held in memory but one piece. An `etag` of "" means that the content is not the known one: it is
    then sent whole, for parts of two contents must never be put together.
    """
    answer = _unsent(request, whole, etag) or _sent(request, file, whole, etag)
    if not answer.streaming:
        file.close()
    answer.headers.setdefault("Accept-Ranges", "bytes" if etag else "none")
    if etag:
        answer.headers["ETag"] = etag
    return answer


def _unsent(request: HttpRequest, whole: Part, etag: str) -> HttpResponseBase | None:
    """The answers without a body: what the browser has already, a wrong condition, HEAD."""
    if etag and (known := get_conditional_response(request, etag=etag)):
        return known
    if request.method != "HEAD":
        return None
    # A range means nothing here (section 14.2); and to read a file of gigabytes for nobody helps nobody.
    return HttpResponse(headers={"Content-Length": str(whole.length)})


def _sent(request: HttpRequest, file: BinaryIO, whole: Part, etag: str) -> HttpResponseBase:
    try:
        part = asked_part(request.headers.get("Range", ""), whole.length) if _may_part(request, etag) else None
    except Unsatisfiable:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{whole.length}"})
    sent = part or Part(0, whole.length)
    pieces = _Pieces(file, whole.start + sent.start, sent.length)
    answer = StreamingHttpResponse(pieces, status=206 if part else 200)
    answer.headers["Content-Length"] = str(sent.length)
    if part:
        answer.headers["Content-Range"] = f"bytes {part.start}-{part.start + part.length - 1}/{whole.length}"
    return answer


def _may_part(request: HttpRequest, etag: str) -> bool:
    """Whether what the browser has of it is of this very content. Dates are no proof of that: none is sent."""
    condition = request.headers.get("If-Range", "").strip()
    return bool(etag) and condition in ("", etag)


class _Pieces:
    """A stretch of a file in pieces, read in threads so that a slow disk does not hold up the others."""

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        self._file, self._start, self._left = file, start, length

    async def __aiter__(self) -> AsyncIterator[bytes]:
        await asyncio.to_thread(self._file.seek, self._start)
        while self._left > 0:
            piece = await asyncio.to_thread(self._file.read, min(_CHUNK, self._left))
            if not piece:
                return  # the file became shorter; the missing bytes tell the browser
            self._left -= len(piece)
            yield piece

    def close(self) -> None:
        """Called by the response when it ends, however it ends."""
        self._file.close()

    def __del__(self) -> None:
        # A browser that went away while the answer was being made: nobody takes it, so nobody closes it.
        self.close()
