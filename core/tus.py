"""Resumable uploads over HTTP: the tus protocol 1.0.0, https://tus.io/protocols/resumable-upload.

Pages and API mount it under addresses of their own. Extensions: creation, creation-with-upload, termination,
expiration, checksum.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC
from email.utils import format_datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from core import receiving
from core.accounts import Account
from core.domain import uploads
from core.domain.uploads import Announced, UploadNotFound, UploadRefused
from core.receiving import Checksum
from core.uploads import Upload

VERSION = "1.0.0"
_EXTENSIONS = "creation,creation-with-upload,termination,expiration,checksum"
_ALGORITHMS = ("sha1", "sha256")
_BYTES = "application/offset+octet-stream"
_CHUNK = 1 << 20
_MOST = 1 << 50
# Nanoseconds since 1970 that a column keeps: until 2262.
_LATEST_NS = (1 << 63) - 1

Locate = Callable[[UUID], str]

# Each refusal's status; 460 is the protocol's own, for a checksum that is not right.
STATUSES: dict[type[UploadRefused], int] = {
    uploads.NotWanted: 415,
    uploads.QuotaExceeded: 507,
    uploads.NoRoom: 507,
    uploads.TooMuch: 413,
    uploads.ChecksumMismatch: 460,
    uploads.ContentDiffers: 422,
    uploads.WrongOffset: 409,
    uploads.UploadBusy: 423,
}


class BadRequest(UploadRefused):
    """The request does not keep to the protocol."""

    code = "bad-request"

    def __init__(self, said: str, status: int = 400) -> None:
        super().__init__(said)
        self.status = status


def collection(request: HttpRequest, account: Account, locate: Locate) -> HttpResponse:
    """Where uploads are made: OPTIONS and POST. `locate` gives the address of one."""
    return _spoken(request, lambda: _create(request, account, locate))


def single(request: HttpRequest, account: Account, upload_id: UUID) -> HttpResponse:
    """One upload: HEAD, PATCH, DELETE."""

    def act() -> HttpResponse:
        upload = receiving.upload_of(account, upload_id)
        match _method(request):
            case "HEAD":
                return _tell(upload, account)
            case "PATCH":
                return _add(request, upload, account)
            case "DELETE":
                receiving.discard(upload)
                return HttpResponse(status=204)
        return HttpResponse(status=405, headers={"Allow": "HEAD, PATCH, DELETE, OPTIONS"})

    return _spoken(request, act)


def refusal(error: UploadRefused) -> HttpResponse:
    """An error as an answer: a code for programs, words for people."""
    status = error.status if isinstance(error, BadRequest) else STATUSES[type(error)]
    said = json.dumps({"code": error.code, "detail": str(error)})
    headers = {"Upload-Offset": str(error.offset)} if isinstance(error, uploads.WrongOffset) else {}
    return HttpResponse(said, status=status, content_type="application/json", headers=headers)


def bytes_of(request: HttpRequest) -> Iterator[bytes]:
    """The body as it comes, in pieces that no memory feels."""
    while chunk := request.read(_CHUNK):
        yield chunk


def announced_size(text: str) -> int:
    """A length in a header. Raises BadRequest."""
    if not text.isascii() or not text.isdigit() or len(text) > 18 or int(text) > _MOST:
        raise BadRequest("The length of the file must be said as a number of bytes.")
    return int(text)


def sha256_text(text: str) -> str:
    """A SHA-256 in hex, as a program says it. Raises BadRequest."""
    if text and (len(text) != 64 or not set(text.lower()) <= set("0123456789abcdef")):
        raise BadRequest("A SHA-256 is 64 hexadecimal digits.")
    return text.lower()


def modified_ns(milliseconds: str) -> int | None:
    """A file's time as browsers say it, or None for nonsense: a date is no reason to refuse a photo."""
    digits = milliseconds.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 14:
        return None
    nanoseconds = int(milliseconds) * 1_000_000
    return nanoseconds if abs(nanoseconds) <= _LATEST_NS else None


def outcome(upload: Upload) -> dict[str, str]:
    """Headers that say what became of a finished upload."""
    if upload.finished_at is None:
        return {}
    said = "there-already" if upload.was_there else "kept"
    # A sidecar is kept for a photo, and is none.
    photo = {"Filmroll-Photo": str(upload.photo_id)} if upload.photo_id else {}
    return {"Filmroll-Outcome": said, **photo}


