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
from core.readmodels.libraries import Folder, all_folders, libraries_of, unwell_folders
from core.readmodels.mounts import Mount, mounts_away
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
    seen = list(libraries_of(request.user).values_list("id", flat=True))
    context = {
        "photos": page[:PAGE],
        "next": f"{last.missing_since.isoformat()}~{last.id}" if last and last.missing_since else "",
        "offline": [*_folders_away(seen), *_disks_away(seen)],
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


def _folders_away(libraries: list[UUID]) -> list[tuple[str, str]]:
    return [(one.root, one.offline_reason) for one in unwell_folders(libraries) if one.offline_since]


def _disks_away(libraries: list[UUID]) -> list[tuple[str, str]]:
    """Where disks below folders were mounted that are away; not of folders that are away as a whole."""
    roots = {one.id: one.root for one in all_folders() if one.library_id in libraries and not one.offline_since}
    return [(f"{roots[one.folder_id]}/{one.path}", one.offline_reason) for one in mounts_away(roots)]


def absence_of(photo: Photo, files: list[PhotoFile]) -> Absence | None:
    """Why no original of a photo can be reached; None when one should be there."""
    if photo.missing:
        return Absence(False, photo.missing_since) if photo.missing_since else None
    there = [file for file in files if file.missing_since is None]
    folders = {one.id: one for one in Folder.objects.filter(id__in={file.folder_id for file in there})}
    disks = mounts_away(folders)
    away: list[Folder | Mount] = []
    for file in there:
        below = (one for one in disks if one.folder_id == file.folder_id and one.holds(file.path))
        folder = folders[file.folder_id]
        found = folder if folder.offline_since else next(below, None)
        if found is None:
            return None
        away.append(found)
    if not away or away[0].offline_since is None:
        return None
    return Absence(True, away[0].offline_since, away[0].offline_reason)


def _behind(found, cursor: str):  # type: ignore[no-untyped-def]
    if not cursor:
        return found
    try:
        at_text, _, id_text = cursor.partition("~")
        at, last = datetime.fromisoformat(at_text), UUID(id_text)
    except ValueError as error:
        raise Http404("There is no such place in the list.") from error
    return found.filter(Q(missing_since__lt=at) | Q(missing_since=at, id__lt=last))
