"""Stacks: several files of one shot, shown as one. Which photos belong together, and which of them is on top."""

import enum
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5


class AboutStack:
    """What the events about stacks have in common: no step of the pipeline depends on them."""

    __slots__ = ()


class StackRule(enum.StrEnum):
    """Why a photo is in its stack."""

    SHOT = "shot"  # the same shot in another format, or edited: RAW and JPEG, IMG_1 and IMG_E1
    LIVE = "live"  # a still and its film
    HAND = "hand"  # a person put it there


@dataclass(frozen=True, slots=True)
class PhotoStacked(AboutStack):
    """The photo is part of a stack from now on, and of no other."""

    stack: UUID
    rule: StackRule


@dataclass(frozen=True, slots=True)
class PhotoUnstacked(AboutStack):
    """A person took the photo out of its stack; the machine never puts it into one again."""

    stack: UUID


@dataclass(frozen=True, slots=True)
class PutOnTop(AboutStack):
    """A person chose this photo as the one by which the stack is shown."""

    stack: UUID


@dataclass(frozen=True, slots=True)
class TopTakenBack(AboutStack):
    """That a person chose this photo for the top of the stack counts no longer."""

    stack: UUID


StackEvent = PhotoStacked | PhotoUnstacked | PutOnTop | TopTakenBack


class NotStacked(ValueError):
    """The photo is in no stack, or in another one by now."""


@dataclass(frozen=True, slots=True)
class Membership:
    """A photo's part in stacks, folded from its events."""

    stack: UUID | None = None
    by_hand: bool = False  # a person has had a say


def membership(events: Iterable[object]) -> Membership:
    """The state after these events of a photo."""
    state = Membership()
    for event in events:
        match event:
            case PhotoStacked(stack=stack, rule=rule):
                state = Membership(stack, state.by_hand or rule == StackRule.HAND)
            case PhotoUnstacked():
                state = Membership(None, True)
    return state


def in_force(history: Iterable[tuple[UUID, object]]) -> frozenset[UUID]:
    """Of a photo's events (id, fact) what a person did last to its stack, and which choice of the top counts."""
    act: UUID | None = None
    top: UUID | None = None
    for identity, event in history:
        match event:
            case PhotoStacked(rule=rule):
                act, top = (identity if rule == StackRule.HAND else None), None
            case PhotoUnstacked():
                act, top = identity, None
            case PutOnTop():
                top = identity
            case TopTakenBack():
                top = None
    return frozenset(one for one in (act, top) if one is not None)


def decide_taken_back(history: Sequence[tuple[UUID, object]], target: StackEvent) -> list[StackEvent]:
    """Reverse what counts of this kind about the same stack; nothing where nothing of the kind counts."""
    counting = in_force(history)
    same = [
        at
        for at, (identity, fact) in enumerate(history)
        if identity in counting and type(fact) is type(target) and getattr(fact, "stack", None) == target.stack
    ]
    if not same:
        return []
    match target:
        case PutOnTop(stack=stack):
            return [TopTakenBack(stack)]
        case PhotoUnstacked(stack=stack):
            return [PhotoStacked(stack, StackRule.HAND)]
        case _:
            before = membership(fact for _, fact in history[: same[0]])
            return (
                [PhotoUnstacked(target.stack)]
                if before.stack is None
                else [PhotoStacked(before.stack, StackRule.HAND)]
            )


def decide_stacked(state: Membership, stack: UUID, rule: StackRule, *, on_top: bool = False) -> list[StackEvent]:
    """What a person has put together or taken apart stays so, whatever the machine finds."""
    if state.stack == stack or (state.by_hand and rule != StackRule.HAND):
        return []
    joined: list[StackEvent] = [PhotoStacked(stack, rule)]
    return [*joined, PutOnTop(stack)] if on_top else joined


def decide_unstacked(state: Membership, stack: UUID) -> list[StackEvent]:
    """Taken out twice is taken out once."""
    return [PhotoUnstacked(stack)] if state.stack == stack else []


def decide_on_top(state: Membership, stack: UUID) -> list[StackEvent]:
    """Raises NotStacked."""
    if state.stack != stack:
        raise NotStacked("This photo is in no stack any more")
    return [PutOnTop(stack)]


# --- names --------------------------------------------------------------------------------------------------

# How programs name what they edited: Google, Apple, and the film of a live photo beside its still.
_MARKS = ("-edited", "_edited", " (edited)", "-bearbeitet", "-edit", "_HEVC", "")
_EDITED = re.compile(r"(?:[-_]edited| \(edited\)|-bearbeitet|-edit)$")
_MARKED = re.compile(rf"(?:{_EDITED.pattern[:-1]}|_HEVC)$")
_APPLE_EDIT = re.compile(r"^IMG_E(?=\d{4}$)")
_APPLE_PLAIN = re.compile(r"^IMG_(?=\d{4}$)")


