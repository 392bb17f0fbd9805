"""Groups an owner's faces: each photo's as it comes, around what changed by hand, and all of them on demand.

One at a time for each owner. The groups themselves are events; the means by which they are found are not.
"""

import contextlib
from collections.abc import Iterable, Iterator
from uuid import UUID, uuid4

from django.db import connection, transaction

from core import groups
from core.commands.people import record_grouping
from core.domain.people import FACES_LIMIT, FacesJoined
from core.groups import Kind, Near
from core.readmodels.faces import Face, Person, is_beside, photos_with_both, spoken_of, would_be
from core.readmodels.people import owner_of, owners_of
from core.readmodels.photos import Photo
from core.vectors import face_vectors
from workers.pipelines.grouping import LIKELY, METHOD, MIRRORS, STRICT

ACTOR = "worker:people"
# So many that are near are looked at. What is beyond them comes up when one of them is asked for.
_NEAR = 16
# The mean of so many faces is hardly moved by one more.
_MOVES = 20
# A group that has grown may take in others, and grow again.
_ROUNDS = 8


@contextlib.contextmanager
def turn_of(owner: UUID) -> Iterator[None]:
    """Group faces of this owner alone; whoever else wants to waits. Until the session's end at the latest."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"people:{owner}"])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [f"people:{owner}"])


def group_photo(photo_id: UUID) -> int:
    """Find out who the faces of a photo are; how many of them are somebody now. Twice is harmless."""
    photo = Photo.objects.filter(id=photo_id).first()
    if photo is None or not groups.make_table():
        return 0
    owner = owner_of(photo)
    with turn_of(owner), transaction.atomic():
        return _Grouper(owner).take(photo_id)


def settle_people(people: Iterable[UUID], faces: Iterable[UUID] = ()) -> int:
    """After what a person said: the means of these people anew, whom they resemble, and who the faces may be."""
    known = list(Person.objects.filter(id__in=list(people)).order_by("owner_id", "id"))
    if not groups.make_table():
        return 0
    wanted = list(faces)
    for owner in sorted({person.owner_id for person in known}):
        with turn_of(owner), transaction.atomic():
            _Grouper(owner).settle([person.id for person in known if person.owner_id == owner], wanted)
    return len(known)


class _Grouper:
    """One owner's faces, in one transaction."""

    def __init__(self, owner: UUID) -> None:
        self.owner = owner
        self.model = ""

    def take(self, photo: UUID) -> int:
        """The faces of a photo: those that are somebody count for their means, the others are looked at."""
        everybody = list(Face.objects.filter(photo_id=photo))
        known = {face.id: model for face, (model, _) in _with_vectors(everybody)}
        groups.forget(face.id for face in everybody if face.home_id or not face.current)
        homes = {face.home_id for face in everybody if face.home_id}
        for face in sorted(everybody, key=lambda one: (-one.worth, one.id)):
            if face.current and not face.home_id and face.id in known:
                self.model = known[face.id]
                self.find(face)
        groups.sum_up(home for home in homes if home)
        return Face.objects.filter(photo_id=photo, current=True, home_id__isnull=False).count()

    def settle(self, people: list[UUID], faces: list[UUID]) -> None:
        """Groups whose faces have changed, and faces that were taken out of them."""
        groups.sum_up(people)
        for face in Face.objects.filter(id__in=faces, current=True):
            for model, _ in face_vectors([face.id]).values():
                self.model = model
                if face.home_id:
                    groups.forget([face.id])
                else:
                    self.find(face)
        for model in groups.models_of(people):
            self.model = model
            for person in people:
                self.grow(person)

    def find(self, face: Face) -> None:
        """Put a face to the group that it is like, begin one with it, or keep it until one comes.

        One that a person has taken out of the machine's group is asked about, not moved: so that the machine's
        word is there again when that is undone.
        """
        given = groups.vector_of(face.id, self.model)
        if given is None:
            return
        kind = kind_of(clear=face.clear, whole=face.whole)
        kinds = (Kind.PEOPLE, Kind.LOOSE) if kind is Kind.LOOSE else (Kind.PEOPLE,)
        around = self.near(given, kinds, without=[face.id])
        if face.group_id is None and face.whole and self.joined(face, around):
            return
        groups.forget([face.id])
        groups.put_loose([face.id], owner=self.owner, kind=kind)
        if kind is not Kind.WEAK:
            people = [one for one in around if one.kind is Kind.PEOPLE and one.cosine >= LIKELY]
            self.ask([(face.id, one.id, True, one.cosine) for one in people if _fits(face, one.id)])

    def joined(self, face: Face, around: list[Near]) -> bool:
        """Whether the face is somebody now: of the nearest group, or of a new one together with a loose face."""
        for one in around:
            if one.cosine < STRICT:
                return False
            if one.kind is Kind.PEOPLE and _fits(face, one.id):
                self.join(one.id, [face.id])
                if _has_moved(one.size + 1):
                    self.grow(one.id)
                return True
            if one.kind is Kind.LOOSE and self.is_free(one.id, face):
                group = uuid4()
                self.join(group, [one.id, face.id])
                self.grow(group)
                return True
        return False

    def is_free(self, loose: UUID, beside: Face) -> bool:
        free = Face.objects.filter(id=loose, current=True, whole=True, group_id=None, home_id=None)
        found = free.exclude(photo_id=beside.photo_id).first()
        return found is not None and self.is_ours(found)

    def is_ours(self, face: Face) -> bool:
        """Not that of a library which was given away a moment ago: the next grouping takes its faces out."""
        return owners_of([face]) == {self.owner}

    def join(self, group: UUID, faces: list[UUID]) -> None:
        for start in range(0, len(faces), FACES_LIMIT):
            part = tuple(faces[start : start + FACES_LIMIT])
            record_grouping([(group, FacesJoined(self.owner, part, self.model, METHOD))], actor=ACTOR)
        groups.forget(faces)
        if groups.total_of(group, self.model) is None or len(faces) > 1:
            groups.sum_up([group])
        else:
            groups.add_to(group, faces[0])

    def grow(self, group: UUID) -> None:
        """Take in what is like the group now, as if it had come later; then note whom it may be as well."""
        around: list[Near] = []
        for _ in range(_ROUNDS):
            known = groups.total_of(group, self.model)
            if known is None:
                groups.forget([group])
                return
            total, size = known
            around = [_seen_from(one, size) for one in self.near(total, Kind, without=[group])]
            stronger = next((one for one in around if self.gives_in(group, size, one)), None)
            if stronger is not None:
                self.grow(stronger.id)
                return
            if not [one for one in around if self.takes_in(group, size, one)]:
                break
        self.note(group, around)

    def gives_in(self, group: UUID, size: int, one: Near) -> bool:
        """Whether the group has become part of one that is the same person's: larger, or spoken of by a person."""
        if one.kind is not Kind.PEOPLE or one.average < STRICT:
            return False
        known = spoken_of([group, one.id])
        if group in known or (one.id not in known and one.size < size):
            return False
        return self.move_all(group, one.id, min(size, one.size))

    def takes_in(self, group: UUID, size: int, one: Near) -> bool:
        if one.kind is Kind.PEOPLE:
            alike = one.average >= STRICT and not spoken_of([one.id])
            return alike and self.move_all(one.id, group, min(size, one.size))
        face = Face.objects.filter(id=one.id, current=True, whole=True, group_id=None, home_id=None).first()
        if one.cosine < STRICT or face is None or not self.is_ours(face) or not _fits(face, group):
            return False
        self.join(group, [one.id])
        return True

    def move_all(self, gone: UUID, kept: UUID, size: int) -> bool:
        """Those that a person has put elsewhere come along: should that be undone, they are with the others."""
        if photos_with_both(gone, kept) > MIRRORS * size:
            return False
        faces = [face for face in Face.objects.filter(group_id=gone) if face.by_hand or _fits(face, kept)]
        if not faces:
            return False
        self.join(kept, [face.id for face in faces])
        groups.sum_up([gone, kept])
        return True

    def note(self, group: UUID, around: list[Near]) -> None:
        """Whom the group resembles, in place of what was known of that."""
        groups.forget_resemblances(group)
        found = []
        for one in around:
            if one.kind is Kind.PEOPLE and one.average >= LIKELY and not photos_with_both(group, one.id):
                first, second = sorted([group, one.id])
                found.append((first, second, False, one.average))
            elif one.kind in (Kind.LOOSE, Kind.CUT) and one.cosine >= LIKELY and self.may_ask(one.id, group):
                found.append((one.id, group, True, one.cosine))
        self.ask(found)

    def may_ask(self, loose: UUID, group: UUID) -> bool:
        face = Face.objects.filter(id=loose, current=True, home_id=None).first()
        return face is not None and _fits(face, group)

    def ask(self, found: list[tuple[UUID, UUID, bool, float]]) -> None:
        if found:
            groups.keep_resemblances(self.owner, found)

    def near(self, given: str, kinds: Iterable[Kind], without: list[UUID]) -> list[Near]:
        return groups.near(given, owner=self.owner, model=self.model, kinds=kinds, without=without, limit=_NEAR)


def kind_of(*, clear: bool, whole: bool) -> Kind:
    """What a face that is nobody's is kept as."""
    if not whole:
        return Kind.CUT
    return Kind.LOOSE if clear else Kind.WEAK


def _has_moved(size: int) -> bool:
    """Whether the mean of so many faces has moved since it was looked around from: with every tenth more."""
    return size < _MOVES or size % (size // 10) == 0


def _fits(face: Face, group: UUID) -> bool:
    """Whether the machine may say that a face is of this group."""
    return would_be(face, group) and not is_beside(face, group)


def _seen_from(one: Near, size: int) -> Near:
    """Seen from a group of so many faces: the average over all pairs of them."""
    return Near(one.id, one.kind, one.size, one.cosine, one.average / size)


def _with_vectors(faces: list[Face]) -> list[tuple[Face, tuple[str, bytes]]]:
    vectors = face_vectors(face.id for face in faces)
    return [(face, vectors[face.id]) for face in faces if face.id in vectors]
