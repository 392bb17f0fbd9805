"""Uploads from the browser: the tus protocol for the signed-in, and which files are there already."""

from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from core import tus
from core.readmodels.uploads import already_there
from core.sent import json_in
from core.web.access import Request, signed_in

# Hashes in one question.
MOST_HASHES = 1000


@require_http_methods(["OPTIONS", "POST"])
@signed_in
def collection(request: Request) -> HttpResponse:
    """Where uploads are made."""
    return tus.collection(request, request.user, lambda upload: reverse("upload", args=[upload]))


@require_http_methods(["OPTIONS", "HEAD", "PATCH", "DELETE", "POST"])
@signed_in
def single(request: Request, upload_id: UUID) -> HttpResponse:
    """One upload."""
    return tus.single(request, request.user, upload_id)


@require_POST
@signed_in
def known(request: Request) -> HttpResponse:
    """Which of the SHA-256 in {"hashes": […]} are there, each with the address of its photo."""
    try:
        hashes = [str(one) for one in json_in(request.body)["hashes"][:MOST_HASHES]]
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"detail": "Ask with a list of hashes."}, status=400)
    there = already_there(request.user, hashes)
    addresses = {one: reverse("photo", args=[photo]) if photo else "" for one, photo in there.items()}
    return JsonResponse({"known": addresses})
