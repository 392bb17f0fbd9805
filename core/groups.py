"""What is worked out about groups of faces: their means, and who resembles whom. May be thrown away at any time.

No read model, since it follows from numbers that are not in the log: a worker makes it, and makes it anew on
demand. Without pgvector there is none of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, connection, models, transaction

from core.vectors import has_vectors

_log = structlog.get_logger(__name__)


class Kind(IntEnum):
    """What a mean is of."""

    PEOPLE = 0  # a group of the machine's, or a person
    LOOSE = 1  # one face that is nobody's, clear enough for a group to begin with it
    WEAK = 2  # one face that is nobody's, and may only join
    CUT = 3  # one face that is nobody's and cut off by the picture's edge: it is only asked about


@dataclass(frozen=True, slots=True)
class Near:
    """A group or loose face near some numbers. `cosine` is to its mean, `average` to its faces one by one."""

    id: UUID
    kind: Kind
    size: int
    cosine: float
    average: float


class Resemblance(models.Model):
    """A group, or (`is_face`) a loose face, that may be the person of another group; to be asked about."""

    pk = models.CompositePrimaryKey("one", "other")
    one = models.UUIDField()
    other = models.UUIDField()
    owner_id = models.UUIDField()
    is_face = models.BooleanField()
    score = models.FloatField()

    class Meta:
        db_table = "resemblance"
        indexes = [
            models.Index("owner_id", models.F("score").desc(), "one", "other", name="resemblance_best"),
            models.Index("other", name="resemblance_other"),
        ]


_TABLE = """
CREATE TABLE IF NOT EXISTS core_group_vector (
    id uuid NOT NULL, model text NOT NULL, owner_id uuid NOT NULL, kind smallint NOT NULL, size integer NOT NULL,
    total vector(256) NOT NULL, PRIMARY KEY (id, model));
