"""Groups faces by their numbers: all of an owner's at once, from nothing or around the people who are known.

A face is compared with the mean of a group rather than with its faces one by one: a mean is much nearer to a
person's faces than these are to one another, while strangers stay as far. So chains of chance likenesses do not
run people together, and a hundred thousand faces are compared with some thousand means. Two faces in one photo are
two people, however alike they are.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# Cosines. From STRICT on the machine joins without asking; from LIKELY on it asks.
STRICT, LIKELY = 0.50, 0.40
# The rule's name in events.
METHOD = "means 2"
LOOSE = -1
# Of a person's photos this part may show them twice: in a mirror, on a wall, in a collage.
MIRRORS = 0.1
_BLOCK = 512
_ROUNDS = 4
# Of those that one group resembles, so many are asked about.
_ASKED = 4

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Faces:
    """What is grouped: unit vectors, a row for each face.

    The best come first. `photo`: the number of its photo. `clear`: a group may begin with it. `cut`: it is cut
    off, and only asked about. `fixed`: it stays where it is. `group`: which of the `known` groups it is in,
    LOOSE for none; these a person has spoken of, so they are never made one here. `denied`: face → known
    groups that a person has denied.
    """

    vectors: Floats
    photo: Ints
    clear: NDArray[np.bool_]
    cut: NDArray[np.bool_]
    fixed: NDArray[np.bool_]
    group: Ints
    known: int = 0
    denied: Mapping[int, frozenset[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grouping:
    """Each face's group, LOOSE for none; numbers beyond the known groups are new ones.

    `alike`: groups (smaller number first) and how alike they are on average. `likely`: loose faces, the group that
    each may belong to, and how alike it is.
    """

    group: Ints
    alike: list[tuple[int, int, float]]
    likely: list[tuple[int, int, float]]


class _Means:
    """Sums and sizes of groups, in arrays that grow."""

    def __init__(self, known: int, width: int) -> None:
        self.count = known
        self.sums: Floats = np.zeros((max(64, 2 * known), width), np.float32)
        self.sizes: Ints = np.zeros(len(self.sums), np.int64)

    def begin(self, vector: Floats) -> int:
        if self.count == len(self.sums):
            self.sums = np.concatenate([self.sums, np.zeros_like(self.sums)])
            self.sizes = np.concatenate([self.sizes, np.zeros_like(self.sizes)])
        self.count += 1
        self.add(self.count - 1, vector)
        return self.count - 1

    def add(self, group: int, vector: Floats) -> None:
        self.sums[group] += vector
        self.sizes[group] += 1

    def directions(self) -> Floats:
        """The means as unit vectors; zero for a group without faces."""
        sums = self.sums[: self.count]
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        unit: Floats = np.divide(sums, length, out=np.zeros_like(sums), where=length > 0)
        return unit


def group_faces(faces: Faces) -> Grouping:
    """The groups: faces gather around those that are known and around one another, until none moves any more."""
    group = np.where(faces.cut & ~faces.fixed, LOOSE, faces.group)
    means = _summed(faces, group, faces.known)
    _gather(faces, group, means)
    for _ in range(_ROUNDS):
        merged = _merge(faces, group, means)
        moved = _look_again(faces, group, means)
        if not merged and not moved:
            break
    _leave_single(faces, group, means)
    return Grouping(group, _alike(faces, group, means), _likely(faces, group, means))


def _summed(faces: Faces, group: Ints, count: int) -> _Means:
    means = _Means(count, faces.vectors.shape[1])
    inside = group >= 0
    np.add.at(means.sums, group[inside], faces.vectors[inside])
    np.add.at(means.sizes, group[inside], 1)
    return means


def _gather(faces: Faces, group: Ints, means: _Means) -> None:
    """Each clear face joins the nearest mean, or begins a group; those of one block see one another."""
    waiting = np.flatnonzero((group == LOOSE) & faces.clear & ~faces.cut & ~faces.fixed)
    beside = _groups_by_photo(faces, group)
    for block in _blocks(waiting):
        near = faces.vectors[block] @ means.directions().T
        first = means.count
        for face, cosines in zip(block, near, strict=True):
            here = beside[int(faces.photo[face])]
            _forbid(cosines, [*here, *faces.denied.get(int(face), ())])
            fresh = means.sums[first : means.count]
            others = fresh @ faces.vectors[face] / np.linalg.norm(fresh, axis=1)
            _forbid(others, [number - first for number in here if number >= first])
            found, cosine = _best(np.concatenate([cosines, others]))
            if cosine >= STRICT:
                means.add(found, faces.vectors[face])
            else:
                found = means.begin(faces.vectors[face])
            group[face] = found
            here.append(found)


def _merge(faces: Faces, group: Ints, means: _Means) -> bool:
    """Make one of groups that are one person's, the most alike first; whether there were any."""
    pairs = sorted(_pairs(means, STRICT), key=lambda pair: (-pair[2], pair[0], pair[1]))
    into = np.arange(means.count)
    touched: set[int] = set()
    for one, other, _ in pairs:
        if one in touched or other in touched:
            continue  # its mean has moved: it is looked at again in the next round
        # The known ones have the smaller numbers.
        kept, gone = one, other
        if gone < faces.known or not _may_join(faces, group, gone, kept):
            continue
        touched |= {one, other}
        into[gone] = kept
        means.sums[kept] += means.sums[gone]
        means.sizes[kept] += means.sizes[gone]
        means.sums[gone], means.sizes[gone] = 0, 0
    inside = group >= 0
    group[inside] = into[group[inside]]
    return bool(touched)


