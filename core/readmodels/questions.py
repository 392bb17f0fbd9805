"""What to ask a person: who look alike but not so much that the machine would say so by itself."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from core.accounts import Account
from core.groups import Resemblance
from core.readmodels.faces import Face, Person, PersonAct, denied_of
from core.readmodels.people import Portrait, Seen, owners_seen, portraits_of, seen_faces, visible_faces

# Of what resembles, so much is looked at for each question that is shown: most was answered long ago.
_LOOKED_AT = 30


@dataclass(frozen=True, slots=True)
class Question:
    """Are these the same person? `one` is a group or, when `face` is there, that face; `other` is a group."""

    one: UUID
    other: UUID
    face: Seen | None
    left: Portrait | None
    right: Portrait
    score: float


def questions_for(account: Account, limit: int = 12) -> list[Question]:
    """Those to be asked, the most alike first; each pair of people once, and nothing that was answered."""
    best = Resemblance.objects.filter(owner_id__in=owners_seen(account)).order_by("-score", "one", "other")
    found = list(best[: limit * _LOOKED_AT])
    roots = _roots(found)
    faces = _loose(account, [row.one for row in found if row.is_face])
    wanted = list(_open(found, roots, faces))[: 3 * limit]
    people = [roots[one].id for row in wanted for one in (row.one, row.other) if one in roots]
    portraits = portraits_of(account, people)
    made = (_question(row, roots, portraits, faces) for row in wanted)
    return [one for one in made if one is not None][:limit]


def _roots(rows: Iterable[Resemblance]) -> dict[UUID, Person]:
    """Each group's person, under whom it is known now."""
    ids = {one for row in rows for one in (row.one, row.other)}
    known = dict(Person.objects.filter(id__in=ids).values_list("id", "root_id"))
    people = Person.objects.in_bulk(list(set(known.values())))
    return {group: people[root] for group, root in known.items() if root in people}


def _loose(account: Account, ids: list[UUID]) -> dict[UUID, Seen]:
    loose = visible_faces(account).filter(id__in=ids, person_id=None)
    return {one.face.id: one for one in seen_faces(account, list(loose))}


def _open(
    rows: Iterable[Resemblance], roots: dict[UUID, Person], faces: dict[UUID, Seen]
) -> Iterator[Resemblance]:
    apart, denied = _told_apart(roots), denied_of(faces)
    asked: set[frozenset[UUID]] = set()
    for row in rows:
        other = roots.get(row.other)
        if other is None or other.hidden:
            continue
        if row.is_face:
            pair = frozenset({row.one, other.id})
            if row.one not in faces or row.other in denied.get(row.one, ()):
                continue
        else:
            one = roots.get(row.one)
            # Who was given two names is two people.
            if one is None or one.id == other.id or one.hidden or (one.name and other.name):
                continue
            pair = frozenset({one.id, other.id})
        if pair not in asked and pair not in apart:
            asked.add(pair)
            yield row


def _told_apart(roots: dict[UUID, Person]) -> set[frozenset[UUID]]:
    """Pairs of people, as they are known now."""
    acts = PersonAct.objects.filter(type="person.told_apart", counts=True, people__overlap=_everybody(roots))
    pairs = [(act.person_id, UUID(act.data["other"])) for act in acts]
    known = dict(
        Person.objects.filter(id__in={one for pair in pairs for one in pair}).values_list("id", "root_id")
    )
    return {frozenset({known.get(one, one), known.get(other, other)}) for one, other in pairs}


def _everybody(roots: dict[UUID, Person]) -> list[UUID]:
    known_as = {person.id for person in roots.values()}
    return list(Person.objects.filter(root_id__in=known_as).values_list("id", flat=True))


def _question(
    row: Resemblance, roots: dict[UUID, Person], portraits: dict[UUID, Portrait], faces: dict[UUID, Seen]
) -> Question | None:
    right = portraits.get(roots[row.other].id)
    left = None if row.is_face else portraits.get(roots[row.one].id)
    if right is None or (left is None and not row.is_face):
        return None
    if left is not None and left.name and not right.name:
        return Question(row.other, row.one, None, right, left, row.score)
    return Question(row.one, row.other, faces.get(row.one) if row.is_face else None, left, right, row.score)


def loose_faces(account: Account, limit: int = 100) -> list[Seen]:
    """Faces that are nobody's yet, the clearest first."""
    loose: list[Face] = list(visible_faces(account).filter(person_id=None).order_by("-worth", "id")[:limit])
    return seen_faces(account, loose)