CREATE INDEX IF NOT EXISTS core_group_vector_owner ON core_group_vector (owner_id, model);
"""
# No index by nearness: means move with every face that joins, and there are far fewer of them than faces.
_NEAR = """
SELECT id, kind, size, 1 - apart, -(total <#> %(given)s::vector) / size
  FROM (SELECT id, kind, size, total, total <=> %(given)s::vector AS apart
          FROM core_group_vector
         WHERE owner_id = %(owner)s AND model = %(model)s AND kind = ANY(%(kinds)s) AND id <> ALL(%(without)s)
         ORDER BY apart LIMIT %(limit)s) AS nearest
 ORDER BY apart
"""
_VECTOR = "SELECT vector::text FROM core_face_vector WHERE face = %s AND model = %s"
_TOTAL = "SELECT (total)::text, size FROM core_group_vector WHERE id = %s AND model = %s"
_PUT_LOOSE = """
INSERT INTO core_group_vector (id, model, owner_id, kind, size, total)
SELECT face, model, %(owner)s, %(kind)s, 1, vector FROM core_face_vector WHERE face = ANY(%(faces)s)
ON CONFLICT (id, model) DO UPDATE SET owner_id = excluded.owner_id, kind = excluded.kind, total = excluded.total
"""
_ADD = """
UPDATE core_group_vector AS g SET size = g.size + 1, total = g.total + v.vector
  FROM core_face_vector AS v WHERE v.face = %(face)s AND g.id = %(group)s AND g.model = v.model
"""
_SUM = """
INSERT INTO core_group_vector (id, model, owner_id, kind, size, total)
SELECT f.home_id, v.model, p.owner_id, 0, count(*), sum(v.vector)
  FROM face AS f JOIN core_face_vector AS v ON v.face = f.id JOIN person AS p ON p.id = f.home_id
 WHERE f.current AND f.home_id = ANY(%(groups)s) GROUP BY f.home_id, v.model, p.owner_id
"""
_MISCOUNTED = """
SELECT g.id FROM core_group_vector AS g
 WHERE g.owner_id = %s AND g.kind = 0 AND g.size <> (
       SELECT count(*) FROM face AS f JOIN core_face_vector AS v ON v.face = f.id
        WHERE f.current AND f.home_id = g.id AND v.model = g.model)
"""
_FORGET = "DELETE FROM core_group_vector WHERE id = ANY(%s)"
_FORGET_OWNER = "DELETE FROM core_group_vector WHERE owner_id = %s"
_MODELS = "SELECT DISTINCT model FROM core_group_vector WHERE id = ANY(%s)"

_made: set[str] = set()


def make_table() -> bool:
    """Make the table where pgvector's are; whether it is there. Once seen, it is not looked for again."""
    database = str(connection.settings_dict["NAME"])
    if database not in _made and has_vectors():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                # Asked first: the statements would wait for whoever uses the table.
                cursor.execute("SELECT to_regclass('core_group_vector')")
                if cursor.fetchone()[0] is None:
                    cursor.execute(_TABLE)
            _made.add(database)
        except DatabaseError as error:
            _log.warning("faces are not grouped", error=str(error).strip())
    return database in _made


def vector_of(face: UUID, model: str) -> str | None:
    """A face's numbers as text, for `near`; None without them."""
    rows = _rows(_VECTOR, [face, model])
    return str(rows[0][0]) if rows else None


def total_of(group: UUID, model: str) -> tuple[str, int] | None:
    """The sum of a group's numbers as text, and of how many; None for one that is not there."""
    rows = _rows(_TOTAL, [group, model])
    return (str(rows[0][0]), int(rows[0][1])) if rows else None


def near(
    given: str, *, owner: UUID, model: str, kinds: Iterable[Kind] = Kind, without: Iterable[UUID] = (), limit: int
) -> list[Near]:
    """What is nearest to these numbers by its mean, the nearest first."""
    values = {
        "given": given,
        "owner": owner,
        "model": model,
        "kinds": [int(kind) for kind in kinds],
        "without": list(without),
        "limit": limit,
    }
    rows = _rows(_NEAR, values)
    return [Near(id_, Kind(kind), size, cosine, average) for id_, kind, size, cosine, average in rows]


def put_loose(faces: Iterable[UUID], *, owner: UUID, kind: Kind) -> None:
    """Keep faces that are nobody's where they can be found."""
    _run(_PUT_LOOSE, {"faces": list(faces), "owner": owner, "kind": int(kind)})


def add_to(group: UUID, face: UUID) -> None:
    """A face has joined a group, so that its mean moves."""
    _run(_FORGET, [[face]])
    _run(_ADD, {"group": group, "face": face})


def sum_up(groups: Iterable[UUID]) -> None:
    """The means of these groups anew, from the faces that are theirs now."""
    wanted = list(groups)
    if wanted:
        _run(_FORGET, [wanted])
        _run(_SUM, {"groups": wanted})


def miscounted(owner: UUID) -> list[UUID]:
    """The groups of an owner whose means are of other faces than are theirs now: photos of them were forgotten."""
    return [row[0] for row in _rows(_MISCOUNTED, [owner])]


def models_of(ids: Iterable[UUID]) -> list[str]:
    """The models by whose numbers these are compared."""
    return sorted(row[0] for row in _rows(_MODELS, [list(ids)]))


def forget_resemblances(group: UUID) -> None:
    """Whom a group resembled."""
    Resemblance.objects.filter(models.Q(one=group) | models.Q(other=group)).delete()


def forget(ids: Iterable[UUID]) -> None:
    """Groups and loose faces that are no more, and whom they resembled."""
    gone = list(ids)
    if not gone:
        return
    _run(_FORGET, [gone])
    Resemblance.objects.filter(models.Q(one__in=gone) | models.Q(other__in=gone)).delete()


def forget_all(owner: UUID) -> None:
    """Everything that was worked out for an owner."""
    _run(_FORGET_OWNER, [owner])
    Resemblance.objects.filter(owner_id=owner).delete()


def keep_resemblances(owner: UUID, found: Sequence[tuple[UUID, UUID, bool, float]]) -> None:
    """Add these: (one, other, whether one is a face, how alike), the smaller group first."""
    rows = [Resemblance(one=a, other=b, owner_id=owner, is_face=face, score=score) for a, b, face, score in found]
    Resemblance.objects.bulk_create(
        rows,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["one", "other"],
        update_fields=["owner_id", "is_face", "score"],
    )


def _rows(query: str, values: Sequence[Any] | dict[str, Any]) -> list[tuple]:  # type: ignore[type-arg]
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def _run(query: str, values: Sequence[Any] | dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
