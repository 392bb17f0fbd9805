"""Groups all faces of an owner anew, on demand: what a person confirmed, denied, named or merged stays."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID, uuid4

import numpy as np
from django.db import connection

from core import groups
from core.commands.people import record_grouping
from core.domain.people import FACES_LIMIT, FacesJoined, FacesLetGo
from core.groups import Kind
from core.readmodels.faces import denied_of, spoken_of
from workers.children import run_in_child
from workers.grouping import ACTOR, kind_of, turn_of
from workers.pipelines.grouping import LOOSE, METHOD, Faces, Grouping, group_faces

_SECONDS, _MEMORY_MIB = 1800, 4096
_LOAD = """
SELECT f.id, f.photo_id, f.clear, f.whole, f.group_id, f.home_id, f.by_hand, v.model, vector_send(v.vector)
  FROM face AS f JOIN core_face_vector AS v ON v.face = f.id
  JOIN photo AS p ON p.id = f.photo_id JOIN library AS l ON l.id = p.library_id
 WHERE f.current AND COALESCE(l.owner_id, l.id) = %s
 ORDER BY v.model, f.worth DESC, f.id
"""


@dataclass(frozen=True, slots=True)
class _Row:
    face: UUID
    photo: UUID
    clear: bool
    whole: bool
    group: UUID | None
    home: UUID | None
    by_hand: bool
    model: str
    vector: bytes

    @property
    def fixed(self) -> bool:
        """A person has put it where it is, or taken it out of where the machine had it."""
        return self.by_hand or (self.group is not None and self.home is None)


def regroup_all(owner: UUID) -> int:
    """Group an owner's faces anew; how many persons they make. Twice is harmless, and so is half of it."""
    if not groups.make_table():
        return 0
    with turn_of(owner):
        rows = _load(owner)
        groups.forget_all(owner)
        known = set[UUID]()
        for model, same in groupby(rows, key=lambda row: row.model):
            known |= _regroup(owner, model, list(same))
        groups.sum_up(known)
    return len(known)


def _load(owner: UUID) -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, [owner])
        return [_Row(*row) for row in cursor.fetchall()]


def _regroup(owner: UUID, model: str, rows: list[_Row]) -> set[UUID]:
    before = {row.home for row in rows if row.home} | {row.group for row in rows if row.group}
    known = sorted(spoken_of(before))
    faces = _faces(rows, known)
    made: Grouping = run_in_child("grouping", group_faces, faces, seconds=_SECONDS, memory_mib=_MEMORY_MIB)
    names = _names(rows, made, known)
    now = [names[number] if number != LOOSE else None for number in made.group.tolist()]
    _record(owner, model, rows, now)
    _keep_loose(owner, rows, now)
    groups.keep_resemblances(owner, list(_resemblances(rows, made, names)))
    return {group for group in now if group}


def _faces(rows: Sequence[_Row], known: Sequence[UUID]) -> Faces:
    number = {group: at for at, group in enumerate(known)}
    denied = denied_of([row.face for row in rows])
    vectors = np.frombuffer(b"".join(bytes(row.vector)[4:] for row in rows), ">f4").reshape(len(rows), -1)
    photos = {photo: at for at, photo in enumerate(dict.fromkeys(row.photo for row in rows))}
    return Faces(
        vectors.astype(np.float32),
        np.array([photos[row.photo] for row in rows]),
        np.array([row.clear for row in rows]),
        np.array([not row.whole for row in rows]),
        np.array([row.fixed for row in rows]),
        np.array([number.get(row.home, LOOSE) if row.home else LOOSE for row in rows]),
        len(known),
        {
            at: frozenset(number[group] for group in denied[row.face] if group in number)
            for at, row in enumerate(rows)
            if row.face in denied
        },
    )


def _names(rows: Sequence[_Row], made: Grouping, known: Sequence[UUID]) -> dict[int, UUID]:
    """Each group's id: the known ones have theirs, of the others each keeps the id that most of its faces had."""
    names = dict(enumerate(known))
    shared = Counter(
        (number, row.group)
        for row, number in zip(rows, made.group.tolist(), strict=True)
        if number >= len(known) and row.group is not None
    )
    taken = set(known)
    for (number, group), _ in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
        if number not in names and group not in taken and group is not None:
            names[number] = group
            taken.add(group)
    return names | {int(number): uuid4() for number in np.unique(made.group) if number not in {*names, LOOSE}}


def _record(owner: UUID, model: str, rows: Sequence[_Row], now: Sequence[UUID | None]) -> None:
    joined: dict[UUID, list[UUID]] = {}
    left: dict[UUID, list[UUID]] = {}
    for row, group in zip(rows, now, strict=True):
        if row.fixed or group == row.group:
            continue
        if group is not None:
            joined.setdefault(group, []).append(row.face)
        elif row.group is not None:
            left.setdefault(row.group, []).append(row.face)
    record_grouping(
        [(group, FacesJoined(owner, part, model, METHOD)) for group, part in _parts(joined)],
        [(group, FacesLetGo(part, model, METHOD)) for group, part in _parts(left)],
        actor=ACTOR,
    )


def _parts(by_group: dict[UUID, list[UUID]]) -> Iterator[tuple[UUID, tuple[UUID, ...]]]:
    for group, faces in by_group.items():
        for start in range(0, len(faces), FACES_LIMIT):
            yield group, tuple(faces[start : start + FACES_LIMIT])


def _keep_loose(owner: UUID, rows: Sequence[_Row], now: Sequence[UUID | None]) -> None:
    loose: dict[Kind, list[UUID]] = {}
    for row, group in zip(rows, now, strict=True):
        if group is None:
            loose.setdefault(kind_of(clear=row.clear, whole=row.whole), []).append(row.face)
    for kind, faces in loose.items():
        groups.put_loose(faces, owner=owner, kind=kind)


def _resemblances(
    rows: Sequence[_Row], made: Grouping, names: dict[int, UUID]
) -> Iterator[tuple[UUID, UUID, bool, float]]:
    for one, other, score in made.alike:
        first, second = sorted([names[one], names[other]])
        yield first, second, False, score
    for face, group, score in made.likely:
        yield rows[face].face, names[group], True, score
