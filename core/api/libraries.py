"""Libraries for programs: which folders are indexed and how, whether they can be reached; changes by staff."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.errors import HttpError
from pydantic import Field

from core.accounts import Account
from core.api.access import actor_of, asker
from core.commands import libraries as commands
from core.domain.analysis import Analysis
from core.domain.libraries import LibraryNotFound, UploadsStay
from core.handover import hand_over
from core.readmodels.libraries import Library, folders_of, libraries_of, refuse_taken

router = Router(tags=["libraries"])


class DiskOut(Schema):
    """A disk that is mounted at a place inside a folder, and is away."""

    path: str
    offline_since: datetime
    offline_reason: str


class FolderOut(Schema):
    """One folder of a library."""

    id: UUID
    root: str
    offline_since: datetime | None
    offline_reason: str
    disks_away: list[DiskOut] = Field(description="Disks that are mounted inside the folder, and are away.")
    watch_code: str = Field(description="Empty while changes in the folder are told by the system.")
    watch_reason: str


class LibraryOut(Schema):
    """Folders of originals that belong together."""

    id: UUID
    name: str
    owner_id: UUID | None
    watching: bool
    write_sidecars: bool = Field(description="What people say of a photo goes into an XMP file beside it.")
    ignore_rules: list[str]
    analyses_off: list[Analysis] = Field(description="What the machine does not look for in this library.")
    folders: list[FolderOut]


class NewLibrary(Schema):
    """A folder to index in place."""

    folder: str
    name: str = ""


class LibraryChanges(Schema):
    """What is to change; what is left out stays."""

    name: str | None = None
    watching: bool | None = None
    write_sidecars: bool | None = None
    ignore_rules: list[str] | None = None
    analyses_off: list[Analysis] | None = None
    owner_id: UUID | None = Field(
        None, description="Whose it is from now on; given back, everything is as it was. Not of uploads: 409."
    )


class NewFolder(Schema):
    """One more folder for a library."""

    folder: str


@router.get("", response=list[LibraryOut], summary="The libraries that the asker may see")
def list_libraries(request: HttpRequest) -> list[dict[str, Any]]:
    """By name."""
    return [_out(library) for library in libraries_of(asker(request))]


@router.post("", response={201: LibraryOut}, summary="Index a folder in place")
def add_library(request: HttpRequest, new: NewLibrary) -> Status[dict[str, Any]]:
    """422 when the folder is not there, cannot be read, or overlaps with one that is indexed."""
    _staff(request)
    place = commands.readable_folder(Path(new.folder))
    refuse_taken(place, same_is_fine=True)
    identity = commands.add_library(place, name=new.name, owner=asker(request).pk, actor=actor_of(request))
    return Status(201, _out(_one(request, identity)))


@router.get("/{library_id}", response=LibraryOut, summary="One library")
def one_library(request: HttpRequest, library_id: UUID) -> dict[str, Any]:
    """404 when there is no such library, or not for the asker."""
    return _out(_one(request, library_id))


@router.patch("/{library_id}", response=LibraryOut, summary="Change name, owner, switches and ignore rules")
def change_library(request: HttpRequest, library_id: UUID, changes: LibraryChanges) -> dict[str, Any]:
    """Rules are lines as in a .gitignore; files that they leave out are no longer shown."""
    library, actor = _changeable(request, library_id), actor_of(request)
    if changes.owner_id is not None:
        _give(library, changes.owner_id, actor)
    if changes.name is not None:
        commands.rename_library(library.id, changes.name, actor=actor)
    if changes.watching is not None:
        commands.switch_watch(library.id, on=changes.watching, actor=actor)
    if changes.write_sidecars is not None:
        commands.switch_sidecars(library.id, on=changes.write_sidecars, actor=actor)
    if changes.ignore_rules is not None:
        commands.change_ignore_rules(library.id, changes.ignore_rules, actor=actor)
    if changes.analyses_off is not None:
        commands.switch_analyses(library.id, changes.analyses_off, actor=actor)
    return _out(_one(request, library_id))


@router.delete("/{library_id}", response={204: None}, summary="Take a library out")
def remove_library(request: HttpRequest, library_id: UUID) -> Status[None]:
    """Its photos are no longer shown; no file is touched, and registering the folder again brings all back."""
    commands.remove_library(_changeable(request, library_id).id, actor=actor_of(request))
    return Status(204, None)


@router.post("/{library_id}/rescan", response={202: None}, summary="Look through the folders now")
def rescan(request: HttpRequest, library_id: UUID) -> Status[None]:
    """Queues a scan."""
    commands.ask_for_rescan(_changeable(request, library_id).id, actor=actor_of(request))
    return Status(202, None)


@router.post("/{library_id}/analyse", response={202: None}, summary="Look at the photos again")
def analyse(request: HttpRequest, library_id: UUID) -> Status[None]:
    """Queues those that nobody has looked at, or an older model has."""
    commands.ask_for_analysis(_changeable(request, library_id).id, actor=actor_of(request))
    return Status(202, None)


@router.post("/{library_id}/remake", response={202: None}, summary="Make again what an earlier version made")
def remake(request: HttpRequest, library_id: UUID) -> Status[None]:
    """Previews and the files' facts, only what is older, in the background and behind all other work."""
    commands.ask_to_remake(_changeable(request, library_id).id, actor=actor_of(request))
    return Status(202, None)


@router.post("/{library_id}/folders", response={201: LibraryOut}, summary="Add a folder")
def add_folder(request: HttpRequest, library_id: UUID, new: NewFolder) -> Status[dict[str, Any]]:
    """422 when the folder is not there, cannot be read, or overlaps with one that is indexed."""
    library = _changeable(request, library_id)
    place = commands.readable_folder(Path(new.folder))
    refuse_taken(place, same_is_fine=False)
    commands.add_folder(library.id, place, actor=actor_of(request))
    return Status(201, _out(_one(request, library_id)))


@router.delete("/{library_id}/folders/{folder_id}", response=LibraryOut, summary="Take a folder out")
def remove_folder(request: HttpRequest, library_id: UUID, folder_id: UUID) -> dict[str, Any]:
    """409 for the last one."""
    commands.remove_folder(_changeable(request, library_id).id, folder_id, actor=actor_of(request))
    return _out(_one(request, library_id))


def _one(request: HttpRequest, library_id: UUID) -> Library:
    found = libraries_of(asker(request)).filter(id=library_id).first()
    if found is None:
        raise LibraryNotFound(str(library_id))
    return found


def _changeable(request: HttpRequest, library_id: UUID) -> Library:
    """404 for a library that the asker may not see, as on the page; then 403 for who is no administrator."""
    library = _one(request, library_id)
    _staff(request)
    return library


def _give(library: Library, owner: UUID, actor: str) -> None:
    if not Account.objects.filter(pk=owner, is_active=True).exists():
        raise HttpError(422, "There is no such account.")
    try:
        hand_over(library.id, owner, actor=actor)
    except UploadsStay as error:
        raise HttpError(409, str(error)) from error


def _out(library: Library) -> dict[str, Any]:
    plain = ("id", "name", "owner_id", "watching", "write_sidecars", "ignore_rules", "analyses_off")
    return {**{name: getattr(library, name) for name in plain}, "folders": folders_of(library.id)}


def _staff(request: HttpRequest) -> None:
    if not asker(request).is_staff:
        raise HttpError(403, "Libraries are changed by administrators.")
