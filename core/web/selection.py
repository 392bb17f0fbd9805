"""What is done to many photos at once: stars, heart, keywords, a stack, an album; and its undoing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID, uuid4

from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.views.decorators.http import require_POST

from core.commands.albums import choose_cover, take_photos, undo_change
from core.commands.edits import edit_photos
from core.commands.stacks import stack_photos
from core.domain import edits
from core.domain.albums import AlbumNotFound
from core.domain.stacks import StackRule
from core.readmodels.albumcards import photos_of
from core.readmodels.albums import Album, album_for
from core.readmodels.conditions import BadFilter
from core.readmodels.photos import Photo, visible_photos
from core.web.access import Request, actor_of, signed_in
from core.web.albums import put_in
from core.web.edits import undo_anything
from core.web.words import counted

MOST = 500


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, in words; what takes it back, "photo:event" or "album:album:event"; tiles that are gone."""

    words: str
    undo: list[str] = field(default_factory=list)
    gone: list[UUID] = field(default_factory=list)
    changed: list[UUID] = field(default_factory=list)
    refused: bool = False
    album: Album | None = None


@require_POST
@signed_in
def act(request: Request) -> HttpResponse:
    """Do one thing to all of the photos, or to none."""
    photos = _chosen(request)
    act = _ACTS.get(request.POST.get("act", ""))
    if act is None or not photos:
        return HttpResponseBadRequest("There is no such act.")
    if len(photos) > MOST:
        return _said(request, Done(f"Choose {MOST} photos at most.", refused=True))
    try:
        with transaction.atomic():
            return _said(request, act(request, photos))
    except (edits.BadValue, BadFilter) as refused:
        return _said(request, Done(str(refused), refused=True))


@require_POST
@signed_in
def undo(request: Request) -> HttpResponse:
    """Take back what was done at once; what was changed again since then stays as it is."""
    texts = request.POST.getlist("undo")[:MOST]
    if any(text.startswith("album:") for text in texts):
        return _undo_album(request, texts[0])
    named = [text.partition(":") for text in texts]
    pairs = [(_uuid(photo), _uuid(event)) for photo, _, event in named]
    if visible_photos(request.user).filter(id__in=[photo for photo, _ in pairs]).count() < len(dict(pairs)):
        raise Http404("There is no such photo.")
    undone = 0
    for photo, event in pairs:
        try:
            undo_anything(photo, event, actor_of(request))
            undone += 1
        except edits.NotUndoable:  # with the first of a stack, or by somebody else meanwhile
            continue
    if request.POST.get("reload"):
        return HttpResponse(headers={"HX-Refresh": "true"})
    return _said(request, Done(f"Taken back for {counted(undone, 'photo')}."))


def _undo_album(request: Request, text: str) -> HttpResponse:
    """Take back what was done to an album; what was taken back meanwhile stays so."""
    _, album, event = (*text.split(":"), "", "")[:3]
    try:
        undo_change(album_for(request.user, _uuid(album)).id, _uuid(event), actor=actor_of(request))
    except AlbumNotFound as error:
        raise Http404("There is no such album.") from error
    except edits.NotUndoable as refused:
        return _said(request, Done(f"{refused}.", refused=True))
    if request.POST.get("reload"):
        return HttpResponse(headers={"HX-Refresh": "true"})
    return _said(request, Done("Taken back."))


def _stack(request: Request, photos: Sequence[Photo]) -> Done:
    if len(photos) < 2 or len({photo.library_id for photo in photos}) > 1:
        return Done("A stack has two photos or more, all of one library.", refused=True)
    top = photos[0].id
    members = dict.fromkeys([photo.id for photo in photos], StackRule.HAND)
    # One event takes back the whole stack.
    made = stack_photos(uuid4(), members, top=top, actor=actor_of(request))
    rest = [photo.id for photo in photos[1:]]
    return Done(f"{counted(len(photos), 'photo')} are shown as one.", [f"{top}:{made}"], rest, [top])


