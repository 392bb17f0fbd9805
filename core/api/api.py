"""The API's composition: its routers, its errors, its documentation page."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.parser import Parser

from core.api import (
    albums,
    dates,
    duplicates,
    edits,
    failures,
    libraries,
    looks,
    people,
    search,
    stacks,
    uploads,
)
from core.api.access import ACCESS
from core.domain.albums import AlbumNotFound
from core.domain.edits import BadValue, ChangedMeanwhile, NotUndoable
from core.domain.forgetting import StillThere
from core.domain.libraries import FolderTaken, LastFolder, LibraryNotFound, NotAFolder
from core.domain.people import PersonNotFound
from core.domain.photos import NothingToRetry, PhotoNotFound
from core.domain.stacks import NotStacked
from core.domain.uploads import UploadRefused
from core.readmodels.failures import FailureNotFound
from core.sent import json_in
from core.tus import refusal


class PlainJson(Parser):
    """Bodies as JSON; 400 for what is none, and for text that no table can keep."""

    def parse_body(self, request: HttpRequest) -> Any:
        return json_in(request.body)


api = NinjaAPI(
    title="Filmroll",
    version="1",
    description="Every photo, every fact and its source, every failure and every job.",
    auth=ACCESS,
    parser=PlainJson(),
    docs_decorator=login_required,
    urls_namespace="api",
)
api.add_router("/photos", edits.router)
api.add_router("/stacks", stacks.router)
api.add_router("/duplicates", duplicates.router)
api.add_router("/looks", looks.router)
api.add_router("/photos", looks.alike)
api.add_router("/albums", albums.router)
api.add_router("/people", people.router)
api.add_router("/failures", failures.router)
api.add_router("/libraries", libraries.router)
api.add_router("/uploads", uploads.router)
api.add_router("/search", search.router)
api.add_router("/places", search.places)
api.add_router("/dates", dates.router)
for prefix, router in settings.API_ROUTERS:  # upper layers, by name
    api.add_router(prefix, router)


@api.exception_handler(AlbumNotFound)
@api.exception_handler(PersonNotFound)
@api.exception_handler(PhotoNotFound)
@api.exception_handler(FailureNotFound)
@api.exception_handler(LibraryNotFound)
def not_found(request: HttpRequest, error: Exception) -> HttpResponse:
    return api.create_response(request, {"detail": f"Not found: {error}"}, status=404)


@api.exception_handler(NotAFolder)
@api.exception_handler(FolderTaken)
@api.exception_handler(BadValue)
def bad_value(request: HttpRequest, error: Exception) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=422)


@api.exception_handler(UploadRefused)
def upload_refused(request: HttpRequest, error: UploadRefused) -> HttpResponse:  # noqa: ARG001  # ninja's signature
    return refusal(error)


@api.exception_handler(ChangedMeanwhile)
@api.exception_handler(StillThere)
def changed_meanwhile(request: HttpRequest, error: Exception) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=409)


@api.exception_handler(NotUndoable)
@api.exception_handler(LastFolder)
@api.exception_handler(NothingToRetry)
@api.exception_handler(NotStacked)
def nothing_to_retry(request: HttpRequest, error: Exception) -> HttpResponse:
    return api.create_response(request, {"detail": f"{error}."}, status=409)
