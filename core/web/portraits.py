"""Faces cut out of the large preview, each given only to those who may see its photo."""

import io
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe
from PIL import Image

from core.domain.people import PersonNotFound
from core.readmodels.people import Seen, face_for
from core.storage import preview_path, put_in_place, working_folder
from core.web.access import Request, signed_in
from core.web.pictures import kept

# Pixels of a side: twice what pages show, for fine screens.
_SIDE = 256
# A face with some of the hair and neck around it.
_AROUND = 1.6
_QUALITY = 82


def face_address(seen: Seen) -> str:
    """Where the picture of a face is; "" while its photo has no preview."""
    return reverse("face", args=[seen.face.id, seen.stamp]) if seen.photo.revision else ""


@require_safe
@signed_in
def face_picture(request: Request, face_id: UUID, stamp: str) -> HttpResponseBase:
    """One face, square."""
    try:
        seen = face_for(request.user, face_id)
    except PersonNotFound as error:
        raise Http404("There is no such face.") from error
    if not seen.photo.revision or stamp != seen.stamp:
        raise Http404("This face is not here.")
    etag = f'"{face_id}-{stamp}"'
    if unchanged := get_conditional_response(request, etag=etag):
        return kept(unchanged, etag)
    return kept(HttpResponse(_picture(seen), content_type="image/webp"), etag)


def _picture(seen: Seen) -> bytes:
    """Cut out once, then read from beside the preview."""
    place = preview_path(seen.photo.id, seen.photo.revision, f"face-{seen.face.id}-{seen.stamp[-8:]}")
    try:
        return place.read_bytes()
    except FileNotFoundError:
        made = _cut_out(seen)
    with working_folder() as folder:
        half = folder / place.name
        half.write_bytes(made)
        put_in_place(half, place)
    return made


def _cut_out(seen: Seen) -> bytes:
    try:
        with Image.open(preview_path(seen.photo.id, seen.photo.revision, "large")) as opened:
            picture = opened.convert("RGB")
    except FileNotFoundError as error:
        raise Http404("This preview is not here.") from error
    made = io.BytesIO()
    square = picture.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS, box=_square(seen.face.box, *picture.size))
    square.save(made, "WEBP", quality=_QUALITY)
    return made.getvalue()


def _square(box: list[float], width: int, height: int) -> tuple[float, float, float, float]:
    """Around the middle of the face, as large as wished, moved and shrunk to lie inside the picture."""
    left, top, right, bottom = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    side = max(2.0, min(_AROUND * max(right - left, bottom - top), width, height))
    x = min(max(0.0, (left + right - side) / 2), width - side)
    y = min(max(0.0, (top + bottom - side) / 2), height - side)
    return x, y, x + side, y + side
