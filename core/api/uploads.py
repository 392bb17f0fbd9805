"""Uploads for programs: a file in one request, the tus protocol for large ones, and what is there already."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.urls import reverse
from ninja import Router, Schema, Status
from pydantic import Field

from core import tus
from core.api.access import asker
from core.api.photos import router as photos
from core.domain.uploads import Announced
from core.readmodels.uploads import already_there
from core.receiving import keep_at_once
from core.uploads import Upload

router = Router(tags=["uploads"])


class UploadOut(Schema):
    """What became of a file."""

    outcome: str = Field(description="kept, or there-already: then nothing was stored.")
    photo: UUID | None = Field(description="The photo that it is, or becomes within moments; null for a sidecar.")
    name: str
    sha256: str
    size: int


class Refusal(Schema):
    """Why a file was not taken."""

    code: str
    detail: str


class Hashes(Schema):
    """SHA-256 in hex."""

    hashes: list[str] = Field(max_length=1000)


class Known(Schema):
    """Each content that is there, with its photo, or null for one that is not made yet."""

    known: dict[str, UUID | None]


_REFUSALS = {400: Refusal, 411: Refusal, 415: Refusal, 422: Refusal, 507: Refusal}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
            },
        },
    }
}


@photos.post(
    "",
    response={201: UploadOut, 200: UploadOut, **_REFUSALS},
    openapi_extra=_BODY,
    tags=["uploads"],
    summary="Upload a photo, a video, or a sidecar of one",
)
def upload_photo(request: HttpRequest, name: str = "", sha256: str = "", modified: str = "") -> Any:
    """The file is the body, with its name in `name`, or the part `file` of a form.

    201 when it is on disk, 200 when its content was there already; 415 when it is no picture, 507 when there is
    no room. Sidecars (XMP, Google's JSON, AAE) find their photos by name, whichever comes first. With `sha256` the
    whole is checked; `modified` is the file's time in milliseconds since 1970.
    `curl -H "Authorization: Bearer $KEY" --data-binary @IMG_1.jpg ".../api/v1/photos?name=IMG_1.jpg"`
    """
    account = asker(request)
    said, chunks = _file_in(request, name)
    announced = Announced(said[0], said[1], tus.sha256_text(sha256), tus.modified_ns(modified))
    upload = keep_at_once(account, announced, chunks, actor=account.actor)
    return Status(200 if upload.was_there else 201, _out(upload))


@router.post("/known", response=Known, summary="Which files are there already")
def known(request: HttpRequest, asked: Hashes) -> dict[str, Any]:
    """To be asked before the bytes are sent."""
    return {"known": already_there(asker(request), [one.lower() for one in asked.hashes])}


@router.api_operation(["OPTIONS"], "/", response={204: None}, summary="What the tus server can do")
def options(request: HttpRequest) -> HttpResponse:
    """https://tus.io/protocols/resumable-upload; the header `Tus-Resumable: 1.0.0` is asked for everywhere."""
    return tus.collection(request, asker(request), _address)


@router.post("/", response={201: None, **_REFUSALS}, summary="Begin a resumable upload (tus)")
def create(request: HttpRequest) -> HttpResponse:
    """`Upload-Metadata` may hold filename, sha256 (hex) and modified (milliseconds since 1970)."""
    return tus.collection(request, asker(request), _address)


@router.api_operation(["HEAD"], "/{upload_id}", response={200: None}, summary="How far an upload is (tus)")
def tell(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """`Upload-Offset` says where it goes on."""
    return tus.single(request, asker(request), upload_id)


@router.patch("/{upload_id}", response={204: None, 409: Refusal, **_REFUSALS}, summary="Add bytes (tus)")
def add(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """With the last byte the file is kept; the answer's `Filmroll-Photo` names the photo."""
    return tus.single(request, asker(request), upload_id)


@router.post("/{upload_id}", response={204: None}, summary="The same, for who cannot send PATCH (tus)")
def override(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """With the header `X-HTTP-Method-Override`."""
    return tus.single(request, asker(request), upload_id)


@router.delete("/{upload_id}", response={204: None}, summary="Throw an upload away (tus)")
def throw_away(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Its bytes are gone at once; a finished one stays in the library."""
    return tus.single(request, asker(request), upload_id)


def _file_in(request: HttpRequest, name: str) -> tuple[tuple[str, int], Iterator[bytes]]:
    """The name and size of the file in a request, and its bytes. Raises BadRequest."""
    if request.content_type == "multipart/form-data":
        try:
            file = request.FILES.get("file")
        except MultiPartParserError as error:
            raise tus.BadRequest("The form cannot be read.") from error
        if file is None:
            raise tus.BadRequest("The form has no part named “file”.")
        return (name or file.name or "", file.size or 0), file.chunks()
    if "Content-Length" not in request.headers:
        raise tus.BadRequest("The length of the file must be said (Content-Length).", 411)
    return (name, tus.announced_size(request.headers["Content-Length"])), tus.bytes_of(request)


def _out(upload: Upload) -> dict[str, Any]:
    plain = {name: getattr(upload, name) for name in ("name", "sha256", "size")}
    return {"outcome": "there-already" if upload.was_there else "kept", "photo": upload.photo_id, **plain}


def _address(upload: UUID) -> str:
    return reverse("api:tell", args=[upload])