def shot_name(path: str) -> str:
    """Folder and base name of the shot that a file is of: that of IMG_E1234.HEIC is IMG_1234."""
    folder, slash, name = path.rpartition("/")
    base = _MARKED.sub("", _without_ending(name))
    return f"{folder}{slash}{_APPLE_EDIT.sub('IMG_', base)}"


def is_edited(path: str) -> bool:
    """Whether the name says that this is an edited version."""
    base = _without_ending(path.rpartition("/")[2])
    return bool(_EDITED.search(base) or _APPLE_EDIT.match(base))


def beginnings(path: str) -> list[str]:
    """How the paths of all files begin that may be of the same shot, up to the dot before their ending."""
    folder, slash, base = shot_name(path).rpartition("/")
    names = [base + mark for mark in _MARKS]
    if _APPLE_PLAIN.match(base):
        names.append(_APPLE_PLAIN.sub("IMG_E", base))
    return [f"{folder}{slash}{name}." for name in names]


def _without_ending(name: str) -> str:
    stem, dot, _ = name.rpartition(".")
    return stem if dot and stem else name


# --- which belong together ----------------------------------------------------------------------------------

_LIVE_SECONDS, _APART = 15.0, timedelta(seconds=10)
_QUARTER = 900


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the rules look at. `places` are (folder, path) of its files; `taken` is the word of the file itself."""

    id: UUID
    media: str
    places: frozenset[tuple[UUID, str]]
    taken: datetime | None = None
    offset: str = ""
    camera: str = ""
    seconds: float = 0.0
    identifier: str = ""
    stack: UUID | None = None

    @property
    def shots(self) -> set[tuple[UUID, str]]:
        return {(folder, shot_name(path)) for folder, path in self.places}


def group_of(start: UUID, candidates: Sequence[Candidate]) -> dict[UUID, StackRule]:
    """The photos that belong with one, itself among them, and why; empty when it stands alone.

    What belongs together through a third one does as well, so the order in which they came makes no difference.
    """
    known = {one.id: one for one in candidates}
    found: dict[UUID, StackRule] = {}
    met, waiting = {start}, [start] if start in known else []
    while waiting:
        here = known[waiting.pop()]
        for other, rule in _linked(here, candidates):
            for one in (here.id, other.id):
                if found.get(one) != StackRule.SHOT:
                    found[one] = rule
            if other.id not in met:
                met.add(other.id)
                waiting.append(other.id)
    return found


def stack_id(library: UUID, members: Iterable[Candidate]) -> UUID:
    """The id of the stack of these: the one that some of them are in already, else one of their own."""
    group = list(members)
    stacks = sorted(one.stack for one in group if one.stack is not None)
    return stacks[0] if stacks else uuid5(library, f"stack:{min(str(one.id) for one in group)}")


def _linked(here: Candidate, candidates: Sequence[Candidate]) -> Iterator[tuple[Candidate, StackRule]]:
    for other in candidates:
        if other.id == here.id:
            continue
        films = [one for one in (here, other) if one.media == "video"]
        if not films and _same_shot(here, other):
            yield other, StackRule.SHOT
        elif len(films) == 1 and _live_pair(other if films[0] is here else here, films[0]):
            yield other, StackRule.LIVE


def _same_shot(one: Candidate, other: Candidate) -> bool:
    """The same name in the same folder, the same moment as far as both say it, the same camera."""
    if not one.shots & other.shots or not one.camera or one.camera != other.camera:
        return False
    if one.taken is None or other.taken is None:
        return False
    if one.taken.microsecond and other.taken.microsecond:
        return one.taken == other.taken
    return one.taken.replace(microsecond=0) == other.taken.replace(microsecond=0)


def _live_pair(still: Candidate, film: Candidate) -> bool:
    """Apple's identifier ties them, or the name and the moment do; never a longer film."""
    if not 0 < film.seconds <= _LIVE_SECONDS or still.media != "image":
        return False
    if still.identifier and film.identifier:
        return still.identifier == film.identifier
    return bool(still.shots & film.shots) and _same_moment(still, film)


def _same_moment(still: Candidate, film: Candidate) -> bool:
    """Films know UTC at least. A still without an offset may be whole quarters of an hour away from it."""
    if still.taken is None or film.taken is None:
        return False
    apart = still.taken - film.taken - (_utc_offset(still.offset) - _utc_offset(film.offset))
    if still.offset:
        return abs(apart) <= _APART
    rest = apart.total_seconds() % _QUARTER
    return min(rest, _QUARTER - rest) <= _APART.total_seconds() and abs(apart) <= timedelta(hours=14)


def _utc_offset(text: str) -> timedelta:
    if not text:
        return timedelta()
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return timedelta(minutes=-minutes if text[0] == "-" else minutes)
