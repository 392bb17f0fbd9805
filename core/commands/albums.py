"""What may be done with albums. Who may see the album and the photos that are named is for the caller to ask."""

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID, uuid4

from core.commands.decisions import Decision, settle
from core.commands.log import named, write
from core.domain import albums
from core.domain.albums import Album, AlbumEvent, AlbumNotFound, Wanted
from core.domain.streams import album_stream
from events.store import NO_STREAM


def make_album(
    owner: UUID,
    name: str,
    *,
    rule: Iterable[Wanted] | None = None,
    photos: Iterable[UUID] = (),
    actor: str,
) -> UUID:
    """Begin an album: with a rule, or with some photos or none, to be filled by hand. Raises BadValue."""
    news = albums.decide_made(owner, name, rule)
    if chosen := list(photos):
        news += albums.decide_added(albums.fold(news), chosen)
    identity = uuid4()
    write(album_stream(identity), news, actor=actor, expected=NO_STREAM)
    return identity


def rename_album(album_id: UUID, name: str, *, actor: str) -> None:
    """Raises BadValue, AlbumNotFound."""
    _decide(album_id, lambda album: albums.decide_renamed(album, name), actor)


def change_rule(album_id: UUID, rule: Iterable[Wanted], *, actor: str) -> None:
    """Have other photos answer. Raises BadValue, AlbumNotFound."""
    wanted = tuple(rule)
    _decide(album_id, lambda album: albums.decide_rule(album, wanted), actor)


def remove_album(album_id: UUID, *, actor: str) -> None:
    """Show it no longer; its photos stay where they are. Raises AlbumNotFound."""
    _decide(album_id, albums.decide_removed, actor)


def add_photos(album_id: UUID, photos: Iterable[UUID], *, actor: str) -> UUID | None:
    """Put photos into an album; the event, or None where all are in it. Raises BadValue, AlbumNotFound."""
    chosen = tuple(photos)
    return _decide(album_id, lambda album: albums.decide_added(album, chosen), actor)


def take_photos(album_id: UUID, photos: Iterable[UUID], *, actor: str) -> UUID | None:
    """Take photos out of an album; the event, or None where none is in it. Raises BadValue, AlbumNotFound."""
    chosen = tuple(photos)
    return _decide(album_id, lambda album: albums.decide_taken(album, chosen), actor)


def choose_cover(album_id: UUID, photo: UUID | None, *, actor: str) -> UUID | None:
    """Show an album by this photo; the event, or None where it is so already. Raises AlbumNotFound."""
    return _decide(album_id, lambda album: albums.decide_cover(album, photo), actor)


def undo_change(album_id: UUID, change: UUID, *, actor: str) -> None:
    """Take back one change of an album, or one undoing. Raises NotUndoable, AlbumNotFound."""
    _append(album_id, lambda history: albums.decide_undo(history, change), actor)


def _decide(album_id: UUID, decide: Callable[[Album], Sequence[AlbumEvent]], actor: str) -> UUID | None:
    return _append(album_id, lambda history: decide(albums.album_of(history)), actor)


def _append(album_id: UUID, decide: Callable[[albums.History], Sequence[AlbumEvent]], actor: str) -> UUID | None:
    """The event by which this can be taken back; None where there is nothing new."""
    first = uuid4()
    decision = Decision(
        album_stream(album_id),
        lambda stored: decide(named(stored)),
        missing=AlbumNotFound(str(album_id)),
        name=lambda _: [first],
    )
    return first if settle(decision, actor=actor) else None