def _look_again(faces: Faces, group: Ints, means: _Means) -> bool:
    """Each face that nobody has fixed joins the nearest mean of several, or is by itself; whether any moved."""
    free = np.flatnonzero(~faces.fixed & ~faces.cut)
    several = np.flatnonzero(means.sizes[: means.count] > 1)
    if not len(several):
        return False
    before, cosine = group.copy(), np.full(len(group), 2.0, np.float32)
    place = np.full(means.count + 1, -1)
    place[several] = np.arange(len(several))
    directions = means.directions()[several]
    lengths = np.linalg.norm(means.sums[several], axis=1)
    for block in _blocks(free):
        near = faces.vectors[block] @ directions.T
        at = place[group[block]]
        own = np.flatnonzero(at >= 0)
        # With its own mean a face is compared as if it were not part of it.
        with_it = near[own, at[own]] * lengths[at[own]]
        without = np.sqrt(np.maximum(lengths[at[own]] ** 2 - 2 * with_it + 1, 1e-9))
        near[own, at[own]] = (with_it - 1) / without
        for row, face in enumerate(block):
            _forbid(near[row], place[list(faces.denied.get(int(face), ()))])
        best = near.argmax(axis=1)
        cosine[block] = near[np.arange(len(block)), best]
        now = np.where(cosine[block] >= STRICT, several[best], LOOSE)
        # By itself is by itself, under whatever number.
        group[block] = np.where((now == LOOSE) & (at < 0), group[block], now)
    _part_neighbours(faces, group, cosine)
    fresh = _summed(faces, group, means.count)
    means.sums, means.sizes = fresh.sums, fresh.sizes
    return bool((group != before).any())


def _part_neighbours(faces: Faces, group: Ints, cosine: Floats) -> None:
    """Of two faces of one photo that would be the same person, the one that is less alike is let go."""
    order = np.lexsort((-cosine, group, faces.photo))
    same = (np.diff(faces.photo[order]) == 0) & (np.diff(group[order]) == 0) & (group[order][1:] != LOOSE)
    lesser = order[1:][same]
    group[lesser[~faces.fixed[lesser]]] = LOOSE


def _leave_single(faces: Faces, group: Ints, means: _Means) -> None:
    """One face alone makes no group, unless a person has made it one."""
    lonely = (group >= faces.known) & (means.sizes[group] == 1)
    for number in group[lonely]:
        means.sums[number], means.sizes[number] = 0, 0
    group[lonely] = LOOSE


def _pairs(means: _Means, limit: float) -> Iterator[tuple[int, int, float]]:
    """Groups that are alike on average over all pairs of their faces."""
    sizes = np.maximum(means.sizes[: means.count], 1).astype(np.float32)
    averages = means.sums[: means.count] / sizes[:, None]
    for block in _blocks(np.flatnonzero(means.sizes[: means.count] > 0)):
        near = averages[block] @ averages.T
        rows, others = np.nonzero(near >= limit)
        for row, other in zip(rows, others, strict=True):
            if block[row] < other:
                yield int(block[row]), int(other), float(near[row, other])


def _alike(faces: Faces, group: Ints, means: _Means) -> list[tuple[int, int, float]]:
    several = means.sizes > 1
    pairs = [pair for pair in _pairs(means, LIKELY) if several[pair[0]] and several[pair[1]]]
    return [pair for pair in pairs if not _share_a_photo(faces, group, pair[0], pair[1])]


def _likely(faces: Faces, group: Ints, means: _Means) -> list[tuple[int, int, float]]:
    loose = np.flatnonzero((group == LOOSE) & (faces.clear | faces.cut))
    several = np.flatnonzero(means.sizes[: means.count] > 0)
    if not len(several):
        return []
    found = []
    directions, beside = means.directions()[several], _groups_by_photo(faces, group)
    place = np.full(means.count, -1)
    place[several] = np.arange(len(several))
    for block in _blocks(loose):
        near = faces.vectors[block] @ directions.T
        for row, face in enumerate(block):
            _forbid(near[row], place[[*beside[int(faces.photo[face])], *faces.denied.get(int(face), ())]])
            best = np.argsort(-near[row])[:_ASKED]
            found += [
                (int(face), int(several[at]), float(near[row, at])) for at in best if near[row, at] >= LIKELY
            ]
    return found


def _may_join(faces: Faces, group: Ints, gone: int, kept: int) -> bool:
    """Whether nothing speaks against a group becoming part of another one: photos with both, a person's word."""
    members = np.flatnonzero(group == gone)
    denied = bool(faces.denied) and any(kept in faces.denied.get(int(face), ()) for face in members)
    return not denied and not _share_a_photo(faces, group, gone, kept)


def _share_a_photo(faces: Faces, group: Ints, one: int, other: int) -> bool:
    """More often than a mirror or a picture in the picture would explain."""
    both = np.intersect1d(faces.photo[group == one], faces.photo[group == other]).size
    return bool(both > MIRRORS * min((group == one).sum(), (group == other).sum()))


def _groups_by_photo(faces: Faces, group: Ints) -> defaultdict[int, list[int]]:
    """Who is in each photo already."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for face in np.flatnonzero(group != LOOSE):
        found[int(faces.photo[face])].append(int(group[face]))
    return found


def _forbid(cosines: Floats, places: Sequence[int] | Ints) -> None:
    """What cannot be is as unlike as can be; places that are not there are none."""
    for place in places:
        if 0 <= place < len(cosines):
            cosines[place] = -1.0


def _best(cosines: Floats) -> tuple[int, float]:
    at = int(cosines.argmax()) if len(cosines) else 0
    return at, float(cosines[at]) if len(cosines) else -1.0


def _blocks(rows: Ints) -> Iterator[Ints]:
    for start in range(0, len(rows), _BLOCK):
        yield rows[start : start + _BLOCK]
