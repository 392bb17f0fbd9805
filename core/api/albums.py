"""Albums for programs: made by hand or of a search, filled, changed, removed, and every change taken back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.errors import HttpError
from pydantic import Field

from core.api.access import Limit, actor_of, asker
from core.api.photos import PhotosPage, summary
from core.commands import albums as commands
from core.domain.albums import PHOTOS_LIMIT, Wanted
from core.domain.edits import BadValue
from core.domain.photos import PhotoNotFound
from core.readmodels.albumcards import Card, broken_parts, card_of, cards_of, photos_of
from core.readmodels.albums import Album, album_for, changes_of
from core.readmodels.conditions import BadFilter
from core.readmodels.filters import asked_in, check
from core.readmodels.found import search
from core.readmodels.photos import visible_photos
from core.readmodels.timeline import Cursor

router = Router(tags=["albums"])
Rule = dict[str, list[str]]
_RULE = Field(None, description="Filters of the search with their values: {'label': ['cat'], 'rating': ['4']}.")


class NewAlbum(Schema):
    """An album by rule, or one by hand with some photos or none."""

    name: str
    rule: Rule | None = _RULE
    photos: list[UUID] = Field([], max_length=PHOTOS_LIMIT)


class AlbumChanges(Schema):
    """What is left out stays as it is."""

    name: str | None = None
    rule: Rule | None = _RULE
    cover: UUID | None = Field(None, description="A photo of the album; null leaves the choice to Filmroll.")


class PhotosIn(Schema):
    """Some photos."""

    photos: list[UUID] = Field(min_length=1, max_length=PHOTOS_LIMIT)


class AlbumUndo(Schema):
    """A change in the album's history."""

    change: UUID


class AlbumOut(Schema):
    """An album with what you may see of it."""

    id: UUID
    name: str
    rule: Rule | None = Field(description="null: it is filled by hand.")
    broken: list[str] = Field(description="Filters of the rule that name what is no longer there.")
    removed: bool
    count: int
    more: bool = Field(description="There are more photos than `count`, which is where counting ends.")
    cover: UUID | None


class ChangeOut(Schema):
    """One change, as the log has it."""

    change: UUID
    at: datetime
    type: str
    actor: str
    data: dict[str, Any]
    counts: bool = Field(description="It was not undone, so it can be.")


@router.get("", response=list[AlbumOut], summary="The asker's own albums, by name")
def list_albums(request: HttpRequest, removed: bool = False) -> list[dict[str, Any]]:
    """`removed`: those that were removed instead, which can be brought back by undoing that."""
    account = asker(request)
    return [_album(request, card) for card in cards_of(account, removed=removed)]


@router.post("", response={201: AlbumOut}, summary="Make an album")
def make_album(request: HttpRequest, new: NewAlbum) -> Status[Any]:
    """422 for a rule that makes no sense, and for a rule and photos at once."""
    account = asker(request)
    rule = None if new.rule is None else _wanted(request, new.rule)
    _refuse_unseen(request, new.photos)
    made = commands.make_album(account.pk, new.name, rule=rule, photos=new.photos, actor=actor_of(request))
    return Status(201, _one(request, made))


@router.get("/{album_id}", response=AlbumOut, summary="One album")
def one_album(request: HttpRequest, album_id: UUID) -> dict[str, Any]:
    """404 for an album that is not the asker's."""
    return _one(request, album_id)


@router.patch("/{album_id}", response=AlbumOut, summary="Change an album")
def change_album(request: HttpRequest, album_id: UUID, changes: AlbumChanges) -> dict[str, Any]:
    """Name, rule, cover: all or nothing."""
    album, given = album_for(asker(request), album_id), changes.dict(exclude_unset=True)
    with transaction.atomic():
        if given.get("name") is not None:
            commands.rename_album(album.id, given["name"], actor=actor_of(request))
        if given.get("rule") is not None:
            commands.change_rule(album.id, _wanted(request, given["rule"], [album.id]), actor=actor_of(request))
        if "cover" in given:
            _choose_cover(request, album, given["cover"])
    return _one(request, album_id)


@router.delete("/{album_id}", response={204: None}, summary="Remove an album")
def remove_album(request: HttpRequest, album_id: UUID) -> Status[None]:
    """Its photos are not touched; undoing the removal brings it back."""
    commands.remove_album(album_for(asker(request), album_id).id, actor=actor_of(request))
    return Status(204, None)


