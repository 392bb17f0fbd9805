"""The settings of libraries, for administrators: folders, what is left out, the watch, and what is wrong."""

from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import ParamSpec
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.accounts import Account
from core.commands import libraries as commands
from core.commands.accounts import UnknownAccount, account_named
from core.domain.analysis import Analysis
from core.domain.libraries import DEFAULT_IGNORE, FolderTaken, LastFolder, LibraryNotFound, NotAFolder
from core.readmodels.libraries import (
    Folder,
    Library,
    all_libraries,
    folders_of,
    libraries_of,
    library_by_id,
    refuse_taken,
)
from core.readmodels.photos import Photo
from core.storage import path_to_text, text_to_path
from core.web.access import Request, View, actor_of, signed_in

P = ParamSpec("P")
Refused = (NotAFolder, FolderTaken, LastFolder)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A library as the list shows it."""

    library: Library
    folders: list[Folder]
    photos: int
    missing: int


@dataclass(frozen=True, slots=True)
class Switch:
    """One analysis that a library does, or does without; `missing` says why it is not possible here."""

    name: str
    words: str
    on: bool
    missing: str = ""


_ANALYSES = {
    Analysis.OBJECTS: "Things, with a box around each",
    Analysis.SCENES: "What the whole picture shows",
    Analysis.FACES: "Faces, and the people whose they are",
    Analysis.SIMILAR: "Pictures that are alike",
    Analysis.MEANING: "Search by meaning",
    Analysis.COLOURS: "Colours",
    Analysis.STYLES: "Styles, such as black and white or panorama",
    Analysis.PLACES: "Places, by the position",
    Analysis.DATES: "Dates of note, such as Christmas",
}


def staff_only(view: View[P]) -> View[P]:
    """Answer 403 to accounts that are no administrators; of a library that is not theirs, that there is none."""

    @wraps(view)
    def guarded(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_staff:
            library = kwargs.get("library_id")
            if isinstance(library, UUID) and not libraries_of(request.user).filter(id=library).exists():
                raise Http404("There is no such library.")
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return signed_in(guarded)


@require_safe
@never_cache
@staff_only
def libraries_page(request: Request) -> HttpResponse:
    """Every library, with what is wrong with its folders."""
    return _list(request)


@require_safe
@never_cache
@staff_only
def library_page(request: Request, library_id: UUID) -> HttpResponse:
    """One library's settings."""
    return library_settings(request, library_there(library_id))


@require_POST
@staff_only
def add(request: Request) -> HttpResponse:
    """Register a folder as a library."""
    folder = request.POST.get("folder", "").strip()
    try:
        place = commands.readable_folder(_typed(folder))
        refuse_taken(place, same_is_fine=True)
        owner = account_named(request.POST.get("owner") or request.user.username).pk
        library = commands.add_library(
            place, name=request.POST.get("name", "").strip(), owner=owner, actor=actor_of(request)
        )
    except (*Refused, UnknownAccount) as error:
        return _list(request, refused=str(error), typed=folder)
    return redirect("library", library)


@require_POST
@staff_only
def change(request: Request, library_id: UUID) -> HttpResponse:
    """Keep the name, the rules and the switches as they are in the form."""
    library, actor = library_there(library_id), actor_of(request)
    commands.rename_library(library.id, request.POST.get("name", ""), actor=actor)
    commands.switch_watch(library.id, on="watching" in request.POST, actor=actor)
    commands.switch_sidecars(library.id, on="write_sidecars" in request.POST, actor=actor)
    if "analyses" in request.POST:
        commands.switch_analyses(library.id, _switched_off(request), actor=actor)
    commands.change_ignore_rules(library.id, request.POST.get("rules", "").splitlines(), actor=actor)
    return redirect("library", library.id)


@require_POST
@staff_only
def add_folder(request: Request, library_id: UUID) -> HttpResponse:
    """One more folder, if it is there and can be read."""
    library, folder = library_there(library_id), request.POST.get("folder", "").strip()
    try:
        refuse_taken(commands.readable_folder(_typed(folder)), same_is_fine=False)
        commands.add_folder(library.id, _typed(folder), actor=actor_of(request))
    except Refused as error:
        return library_settings(request, library, refused=str(error), typed=folder)
    return redirect("library", library.id)


