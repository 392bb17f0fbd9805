"""What a person decides of photos that look alike: which one is kept in sight, and which are no duplicates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from core.domain import edits

_OTHER_CONTENT = "photo.content_replaced"


class AboutDuplicates:
    """What the events about duplicates have in common: no step of the pipeline depends on them."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class MarkedDuplicate(AboutDuplicates):
    """A person keeps another photo instead: this one is in the timeline no longer. Its file is untouched.

    `review` is the same for all that was decided at once.
    """

    of: UUID
    review: UUID


@dataclass(frozen=True, slots=True)
class UnmarkedDuplicate(AboutDuplicates):
    """The photo is in the timeline again."""

    of: UUID


@dataclass(frozen=True, slots=True)
class ToldApart(AboutDuplicates):
    """A person says that the others are no duplicates of this one; they are not proposed together again."""

    others: tuple[UUID, ...]
    review: UUID


@dataclass(frozen=True, slots=True)
class ApartTakenBack(AboutDuplicates):
    """What was told apart in this review may be proposed again."""

    review: UUID


DuplicateEvent = MarkedDuplicate | UnmarkedDuplicate | ToldApart | ApartTakenBack


class NotAChoice(ValueError):
    """What is asked for cannot be: the text says why."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What persons decided of one photo, folded from its events. `apart`: review → the others."""

    of: UUID | None = None
    review: UUID | None = None
    apart: Mapping[UUID, frozenset[UUID]] = field(default_factory=dict)


def judgement(events: Iterable[tuple[str, object]]) -> Judgement:
    """The state after these events of a photo, each with its written-down name."""
    state = Judgement()
    for name, event in events:
        # Another picture now: that it was a duplicate was said of the former one.
        state = replace(state, of=None, review=None) if name == _OTHER_CONTENT else evolve(state, event)
    return state


def evolve(state: Judgement, event: object) -> Judgement:
    """The state after one more event."""
    match event:
        case MarkedDuplicate(of=of, review=review):
            return replace(state, of=of, review=review)
        case UnmarkedDuplicate():
            return replace(state, of=None, review=None)
        case ToldApart(others=others, review=review):
            return replace(state, apart={**state.apart, review: frozenset(others)})
        case ApartTakenBack(review=review):
            return replace(state, apart={key: others for key, others in state.apart.items() if key != review})
    return state


def in_force(history: Iterable[tuple[UUID, str, object]]) -> frozenset[UUID]:
    """Of a photo's events (id, name, fact) the decisions that count, so that they can be taken back."""
    known = list(history)
    state = judgement((name, fact) for _, name, fact in known)
    counting = {state.review, *state.apart}
    return frozenset(
        identity
        for identity, _, fact in known
        if isinstance(fact, MarkedDuplicate | ToldApart) and fact.review in counting
    )


def decide_marked(state: Judgement, of: UUID, review: UUID) -> list[DuplicateEvent]:
    """Marked twice is marked once."""
    return [] if state.of == of else [MarkedDuplicate(of, review)]


def decide_told_apart(state: Judgement, others: Iterable[UUID], review: UUID) -> list[DuplicateEvent]:
    """What was told apart before is no news."""
    known = frozenset().union(*state.apart.values())
    news = sorted(set(others) - known)
    return [ToldApart(tuple(news), review)] if news else []


def decide_shown(state: Judgement) -> list[DuplicateEvent]:
    """Back into the timeline."""
    return [UnmarkedDuplicate(state.of)] if state.of else []


def decide_undone(state: Judgement, review: UUID) -> list[DuplicateEvent]:
    """Whatever was decided of the photo in this review counts no longer."""
    shown = decide_shown(state) if state.review == review else []
    return [*shown, ApartTakenBack(review)] if review in state.apart else shown


# --- what is known of those that go out of sight -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said:
    """What counts of one photo's words."""

    rating: int | None = None
    favourite: bool = False
    title: str = ""
    caption: str = ""
    keywords: tuple[str, ...] = ()


def words_taken_over(kept: Said, others: Sequence[Said]) -> list[edits.Edit]:
    """What the photo that is kept learns from the others: the most stars, all keywords, words that it lacks."""
    news: list[edits.Edit] = []
    stars = max((one.rating for one in (kept, *others) if one.rating is not None), default=None)
    if stars is not None and stars != kept.rating:
        news.append(edits.PhotoRated(stars))
    if not kept.favourite and any(one.favourite for one in others):
        news.append(edits.PhotoFavoured(True))
    title = kept.title or next((one.title for one in others if one.title), "")
    if title != kept.title:
        news.append(edits.PhotoTitled(title))
    caption = kept.caption or next((one.caption for one in others if one.caption), "")
    if caption != kept.caption:
        news.append(edits.PhotoCaptioned(caption))
    keywords = tuple(dict.fromkeys(word for one in (kept, *others) for word in one.keywords))[
        : edits.KEYWORD_LIMIT
    ]
    if keywords != kept.keywords:
        news.append(edits.KeywordsChanged(keywords))
    return news


# --- which one to keep --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the choice looks at. `words`: how much a person said of it; `dated`: the camera's own date is there."""

    id: UUID
    there: bool
    pixels: int
    words: int
    dated: bool
    size: int


_REASONS = {
    "there": "its original is there",
    "pixels": "it has the most pixels",
    "words": "it has your stars and words",
    "dated": "it has the camera's date",
    "size": "its file is the largest",
}


def best_of(candidates: Sequence[Candidate]) -> tuple[UUID, str]:
    """The one to propose, the earlier of equals, and in words what decided; "" when nothing did."""
    best = max(candidates, key=lambda one: tuple(getattr(one, name) for name in _REASONS))
    left = [one for one in candidates if one is not best]
    reasons = []
    for name, words in _REASONS.items():
        behind = [one for one in left if getattr(one, name) < getattr(best, name)]
        if behind:
            reasons.append(words)
            left = [one for one in left if one not in behind]
    return best.id, " and ".join(reasons)
