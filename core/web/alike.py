"""A group of photos that look alike, in words: what differs, and which one to keep."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from core.readmodels.alikegroups import Group
from core.readmodels.photos import Photo
from core.readmodels.proposals import OWN_WORD, SAID, Proposal, proposal_for
from core.web.tiles import average_colour, words_for
from core.web.words import counted, pixels, size, wall_time

_Words: TypeAlias = Callable[[Photo], str]


@dataclass(frozen=True, slots=True)
class Line:
    """One fact; `stands_out`: it is better than that of the others, or else differs from it."""

    label: str
    text: str
    stands_out: bool


@dataclass(frozen=True, slots=True)
class Member:
    """One photo of a group."""

    photo: Photo
    number: int
    is_best: bool
    words: str
    colour: str
    ratio: str
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """A group as its page shows it, the best first. `sure`: nothing speaks for looking at it one by one."""

    id: UUID
    members: list[Member]
    best: UUID
    reason: str
    note: str
    sure: bool

    @property
    def title(self) -> str:
        return counted(len(self.members), "photo")


def side_by_side(group: Group) -> SideBySide:
    """The group with its facts, those that differ marked."""
    proposal = proposal_for(group)
    members = [_member(number, photo, proposal.photos) for number, photo in enumerate(proposal.photos, 1)]
    best = proposal.photos[0].id
    return SideBySide(group.id, members, best, proposal.reason, _note(proposal), proposal.sure)


def _note(proposal: Proposal) -> str:
    if proposal.moments > 1:
        return "Taken at different moments"
    if not proposal.group.exact:
        return "Alike, with differences"
    if not proposal.one_tone:
        return "Look the same, in other colours"
    return "Look the same" if proposal.one_shape else "Look the same, in other proportions"


def _member(number: int, photo: Photo, among: list[Photo]) -> Member:
    return Member(
        photo,
        number,
        number == 1,
        words_for(photo),
        average_colour(photo.thumbhash),
        f"{photo.width / photo.height:.4f}" if photo.width and photo.height else "1.5",
        [line for line in _lines(photo, among) if line.text],
    )


def _lines(photo: Photo, among: list[Photo]) -> list[Line]:
    def line(label: str, words: _Words, value: Callable[[Photo], int] | None = None) -> Line:
        differs = len({words(one) for one in among}) > 1
        best = value is None or value(photo) == max(map(value, among))
        return Line(label, words(photo), differs and best)

    return [
        line("Pixels", _pixels, lambda one: (one.width or 0) * (one.height or 0)),
        line("File", lambda one: size(one.size), lambda one: one.size),
        line("Format", lambda one: one.kind.upper()),
        line("Taken", _taken),
        line("Camera", lambda one: one.camera),
        line("Yours", _said),
        line("Folder", lambda one: one.path.rpartition("/")[0]),
        line("Original", lambda one: "missing" if one.missing else ""),
    ]


def _pixels(photo: Photo) -> str:
    return pixels(photo.width, photo.height) if photo.width and photo.height else ""


def _taken(photo: Photo) -> str:
    if photo.taken_local is None:
        return ""
    guessed = "" if photo.taken_source in OWN_WORD else f" ({photo.taken_source})"
    return wall_time(photo.taken_local) + guessed


def _said(photo: Photo) -> str:
    stars = counted(photo.rating, "star") if photo.rating else ""
    words = [name for name in SAID[1:] if photo.facts.get(name, {}).get("source") == "user"]
    return ", ".join(filter(None, [stars, "favourite" if photo.favourite else "", *words]))