@router.get("/{album_id}/photos", response=PhotosPage, summary="The photos of an album, newest first")
def list_photos(request: HttpRequest, album_id: UUID, before: str = "", limit: Limit = 100) -> dict[str, Any]:
    """Those that the asker may see. 409 while the rule is broken."""
    account = asker(request)
    album = album_for(account, album_id)
    try:
        cursor = Cursor.parse(before) if before else None
    except ValueError as error:
        raise HttpError(422, f"before={before!r} is no cursor; use the value of `next`.") from error
    try:
        page = search(account, [("album", str(album.id))], cursor, limit)
    except BadFilter as error:
        raise HttpError(409, str(error)) from error
    return {"photos": [summary(photo) for photo in page.photos], "next": str(page.next) if page.next else None}


@router.post("/{album_id}/photos", response=AlbumOut, summary="Put photos into an album by hand")
def add_photos(request: HttpRequest, album_id: UUID, which: PhotosIn) -> dict[str, Any]:
    """404 when one of them is not there for the asker; 422 for an album by rule."""
    album = album_for(asker(request), album_id)
    _refuse_unseen(request, which.photos)
    commands.add_photos(album.id, which.photos, actor=actor_of(request))
    return _one(request, album_id)


@router.post("/{album_id}/photos/take-out", response=AlbumOut, summary="Take photos out of an album by hand")
def take_photos(request: HttpRequest, album_id: UUID, which: PhotosIn) -> dict[str, Any]:
    """The photos themselves are not touched."""
    commands.take_photos(album_for(asker(request), album_id).id, which.photos, actor=actor_of(request))
    return _one(request, album_id)


@router.get("/{album_id}/history", response=list[ChangeOut], summary="What was done to an album")
def history(request: HttpRequest, album_id: UUID) -> list[dict[str, Any]]:
    """The latest first."""
    names = ("at", "type", "actor", "data", "counts")
    return [
        {"change": one.id, **{name: getattr(one, name) for name in names}}
        for one in changes_of(album_for(asker(request), album_id).id)
    ]


@router.post("/{album_id}/undo", response=AlbumOut, summary="Undo a change of an album")
def undo(request: HttpRequest, album_id: UUID, which: AlbumUndo) -> dict[str, Any]:
    """409 for what was undone already."""
    commands.undo_change(album_for(asker(request), album_id).id, which.change, actor=actor_of(request))
    return _one(request, album_id)


def _one(request: HttpRequest, album_id: UUID) -> dict[str, Any]:
    album = album_for(asker(request), album_id)
    return _album(request, Card(album, 0, None) if album.removed else card_of(asker(request), album))


def _album(request: HttpRequest, card: Card) -> dict[str, Any]:
    album = card.album
    rule: Rule = {}
    for name, value in album.asked:
        rule.setdefault(name, []).append(value)
    broken = broken_parts(asker(request), album) if card.broken else {}
    return {
        **{name: getattr(album, name) for name in ("id", "name", "removed")},
        "rule": None if album.rule is None else rule,
        "broken": list(dict.fromkeys(name for name, _ in broken)),
        "count": card.count,
        "more": card.more,
        "cover": card.cover.id if card.cover else None,
    }


def _wanted(request: HttpRequest, rule: Rule, above: Sequence[UUID] = ()) -> list[Wanted]:
    try:
        asked = asked_in(rule)
        check(asker(request), asked, above)
    except BadFilter as error:
        raise BadValue(str(error)) from error
    if unknown := rule.keys() - {name for name, _ in asked}:
        raise BadValue(f"There is no filter {min(unknown)}, or it has no value.")
    return [Wanted(name, value) for name, value in asked]


def _choose_cover(request: HttpRequest, album: Album, photo: UUID | None) -> None:
    try:
        if photo is not None and not photos_of(asker(request), album).filter(id=photo).exists():
            raise BadValue("That photo is not in this album.")
    except BadFilter as error:
        raise BadValue(str(error)) from error
    commands.choose_cover(album.id, photo, actor=actor_of(request))


def _refuse_unseen(request: HttpRequest, photos: list[UUID]) -> None:
    seen = set(visible_photos(asker(request)).filter(id__in=photos).values_list("id", flat=True))
    if missing := set(photos) - seen:
        raise PhotoNotFound(str(min(missing)))
