"""What was done to an album, as its history tells it: one sentence per change, with the way to take it back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.domain import albums
from core.readmodels.albums import AlbumChange
from core.web.history import account_names, who
from core.web.words import counted


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One line. `counts`: it was not undone, so that it can be."""

    id: UUID
    icon: str
    words: str
    who: str
    at: datetime
    counts: bool


def changes_in_words(changes: Iterable[AlbumChange]) -> list[ChangeLine]:
    """The history of an album, in the order in which it is given."""
    known = list(changes)
    names = account_names(change.actor for change in known)
    by_id = {change.id: change for change in known}
    return [ChangeLine(one.id, *_sentence(one, by_id), who(one.actor, names), one.at, one.counts) for one in known]


def _sentence(change: AlbumChange, known: Mapping[UUID, AlbumChange]) -> tuple[str, str]:
    match change.fact:
        case albums.AlbumMade(rule=None):
            return "plus", "Made, to be filled by hand"
        case albums.AlbumMade():
            return "plus", "Made of a search"
        case albums.AlbumRenamed(name=name):
            return "pencil", f"Renamed {name}"
        case albums.AlbumRuleChanged(rule=rule):
            return "funnel", f"Another rule, of {counted(len(rule), 'filter')}"
        case albums.AlbumRemoved():
            return "trash", "Removed"
        case albums.PhotosAddedToAlbum(photos=photos):
            return "plus-circle", f"{counted(len(photos), 'photo')} put in"
        case albums.PhotosTakenFromAlbum(photos=photos):
            return "minus-circle", f"{counted(len(photos), 'photo')} taken out"
        case albums.AlbumCoverChosen(photo=photo):
            return "photo", "Another cover was chosen" if photo else "The cover is left to Filmroll"
        case albums.AlbumChangeUndone(change=before):
            inner = known.get(before)
            words = _sentence(inner, known)[1] if inner else "something"
            return "arrow-uturn-left", f"Undone: {words[:1].lower()}{words[1:]}"
    return "question-mark-circle", change.type
