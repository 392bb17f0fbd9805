"""What a person says of a photo, for programs: changes in one request, its history, and undo."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string
from ninja import Schema, Status
from pydantic import Field

from core.api.access import Reason, actor_of, asker
from core.api.photos import PhotoDetail, detail, router
from core.commands.duplicates import undo_decision
from core.commands.edits import edit_photo, undo_edit
from core.commands.sidecars import ask_for_sidecar
from core.commands.stacks import undo_stacking
from core.domain import codec, duplicates, edits, stacks
from core.domain.looks import StyleCorrected
from core.domain.places import PlaceCorrected
from core.forgetting import BY_OWNER, forget, photo_to_forget
from core.readmodels.photos import history_of, photo_for
from core.readmodels.stacks import others_in_stack
from events.event import Event

__all__ = ["router"]  # one address, several verbs: they must be on one router


class Position(Schema):
    """Degrees, and metres above the sea."""

    latitude: float
    longitude: float
    altitude: float | None = None


class PlaceNames(Schema):
    """Where it was taken in one's own words, whatever the position says."""

    country: str = ""
    region: str = ""
    city: str = ""


class Taken(Schema):
    """The wall time without a zone, and the offset from UTC when known ("+02:00")."""

    at: str
    offset: str = ""


class PhotoChanges(Schema):
    """What is left out stays as it is; null takes a value away."""

    rating: int | None = Field(None, description="0 to 5; null takes the stars away")
    favourite: bool | None = None
    title: str | None = None
    caption: str | None = None
    keywords: list[str] | None = None
    position: Position | None = None
    place: PlaceNames | None = Field(None, description="Stays whatever the position says; undo brings that back")
    taken: Taken | None = None
    styles: dict[str, bool] = Field({}, description="{'vivid': false}: not, whatever is measured, until undone")
    version: int | None = Field(
        None, description="The version that was looked at: 409 when somebody changed the same since."
    )


class PhotoUndo(Schema):
    """A change in the photo's history."""

    event: UUID


class TagGroup(Schema):
    """Tags of one kind: pairs of name and value."""

    title: str
    tags: list[tuple[str, str]]


class AllTags(Schema):
    """Everything that the file says of itself."""

    groups: list[TagGroup]
    reason: str


class HistoryEntry(Schema):
    """One event, as the log has it."""

    event: UUID
    version: int
    at: datetime
    type: str
    actor: str
    data: dict[str, Any]
    can_undo: bool = Field(description="A change by a person, not undone yet.")


@router.patch("/{photo_id}", response=PhotoDetail, summary="Say something of a photo")
def change_photo(request: HttpRequest, photo_id: UUID, changes: PhotoChanges) -> dict[str, Any]:
    """422 for a value that cannot be, 409 when somebody changed the same fact after `version`."""
    photo_for(asker(request), photo_id)
    given = changes.dict(exclude_unset=True)
    seen = given.pop("version", None)
    changes_to_styles = [StyleCorrected(style, has) for style, has in given.pop("styles", {}).items()]
    said = [*(_edit(name, value) for name, value in given.items()), *changes_to_styles]
    edit_photo(photo_id, said, seen=seen, actor=actor_of(request))
    return detail(request, photo_id)


@router.delete("/{photo_id}", response={204: None}, summary="Forget a photo, for good")
def forget_photo(request: HttpRequest, photo_id: UUID, reason: Reason = BY_OWNER) -> Status[None]:
    """Everything that is known of it is erased, its previews and uploaded originals too; it cannot be undone.

    404 but for its owner; 409 while an original is in a folder that Filmroll only reads. Say why without personal
    words: `reason` is kept.
    """
    forget(photo_to_forget(asker(request), photo_id), actor=actor_of(request), reason=reason)
    return Status(204, None)


@router.post("/{photo_id}/undo", response=PhotoDetail, summary="Undo a change")
def undo(request: HttpRequest, photo_id: UUID, which: PhotoUndo) -> dict[str, Any]:
    """409 for what is no change by a person, or was undone already."""
    photo_for(asker(request), photo_id)
    done = undo_decision(photo_id, which.event, actor=actor_of(request)) or undo_stacking(
        photo_id, which.event, others_in_stack(photo_id), actor=actor_of(request)
    )
    if not done:
        undo_edit(photo_id, which.event, actor=actor_of(request))
    return detail(request, photo_id)


@router.get("/{photo_id}/history", response=list[HistoryEntry], summary="Everything that happened to a photo")
def history(request: HttpRequest, photo_id: UUID) -> list[dict[str, Any]]:
    """Newest first."""
    events = history_of(asker(request), photo_id)
    named = [(event.event_id, event.type, codec.decode(event)) for event in events if event.type in codec.TYPES]
    decoded = [(identity, fact) for identity, _, fact in named]
    changes = {identity for identity, fact in decoded if edits.touches(fact)} & edits.counting_events(decoded)
    changes |= duplicates.in_force(named) | stacks.in_force(decoded)
    return [_entry(event, event.event_id in changes) for event in reversed(events)]


@router.get("/{photo_id}/metadata", response=AllTags, summary="Every tag of the original, read now")
def all_tags(request: HttpRequest, photo_id: UUID) -> Any:
    """EXIF with the maker's note, XMP, IPTC, colour profile, container; `reason` says why there is nothing."""
    return import_string(settings.ALL_TAGS)(photo_for(asker(request), photo_id))


@router.post("/{photo_id}/sidecar", response={202: PhotoDetail}, summary="Write the XMP sidecar now")
def write_sidecar(request: HttpRequest, photo_id: UUID) -> Status[dict[str, Any]]:
    """A worker writes it; the history says how it went."""
    photo_for(asker(request), photo_id)
    ask_for_sidecar(photo_id, actor=actor_of(request))
    return Status(202, detail(request, photo_id))


def _entry(event: Event, can_undo: bool) -> dict[str, Any]:
    return {
        "event": event.event_id,
        "version": event.version,
        "at": event.recorded_at,
        "type": event.name,
        "actor": event.meta.get("actor", ""),
        "data": event.data,
        "can_undo": can_undo,
    }


def _edit(name: str, value: Any) -> edits.Edit:
    match name:
        case "rating":
            return edits.PhotoRated(value)
        case "favourite":
            return edits.PhotoFavoured(bool(value))
        case "title":
            return edits.PhotoTitled(value or "")
        case "caption":
            return edits.PhotoCaptioned(value or "")
        case "keywords":
            return edits.KeywordsChanged(tuple(value or ()))
        case "position" if value is None:
            return edits.PhotoPlaced(None, None)
        case "position":
            return edits.PhotoPlaced(value["latitude"], value["longitude"], value.get("altitude"))
        case "place":
            return PlaceCorrected(**{**PlaceNames().dict(), **(value or {})})
        case "taken" if value is not None:
            return edits.PhotoDated(value["at"], value.get("offset", ""))
    raise edits.BadValue("A photo keeps a date; give another one instead of null.")
