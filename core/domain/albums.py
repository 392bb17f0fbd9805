"""Albums: photos that a person has put together by hand, or that answer a kept search; and how that is taken back.

What an album is follows from all its changes that count, in their order: one that is undone is as if it had never
been made, whatever was done after it. No photo is ever touched.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from core.domain.edits import BadValue, NotUndoable
from core.domain.personal import Personal

NAME_LIMIT = 200
# Photos in one event: what fits into one.
PHOTOS_LIMIT = 1000
PARTS_LIMIT = 20
_VALUE_LIMIT = 200


class AboutAlbum:
    """What the changes of an album have in common: a person made them, and may take them back."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """One part of a rule: a filter of the search and its value, as they stand in the address."""

    filter: str
    value: Personal[str]


Rule = tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class AlbumMade(AboutAlbum):
    """An album begins: with a rule, by which photos join by themselves, or without, to be filled by hand."""

    owner: UUID
    name: Personal[str]
    rule: Personal[tuple[Wanted, ...] | None] = None


@dataclass(frozen=True, slots=True)
class AlbumRenamed(AboutAlbum):
    """It has another name."""

    name: Personal[str]


@dataclass(frozen=True, slots=True)
class AlbumRuleChanged(AboutAlbum):
    """Other photos answer from now on."""

    rule: Personal[tuple[Wanted, ...]]


@dataclass(frozen=True, slots=True)
class AlbumRemoved(AboutAlbum):
    """It is no longer shown; its photos are where they were."""


@dataclass(frozen=True, slots=True)
class PhotosAddedToAlbum(AboutAlbum):
    """These photos are in the album from now on."""

    photos: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class PhotosTakenFromAlbum(AboutAlbum):
    """These photos are no longer in the album."""

    photos: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class AlbumCoverChosen(AboutAlbum):
    """The photo by which the album is shown; nothing leaves the choice to Filmroll."""

    photo: UUID | None


@dataclass(frozen=True, slots=True)
class AlbumChangeUndone(AboutAlbum):
    """A change counts no longer. May itself be undone: then the change counts again, in its old place."""

    change: UUID


AlbumEvent = (
    AlbumMade
    | AlbumRenamed
    | AlbumRuleChanged
    | AlbumRemoved
    | PhotosAddedToAlbum
    | PhotosTakenFromAlbum
    | AlbumCoverChosen
    | AlbumChangeUndone
)
History = Sequence[tuple[UUID, object]]


class AlbumNotFound(LookupError):
    """There is no such album, or not for this account."""


@dataclass(frozen=True, slots=True)
class Album:
    """An album's state. `rule`: None for one that is filled by hand; its photos are then in `photos`."""

    owner: UUID | None = None
    name: str = ""
    rule: Rule | None = None
    removed: bool = False
    cover: UUID | None = None
    photos: dict[UUID, None] = field(default_factory=dict)  # in the order in which they came


def counting_changes(history: Iterable[tuple[UUID, object]]) -> frozenset[UUID]:
    """The changes and undoings that count: those that no counting undoing names."""
    counting: set[UUID] = set()
    undone: set[UUID] = set()
    for identity, fact in reversed(list(history)):
        if isinstance(fact, AboutAlbum) and identity not in undone:
            counting.add(identity)
            if isinstance(fact, AlbumChangeUndone):
                undone.add(fact.change)
    return frozenset(counting)


def album_of(history: History) -> Album:
    """What an album is after these events of its stream."""
    counting = counting_changes(history)
    return fold(fact for identity, fact in history if identity in counting)