def _spoken(request: HttpRequest, act: Callable[[], HttpResponse]) -> HttpResponse:
    try:
        response = _options() if _method(request) == "OPTIONS" else _checked(request, act)
    except UploadRefused as error:
        response = refusal(error)
    except UploadNotFound:
        said = json.dumps({"code": "not-found", "detail": "There is no such upload; it may have expired."})
        response = HttpResponse(said, status=404, content_type="application/json")
    response.headers["Tus-Resumable"] = VERSION
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _checked(request: HttpRequest, act: Callable[[], HttpResponse]) -> HttpResponse:
    if request.headers.get("Tus-Resumable") != VERSION:
        return HttpResponse(status=412, headers={"Tus-Version": VERSION})
    return act()


def _options() -> HttpResponse:
    return HttpResponse(
        status=204,
        headers={
            "Tus-Version": VERSION,
            "Tus-Extension": _EXTENSIONS,
            "Tus-Checksum-Algorithm": ",".join(_ALGORITHMS),
            "Tus-Max-Size": str(_MOST),
        },
    )


def _method(request: HttpRequest) -> str:
    said = request.headers.get("X-HTTP-Method-Override", "").upper()
    # Only from POST, which the guard against forged requests looks at.
    return said if said and request.method == "POST" else request.method or ""


def _create(request: HttpRequest, account: Account, locate: Locate) -> HttpResponse:
    if _method(request) != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST, OPTIONS"})
    checksum = _checksum(request)
    has_bytes = request.content_type == _BYTES and request.headers.get("Content-Length") != "0"
    upload = receiving.begin(account, _announced(request))
    offset = 0
    if has_bytes:
        try:
            offset = receiving.receive(upload, 0, bytes_of(request), checksum)
            upload = _finished(upload, account, offset)
        except UploadRefused:
            receiving.discard(upload)
            raise
    headers = {"Location": locate(upload.id), "Upload-Offset": str(offset)}
    return HttpResponse(status=201, headers={**headers, **_expires(upload), **outcome(upload)})


def _tell(upload: Upload, account: Account) -> HttpResponse:
    length = receiving.length_of(upload)
    # A process that was killed between the last byte and the end: the end is made up for.
    upload = _finished(upload, account, length)
    headers = {"Upload-Offset": str(length), "Upload-Length": str(upload.size)}
    return HttpResponse(status=200, headers={**headers, **_expires(upload), **outcome(upload)})


def _add(request: HttpRequest, upload: Upload, account: Account) -> HttpResponse:
    if request.content_type != _BYTES:
        raise BadRequest(f"The bytes of an upload come as {_BYTES}.", 415)
    offset = announced_size(request.headers.get("Upload-Offset", ""))
    checksum = _checksum(request)
    coming = request.headers.get("Content-Length", "")
    if coming and offset + announced_size(coming) > upload.size:
        raise uploads.TooMuch("More bytes would come than had been announced.")
    length = receiving.receive(upload, offset, bytes_of(request), checksum)
    upload = _finished(upload, account, length)
    headers = {"Upload-Offset": str(length)}
    return HttpResponse(status=204, headers={**headers, **_expires(upload), **outcome(upload)})


def _finished(upload: Upload, account: Account, length: int) -> Upload:
    return receiving.finish(upload, actor=account.actor) if length == upload.size else upload


def _expires(upload: Upload) -> dict[str, str]:
    return {"Upload-Expires": format_datetime(upload.expires_at.astimezone(UTC), usegmt=True)}


def _announced(request: HttpRequest) -> Announced:
    if "Upload-Length" not in request.headers:
        raise BadRequest("The length of the file must be said when its upload begins.")
    said = _metadata(request.headers.get("Upload-Metadata", ""))
    return Announced(
        name=said.get("filename") or said.get("name", ""),
        size=announced_size(request.headers["Upload-Length"]),
        sha256=sha256_text(said.get("sha256", "")),
        modified_ns=modified_ns(said.get("modified", "")),
    )


def _metadata(text: str) -> dict[str, str]:
    """`Upload-Metadata`: pairs with commas between; each a key, a space, and a value in Base64, or a key alone."""
    said: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        key, _, value = pair.partition(" ")
        try:
            said[key] = base64.b64decode(value.strip(), validate=True).decode("utf-8", "replace")
        except ValueError as error:
            raise BadRequest(f"The value of {key!r} in Upload-Metadata is no Base64.") from error
    return said


def _checksum(request: HttpRequest) -> Checksum | None:
    said = request.headers.get("Upload-Checksum", "")
    if not said:
        return None
    algorithm, _, value = said.partition(" ")
    try:
        digest = base64.b64decode(value.strip(), validate=True)
    except ValueError as error:
        raise BadRequest("The value of Upload-Checksum is no Base64.") from error
    if algorithm not in _ALGORITHMS or len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size:
        raise BadRequest(f"Checksums are made with {' or '.join(_ALGORITHMS)}.")
    return Checksum(algorithm, digest)