def _rate(request: Request, photos: Sequence[Photo]) -> Done:
    text = request.POST.get("rating", "")
    if text not in {"", *map(str, edits.STARS)}:
        raise edits.BadValue("Stars go from 0 to 5.")
    stars = int(text) if text else None
    words = counted(stars, "star") if stars is not None else "No stars"
    undo = _edited(request, photos, lambda _: edits.PhotoRated(stars))
    return Done(f"{words} for {counted(len(photos), 'photo')}.", undo)


def _favour(request: Request, photos: Sequence[Photo]) -> Done:
    undo = _edited(request, photos, lambda _: edits.PhotoFavoured(True))
    return Done(f"{counted(len(photos), 'photo')} now among the favourites.", undo)


def _add_keywords(request: Request, photos: Sequence[Photo]) -> Done:
    words = [word for text in request.POST.get("keywords", "").split(",") if (word := text.strip())]
    if not words:
        raise edits.BadValue("Write one keyword at least.")

    def more(photo: Photo) -> edits.Edit:
        # Not those of a moment ago: somebody else may be adding to them too.
        known = Photo.objects.values_list("facts", flat=True).get(id=photo.id).get("keywords", {}).get("value", [])
        return edits.KeywordsChanged((*known, *(word for word in words if word not in known)))

    undo = _edited(request, photos, more)
    return Done(f"{', '.join(words)}: added to {counted(len(photos), 'photo')}.", undo)


def _to_album(request: Request, photos: Sequence[Photo]) -> Done:
    """Into the album of this name, or into a new one."""
    album, event = put_in(request, request.POST.get("album_name", ""), [photo.id for photo in photos])
    if event is None:
        return Done(f"All of them are in {album.name} already.", album=album)
    return Done(
        f"{counted(len(photos), 'photo')} put into {album.name}.", [f"album:{album.id}:{event}"], album=album
    )


def _out_of_album(request: Request, photos: Sequence[Photo]) -> Done:
    album, chosen = _album(request), [photo.id for photo in photos]
    event = take_photos(album.id, chosen, actor=actor_of(request))
    undo = [f"album:{album.id}:{event}"] if event else []
    return Done(f"{counted(len(photos), 'photo')} taken out of {album.name}.", undo, chosen)


def _cover_album(request: Request, photos: Sequence[Photo]) -> Done:
    album = _album(request)
    if len(photos) > 1 or not photos_of(request.user, album).filter(id=photos[0].id).exists():
        return Done("Choose one photo of this album.", refused=True)
    event = choose_cover(album.id, photos[0].id, actor=actor_of(request))
    return Done(f"{album.name} is shown by this photo.", [f"album:{album.id}:{event}"] if event else [])


def _album(request: Request) -> Album:
    """The album on whose page this is done."""
    try:
        return album_for(request.user, _uuid(request.POST.get("album", "")))
    except AlbumNotFound as error:
        raise Http404("There is no such album.") from error


def _edited(request: Request, photos: Sequence[Photo], edit: Callable[[Photo], edits.Edit]) -> list[str]:
    """What takes it back."""
    made = edit_photos({photo.id: partial(edit, photo) for photo in photos}, actor=actor_of(request))
    return [f"{photo}:{event}" for photo, event in made]


_ACTS: dict[str, Callable[[Request, Sequence[Photo]], Done]] = {
    "stack": _stack,
    "rate": _rate,
    "favour": _favour,
    "keywords": _add_keywords,
    "album": _to_album,
    "out": _out_of_album,
    "cover": _cover_album,
}


def _chosen(request: Request) -> list[Photo]:
    """The photos in the order in which they were chosen. Raises Http404 for one that may not be seen."""
    asked = list(dict.fromkeys(_uuid(text) for text in request.POST.getlist("photo")[: MOST + 1]))
    found = visible_photos(request.user).in_bulk(asked)
    if len(found) < len(asked):
        raise Http404("There is no such photo.")
    return [found[one] for one in asked]


def _said(request: Request, done: Done) -> HttpResponse:
    return render(request, "photos/_selection_done.html", {"done": done})


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404("There is no such photo.") from error
