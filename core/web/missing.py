"""Photos whose original is missing: a list, since when, and the way to be reminded of them no more."""

import contextlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.commands.photos import take_out
from core.domain.photos import NotMissing
from core.readmodels.files import PhotoFile
from core.readmodels.libraries import Folder, libraries_of, unwell_folders
from core.readmodels.photos import Photo, missing_photos
from core.web.access import Request, actor_of, signed_in
from core.web.failures import tab_counts
from core.web.pictures import visible_photo

PAGE = 60


@dataclass(frozen=True, slots=True)
class Absence:
    """Why an original cannot be reached: `offline` when its disk is away, else it is missing."""

    offline: bool
    since: datetime
    reason: str = ""


@require_safe
@never_cache
@signed_in
def missing_page(request: Request) -> HttpResponse:
    """Those that went missing last come first; above them the folders that cannot be reached."""
    found = missing_photos(request.user)
    page = list(_behind(found, request.GET.get("before", ""))[: PAGE + 1])
    last = page[PAGE - 1] if len(page) > PAGE else None
    folders = unwell_folders(libraries_of(request.user).values_list("id", flat=True))
    context = {
        "photos": page[:PAGE],
        "next": f"{last.missing_since.isoformat()}~{last.id}" if last and last.missing_since else "",
        "offline": [folder for folder in folders if folder.offline_since],
    }
    return render(request, "photos/missing.html", context | tab_counts(request))


@require_POST
@signed_in
def take_out_photo(request: Request, photo_id: UUID) -> HttpResponse:
    """Show one missing photo no more."""
    photo = visible_photo(request.user, photo_id)
    with contextlib.suppress(NotMissing):  # it came back meanwhile
        take_out(photo.id, "", actor=actor_of(request))
    return redirect("missing")


@require_POST
@signed_in
def take_out_all(request: Request) -> HttpResponse:
    """Show no missing photo any more."""
    for photo in missing_photos(request.user).values_list("id", flat=True):
        with contextlib.suppress(NotMissing):
            take_out(photo, "", actor=actor_of(request))
    return redirect("missing")


def absence_of(photo: Photo, files: list[PhotoFile]) -> Absence | None:
    """Why no original of a photo can be reached; None when one should be there."""
    if photo.missing:
        return Absence(False, photo.missing_since) if photo.missing_since else None
    there = {file.folder_id for file in files if file.missing_since is None}
    folders = list(Folder.objects.filter(id__in=there))
    away = [folder for folder in folders if folder.offline_since]
    if not away or len(away) < len(folders):
        return None
    first = away[0]
    assert first.offline_since is not None
    return Absence(True, first.offline_since, first.offline_reason)


def _behind(found, cursor: str):  # type: ignore[no-untyped-def]
    if not cursor:
        return found
    try:
        at_text, _, id_text = cursor.partition("~")
        at, last = datetime.fromisoformat(at_text), UUID(id_text)
    except ValueError as error:
        raise Http404("There is no such place in the list.") from error
    return found.filter(Q(missing_since__lt=at) | Q(missing_since=at, id__lt=last))