def fold(changes: Iterable[object]) -> Album:
    """What an album is after these changes, all of which count."""
    album, photos = Album(), dict[UUID, None]()
    for change in changes:
        match change:
            case AlbumMade(owner=owner, name=name, rule=rule):
                album = replace(album, owner=owner, name=name, rule=rule)
            case AlbumRenamed(name=name):
                album = replace(album, name=name)
            case AlbumRuleChanged(rule=rule):
                album = replace(album, rule=rule)
            case AlbumRemoved():
                album = replace(album, removed=True)
            case AlbumCoverChosen(photo=cover):
                album = replace(album, cover=cover)
            case PhotosAddedToAlbum(photos=added):
                photos |= dict.fromkeys(added)
            case PhotosTakenFromAlbum(photos=taken):
                photos = {one: None for one in photos if one not in set(taken)}
    return replace(album, photos=photos)


def decide_made(owner: UUID, name: str, rule: Iterable[Wanted] | None = None) -> list[AlbumEvent]:
    """A new album, by rule or by hand. Raises BadValue."""
    return [AlbumMade(owner, _name(name), None if rule is None else _rule(rule))]


def decide_renamed(album: Album, name: str) -> list[AlbumEvent]:
    """The name that it has already is no news. Raises BadValue."""
    clean = _name(name)
    return [] if clean == album.name else [AlbumRenamed(clean)]


def decide_rule(album: Album, rule: Iterable[Wanted]) -> list[AlbumEvent]:
    """Raises BadValue without a rule, and for an album that is filled by hand."""
    if album.rule is None:
        raise BadValue("This album is filled by hand.")
    clean = _rule(rule)
    return [] if clean == album.rule else [AlbumRuleChanged(clean)]


def decide_removed(album: Album) -> list[AlbumEvent]:
    """Removed twice is removed once."""
    return [] if album.removed else [AlbumRemoved()]


def decide_added(album: Album, photos: Iterable[UUID]) -> list[AlbumEvent]:
    """What is in it already is no news. Raises BadValue."""
    new = [one for one in _checked(album, photos) if one not in album.photos]
    return [PhotosAddedToAlbum(tuple(new))] if new else []


def decide_taken(album: Album, photos: Iterable[UUID]) -> list[AlbumEvent]:
    """What is not in it is not taken out. Raises BadValue."""
    there = [one for one in _checked(album, photos) if one in album.photos]
    return [PhotosTakenFromAlbum(tuple(there))] if there else []


def decide_cover(album: Album, photo: UUID | None) -> list[AlbumEvent]:
    """Chosen twice is chosen once."""
    return [] if photo == album.cover else [AlbumCoverChosen(photo)]


def decide_undo(history: History, change: UUID) -> list[AlbumEvent]:
    """The event that takes a change back, or an undoing; an album that was made is removed. Raises NotUndoable."""
    target = next((fact for identity, fact in history if identity == change), None)
    if not isinstance(target, AboutAlbum):
        raise NotUndoable("This is not a change that can be undone")
    album = album_of(history)
    if change not in counting_changes(history) or (isinstance(target, AlbumMade) and album.removed):
        raise NotUndoable("This change was undone already")
    return decide_removed(album) if isinstance(target, AlbumMade) else [AlbumChangeUndone(change)]


def _name(text: str) -> str:
    clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if not clean:
        raise BadValue("An album has a name.")
    if len(clean) > NAME_LIMIT:
        raise BadValue(f"Names have {NAME_LIMIT} letters at most.")
    return clean


def _rule(rule: Iterable[Wanted]) -> Rule:
    parts = tuple(dict.fromkeys(rule))
    if not parts:
        raise BadValue("A rule has one filter at least.")
    if len(parts) > PARTS_LIMIT or any(len(part.value) > _VALUE_LIMIT for part in parts):
        raise BadValue(f"A rule has {PARTS_LIMIT} filters at most, of {_VALUE_LIMIT} letters each.")
    return parts


def _checked(album: Album, photos: Iterable[UUID]) -> list[UUID]:
    if album.rule is not None:
        raise BadValue("The photos of this album follow from its rule.")
    known = list(dict.fromkeys(photos))
    if not known:
        raise BadValue("Choose a photo at least.")
    if len(known) > PHOTOS_LIMIT:
        raise BadValue(f"{PHOTOS_LIMIT:,} photos at most at once.")
    return known
