"""The picture files: previews and originals, each given only to those who may see the photo."""

import os
import re
from typing import BinaryIO
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from core.accounts import Account
from core.domain.photos import PhotoNotFound
from core.readmodels.files import files_of_photo
from core.readmodels.libraries import lies_at
from core.readmodels.photos import Photo, photo_for
from core.storage import preview_path
from core.web.access import Request, signed_in
from core.web.ranges import Part, answer_with

# New content has a new revision, hence a new address: what a browser has, it may keep. Private: a cache
# that others share must not.
_FOR_EVER = "private, max-age=31536000, immutable"
# What a browser may be told a file is. SVG and HTML can hold scripts; anything unknown is just bytes.
_PICTURE = re.compile(r"(image|video)/(?!svg)[a-z0-9.+-]+")
# Kinds of pictures that may move and that browsers show by themselves; nothing else is ever sent inline.
MOVING_PICTURES = {"gif": "image/gif", "webp": "image/webp", "apng": "image/apng", "avif": "image/avif"}


@require_safe
@signed_in
def tile(request: Request, photo_id: UUID, revision: str) -> HttpResponseBase:
    """The small preview."""
    return _preview(request, photo_id, revision, "tile")


@require_safe
@signed_in
def large(request: Request, photo_id: UUID, revision: str) -> HttpResponseBase:
    """The preview that fills a screen."""
    return _preview(request, photo_id, revision, "large")


@require_safe
@signed_in
def original(request: Request, photo_id: UUID) -> HttpResponseBase:
    """The file as it lies in the library, to be saved and never to be run."""
    photo = visible_photo(request.user, photo_id)
    mime = photo.mime if _PICTURE.fullmatch(photo.mime) else "application/octet-stream"
    return _original(request, photo, mime, attached=True)


@require_safe
@signed_in
def playing(request: Request, photo_id: UUID) -> HttpResponseBase:
    """The file to be played in the page: a video, or a picture that moves and that browsers show."""
    photo = visible_photo(request.user, photo_id)
    mime = playable_type(photo)
    if not mime:
        raise Http404("This photo does not move.")
    return _original(request, photo, mime, attached=False)


@require_safe
@signed_in
def motion(request: Request, photo_id: UUID) -> HttpResponseBase:
    """The film inside a motion photo: a stretch of the original, sent from its place."""
    photo = visible_photo(request.user, photo_id)
    start, length = (photo.facts.get(name, {}).get("value", 0) for name in ("motion_start", "motion_length"))
    if not length:
        raise Http404("This photo does not move.")
    return _original(request, photo, "video/mp4", attached=False, stretch=Part(start, length))


def playable_type(photo: Photo) -> str:
    """The type under which a browser is given the original to play, "" for what it is never given inline."""
    if photo.media == "video":
        return photo.mime if _PICTURE.fullmatch(photo.mime) else ""
    return MOVING_PICTURES.get(photo.kind, "") if photo.facts.get("animated", {}).get("value") else ""


def visible_photo(account: Account, photo_id: UUID) -> Photo:
    """The photo, or "not found": whether it exists is nobody else's business."""
    try:
        return photo_for(account, photo_id)
    except PhotoNotFound as error:
        raise Http404("There is no such photo.") from error


def _preview(request: Request, photo_id: UUID, revision: str, name: str) -> HttpResponseBase:
    visible_photo(request.user, photo_id)
    etag = f'"{revision}-{name}"'
    if unchanged := get_conditional_response(request, etag=etag):
        return kept(unchanged, etag)
    try:
        # Read whole: previews are small, and a stream would cost a thread change per piece.
        picture = preview_path(photo_id, revision, name).read_bytes()
    except FileNotFoundError as error:
        raise Http404("This preview is not here.") from error
    return kept(HttpResponse(picture, content_type="image/webp"), etag)


def kept(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    """An answer that a browser may keep for ever, since new content has a new address."""
    response.headers["Cache-Control"] = _FOR_EVER
    response.headers["ETag"] = etag
    return response


def _original(
    request: Request, photo: Photo, mime: str, *, attached: bool, stretch: Part | None = None
) -> HttpResponseBase:
    file = _open_original(photo)
    size = os.fstat(file.fileno()).st_size
    is_known = size == photo.size
    if stretch and not is_known:
        file.close()
        raise Http404("The file was changed since it was read.")
    # A file that was changed since it was read is not the known content any more.
    etag = f'"{photo.sha256}{"-motion" if stretch else ""}"' if is_known else ""
    response = answer_with(request, file, stretch or Part(0, size), etag)
    response.headers["Content-Type"] = mime
    response.headers["Content-Disposition"] = content_disposition_header(attached, photo.name) or "attachment"
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _open_original(photo: Photo) -> BinaryIO:
    """The first of the photo's files that can be opened: a copy will do when one disk is away."""
    places = [(photo.folder_id, photo.path), *((file.folder_id, file.path) for file in files_of_photo(photo.id))]
    for folder, path in dict.fromkeys(places):
        try:
            return lies_at(folder, path).open("rb")
        except OSError:
            continue
    raise Http404("The original cannot be reached at the moment: is its disk there?")
