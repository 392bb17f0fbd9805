"""What is proposed for a group of photos that look alike: which one to keep and why, and how sure that is."""

from collections.abc import Iterable
from dataclasses import dataclass

from core.domain.duplicates import Candidate, Said, best_of, words_taken_over
from core.domain.edits import Edit
from core.domain.likeness import of_one_tone
from core.readmodels.alikegroups import Group
from core.readmodels.photos import Photo

# Whose word on the date tells moments apart: a copy's file time says nothing of the picture.
OWN_WORD = ("exif", "xmp", "iptc", "container", "user", "sidecar", "takeout")
SAID = ("rating", "title", "caption", "keywords")
# Of pictures with the same shape, width by height differs by rounding only.
_SAME_SHAPE = 0.01


@dataclass(frozen=True, slots=True)
class Proposal:
    """The photos, the best first, then as they came in. `sure`: of one shape, tone and moment."""

    group: Group
    photos: list[Photo]
    reason: str
    moments: int
    one_shape: bool
    one_tone: bool

    @property
    def sure(self) -> bool:
        return self.group.exact and self.one_shape and self.one_tone and self.moments < 2


def proposal_for(group: Group) -> Proposal:
    """What to do with a group."""
    best, reason = best_of([_candidate(photo) for photo in group.members])
    ordered = sorted(group.members, key=lambda photo: photo.id != best)
    moments = {_moment(photo) for photo in ordered} - {""}
    one_tone = of_one_tone(photo.thumbhash for photo in ordered)
    return Proposal(group, ordered, reason, len(moments), _of_one_shape(ordered), one_tone)


def words_for_kept(kept: Photo, others: Iterable[Photo]) -> list[Edit]:
    """What the one that is kept takes over from the others."""
    return words_taken_over(_said(kept), [_said(one) for one in others if one.id != kept.id])


def _said(photo: Photo) -> Said:
    said = {name: photo.facts.get(name, {}).get("value") for name in SAID}
    keywords = tuple(said["keywords"] or ())
    return Said(photo.rating, photo.favourite, said["title"] or "", said["caption"] or "", keywords)


def _candidate(photo: Photo) -> Candidate:
    return Candidate(
        photo.id,
        not photo.missing,
        (photo.width or 0) * (photo.height or 0),
        sum(photo.facts.get(name, {}).get("source") == "user" for name in SAID) + photo.favourite,
        photo.taken_source in OWN_WORD,
        photo.size,
    )


def _of_one_shape(photos: list[Photo]) -> bool:
    shapes = [photo.width / photo.height for photo in photos if photo.width and photo.height]
    return bool(shapes) and max(shapes) / min(shapes) <= 1 + _SAME_SHAPE


def _moment(photo: Photo) -> str:
    if photo.taken_local is None or photo.taken_source not in OWN_WORD:
        return ""
    return str(photo.taken_local.isoformat(timespec="seconds"))
