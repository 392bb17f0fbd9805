"""Groups faces by their numbers: all of an owner's at once, from nothing or around the people who are known.

A face is compared with the mean of a group rather than with its faces one by one: a mean is much nearer to a
person's faces than these are to one another, while strangers stay as far. So chains of chance likenesses do not
run people together, and a hundred thousand faces are compared with some thousand means.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# Cosines. From STRICT on the machine joins without asking; from LIKELY on it asks.
STRICT, LIKELY = 0.50, 0.40
# The rule's name in events.
METHOD = "means 1"
LOOSE = -1
_BLOCK = 512
_ROUNDS = 4
# Of those that one group resembles, so many are asked about.
_ASKED = 4

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Faces:
    """What is grouped: unit vectors, a row for each face.

    The best come first. `clear`: a group may begin with it. `fixed`: it stays where it is. `group`: which of the
    `known` groups it is in, LOOSE for none; these a person has spoken of, so they are never made one here.
    `denied`: face → known groups that a person has denied.
    """

    vectors: Floats
    clear: NDArray[np.bool_]
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
    group = faces.group.copy()
    means = _summed(faces, group, faces.known)
    _gather(faces, group, means)
    for _ in range(_ROUNDS):
        merged = _merge(faces, group, means)
        moved = _look_again(faces, group, means)
        if not merged and not moved:
            break
    _leave_single(faces, group, means)
    return Grouping(group, _alike(means), _likely(faces, group, means))


def _summed(faces: Faces, group: Ints, count: int) -> _Means:
    means = _Means(count, faces.vectors.shape[1])
    inside = group >= 0
    np.add.at(means.sums, group[inside], faces.vectors[inside])
    np.add.at(means.sizes, group[inside], 1)
    return means


def _gather(faces: Faces, group: Ints, means: _Means) -> None:
    """Each clear face joins the nearest mean, or begins a group; those of one block see one another."""
    waiting = np.flatnonzero((group == LOOSE) & faces.clear & ~faces.fixed)
    for block in _blocks(waiting):
        near = faces.vectors[block] @ means.directions().T
        for face, cosines in zip(block, near, strict=True):
            _forbid(faces, int(face), cosines)
        best = near.argmax(axis=1) if near.shape[1] else np.zeros(len(block), np.int64)
        cosine = near[np.arange(len(block)), best] if near.shape[1] else np.full(len(block), -1.0, np.float32)
        first = means.count
        for at, face in enumerate(block):
            found, how = int(best[at]), float(cosine[at])
            if means.count > first:
                fresh = means.sums[first : means.count]
                cosines = fresh @ faces.vectors[face] / np.linalg.norm(fresh, axis=1)
                if cosines.max() > how:
                    found, how = first + int(cosines.argmax()), float(cosines.max())
            if how >= STRICT:
                means.add(found, faces.vectors[face])
            else:
                found = means.begin(faces.vectors[face])
            group[face] = found


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
        if gone < faces.known or _is_denied(faces, np.flatnonzero(group == gone), kept):
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
    free = np.flatnonzero(~faces.fixed)
    several = np.flatnonzero(means.sizes[: means.count] > 1)
    if not len(several):
        return False
    moved = False
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
            _forbid(faces, int(face), near[row], several)
        best = near.argmax(axis=1)
        fits = near[np.arange(len(block)), best] >= STRICT
        now = np.where(fits, several[best], LOOSE)
        # By itself is by itself, under whatever number.
        alone = (now == LOOSE) & (at < 0)
        now = np.where(alone, group[block], now)
        moved |= bool((now != group[block]).any())
        group[block] = now
    fresh = _summed(faces, group, means.count)
    means.sums, means.sizes = fresh.sums, fresh.sizes
    return moved


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


def _alike(means: _Means) -> list[tuple[int, int, float]]:
    several = means.sizes > 1
    return [pair for pair in _pairs(means, LIKELY) if several[pair[0]] and several[pair[1]]]


def _likely(faces: Faces, group: Ints, means: _Means) -> list[tuple[int, int, float]]:
    loose = np.flatnonzero((group == LOOSE) & faces.clear)
    several = np.flatnonzero(means.sizes[: means.count] > 0)
    if not len(several):
        return []
    found = []
    directions = means.directions()[several]
    for block in _blocks(loose):
        near = faces.vectors[block] @ directions.T
        for row, face in enumerate(block):
            _forbid(faces, int(face), near[row], several)
            best = np.argsort(-near[row])[:_ASKED]
            found += [
                (int(face), int(several[at]), float(near[row, at])) for at in best if near[row, at] >= LIKELY
            ]
    return found


def _is_denied(faces: Faces, members: Ints, group: int) -> bool:
    return bool(faces.denied) and any(group in faces.denied.get(int(face), ()) for face in members)


def _forbid(faces: Faces, face: int, cosines: Floats, groups: Ints | None = None) -> None:
    """What a person has denied is as unlike as can be."""
    for denied in faces.denied.get(face, ()):
        at = denied if groups is None else np.flatnonzero(groups == denied)
        cosines[at] = -1.0


def _blocks(rows: Ints) -> Iterator[Ints]:
    for start in range(0, len(rows), _BLOCK):
        yield rows[start : start + _BLOCK]