@require_POST
@staff_only
def remove_folder(request: Request, library_id: UUID, folder_id: UUID) -> HttpResponse:
    """Take a folder out; its photos are no longer shown, its files are not touched."""
    library = library_there(library_id)
    try:
        commands.remove_folder(library.id, folder_id, actor=actor_of(request))
    except LastFolder as error:
        return library_settings(request, library, refused=str(error))
    return redirect("library", library.id)


@require_POST
@staff_only
def rescan(request: Request, library_id: UUID) -> HttpResponse:
    """Look through the folders now."""
    commands.ask_for_rescan(library_there(library_id).id, actor=actor_of(request))
    return redirect("library", library_id)


@require_POST
@staff_only
def analyse(request: Request, library_id: UUID) -> HttpResponse:
    """Have the photos looked at where nobody has looked, or an older model has."""
    commands.ask_for_analysis(library_there(library_id).id, actor=actor_of(request))
    return redirect("library", library_id)


@require_POST
@staff_only
def remake(request: Request, library_id: UUID) -> HttpResponse:
    """Make again what an earlier version made."""
    commands.ask_to_remake(library_there(library_id).id, actor=actor_of(request))
    return redirect("library", library_id)


@require_POST
@staff_only
def remove(request: Request, library_id: UUID) -> HttpResponse:
    """Take a library out; its photos are no longer shown, its files are not touched."""
    commands.remove_library(library_there(library_id).id, actor=actor_of(request))
    return redirect("libraries")


def library_there(library_id: UUID) -> Library:
    """A library that was not taken out. Raises Http404."""
    try:
        library = library_by_id(library_id)
    except LibraryNotFound as error:
        raise Http404("There is no such library.") from error
    if library.removed:
        raise Http404("There is no such library.")
    return library


def _typed(folder: str) -> Path:
    """A path as a person types it. Not the folder in which the server happens to run."""
    if not folder.startswith(("/", "~")):
        raise NotAFolder("Give the folder's full path, beginning with “/”.")
    return Path(folder)


def _list(request: Request, **more: object) -> HttpResponse:
    shelves = [_shelf(library) for library in all_libraries()]
    status = 400 if more else 200
    context = {"shelves": shelves, "owners": _owners(), **more}
    return render(request, "libraries/libraries.html", context, status=status)


def library_settings(request: Request, library: Library, **more: object) -> HttpResponse:
    """The page of one library, or with `refused`: why nothing was changed."""
    context = {
        "shelf": _shelf(library),
        "rules": "\n".join(library.ignore_rules),
        "default_rules": "\n".join(DEFAULT_IGNORE),
        "switches": _switches(library),
        "owners": _owners(),
        "owner": Account.objects.filter(pk=library.owner_id).first() if library.owner_id else None,
        "given": _event_in(request.GET.get("given", "")),
        **more,
    }
    return render(request, "libraries/library.html", context, status=400 if more else 200)


def _owners() -> list[str]:
    return list(Account.objects.filter(is_active=True).order_by("username").values_list("username", flat=True))


def _event_in(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _switches(library: Library) -> list[Switch]:
    missing = {Analysis.MEANING: import_string(settings.MEANING_MISSING)()}
    return [
        Switch(str(one), words, one not in library.analyses_off, missing.get(one, ""))
        for one, words in _ANALYSES.items()
    ]


def _switched_off(request: Request) -> list[Analysis]:
    on = request.POST.getlist("analysis")
    return [one for one in Analysis if one not in on]


def _shelf(library: Library) -> Shelf:
    shown = Photo.objects.filter(library_id=library.id, hidden="")
    counted = shown.aggregate(all=Count("id"), missing=Count("id", filter=Q(missing=True)))
    folders = folders_of(library.id)
    for folder in folders:
        folder.root = readable(path_to_text(folder.place))
    return Shelf(library, folders, counted["all"], counted["missing"])


def readable(root: str) -> str:
    """A folder's path for people: bytes that are no text become signs of replacement."""
    return text_to_path(root).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
