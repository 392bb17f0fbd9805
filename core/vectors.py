"""The numbers by which faces and pictures compare: two tables of pgvector's, beside the events and never in them.

Where PostgreSQL has no pgvector there are no tables; whoever needs them asks `has_vectors` and says so.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from django.db import DatabaseError, connection, models, transaction

FACE_NUMBERS = 256
PHOTO_NUMBERS = 1024
# What a page says where a thing cannot be done without them.
NEEDED = "This needs pgvector, an extension that this PostgreSQL does not have."
_log = structlog.get_logger(__name__)

Vector = Sequence[float]


if TYPE_CHECKING:  # Django's own class takes no parameters when it runs
    _Field = models.Field[Vector, Vector]
else:
    _Field = models.Field


class VectorField(_Field):
    """A column of pgvector's type `vector` or `halfvec`; read and written by this module's own SQL."""

    def __init__(self, numbers: int, half: bool = False) -> None:
        super().__init__()
        self.numbers, self.half = numbers, half

    def deconstruct(self) -> tuple[str, str, list[object], dict[str, object]]:
        name, path, _, _ = super().deconstruct()
        return name, path, [self.numbers, self.half], {}

    def db_type(self, connection: object) -> str:  # noqa: ARG002  # Django's signature
        return f"{'halfvec' if self.half else 'vector'}({self.numbers})"


class FaceVector(models.Model):
    """A face's numbers, of unit length: the cosine of two faces is the product of theirs."""

    face = models.UUIDField(primary_key=True)
    photo_id = models.UUIDField()
    model = models.TextField()
    vector = VectorField(FACE_NUMBERS)

    class Meta:
        db_table = "core_face_vector"
        indexes = [models.Index("photo_id", name="core_face_vector_photo")]


class PhotoVector(models.Model):
    """A picture's numbers, just as the model gives them."""

    pk = models.CompositePrimaryKey("photo_id", "model")
    photo_id = models.UUIDField()
    model = models.TextField()
    vector = VectorField(PHOTO_NUMBERS, True)

    class Meta:
        db_table = "core_photo_vector"


_TABLES = """
CREATE TABLE IF NOT EXISTS core_face_vector (
    face uuid PRIMARY KEY, photo_id uuid NOT NULL, model text NOT NULL, vector vector(256) NOT NULL);
CREATE INDEX IF NOT EXISTS core_face_vector_photo ON core_face_vector (photo_id);
CREATE TABLE IF NOT EXISTS core_photo_vector (
    photo_id uuid NOT NULL, model text NOT NULL, vector halfvec(1024) NOT NULL, PRIMARY KEY (photo_id, model));
"""
_PUT_FACE = """
INSERT INTO core_face_vector (face, photo_id, model, vector)
SELECT face, photo, model, numbers::vector
  FROM (VALUES (%s::uuid, %s::uuid, %s::text, %s::real[])) AS given (face, photo, model, numbers)
 WHERE NOT EXISTS (SELECT FROM forgotten_one WHERE id = face)
ON CONFLICT (face) DO UPDATE SET model = excluded.model, vector = excluded.vector
"""
_PUT_PHOTO = """
INSERT INTO core_photo_vector (photo_id, model, vector) VALUES (%s, %s, %s::real[]::halfvec)
ON CONFLICT (photo_id, model) DO UPDATE SET vector = excluded.vector
"""

_seen: set[str] = set()


def make_tables() -> bool:
    """Make the tables where pgvector can be had and they are not there yet; whether they are there."""
    if has_vectors():
        return True
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
            cursor.execute(_TABLES)
    except DatabaseError as error:
        _log.warning("no pgvector: faces are not grouped, similar pictures not found", error=str(error).strip())
        return False
    return True


def has_vectors() -> bool:
    """Whether the tables are there. Once seen, they are not looked for again."""
    database = str(connection.settings_dict["NAME"])
    if database not in _seen:
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('core_face_vector'), to_regclass('core_photo_vector')")
            if all(cursor.fetchone()):
                _seen.add(database)
    return database in _seen


def put_face_vectors(photo: UUID, model: str, vectors: Mapping[UUID, Vector]) -> None:
    """Keep the numbers of a photo's faces; those kept before under the same ids are replaced.

    Of a face of somebody who was forgotten none are kept.
    """
    if not vectors or not has_vectors():
        return
    with connection.cursor() as cursor:
        rows = [(face, photo, model, _plain(numbers)) for face, numbers in vectors.items()]
        cursor.executemany(_PUT_FACE, rows)


def put_photo_vector(photo: UUID, model: str, vector: Vector) -> None:
    """Keep a picture's numbers; those of the same model are replaced."""
    if has_vectors():
        with connection.cursor() as cursor:
            cursor.execute(_PUT_PHOTO, [photo, model, _plain(vector)])


def forget_photo(photo: UUID) -> list[UUID]:
    """Keep nothing of a picture any more; the faces in it whose numbers went."""
    if not has_vectors():
        return []
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_photo_vector WHERE photo_id = %s", [photo])
        cursor.execute("DELETE FROM core_face_vector WHERE photo_id = %s RETURNING face", [photo])
        return [face for (face,) in cursor.fetchall()]


def forget_faces(faces: Iterable[UUID]) -> None:
    """Keep nothing of these faces any more."""
    if has_vectors():
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM core_face_vector WHERE face = ANY(%s)", [list(faces)])


def without_numbers(photos: Sequence[UUID]) -> tuple[set[UUID], set[UUID]]:
    """Of these photos those whose own numbers are not kept, and those of no face of which any are.

    None where there are no tables: nothing could be kept.
    """
    wanted = set(photos)
    if not wanted or not has_vectors():
        return set(), set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT photo_id FROM core_photo_vector WHERE photo_id = ANY(%s)", [list(wanted)])
        own = {photo for (photo,) in cursor.fetchall()}
        cursor.execute("SELECT DISTINCT photo_id FROM core_face_vector WHERE photo_id = ANY(%s)", [list(wanted)])
        return wanted - own, wanted - {photo for (photo,) in cursor.fetchall()}


def face_vectors(faces: Iterable[UUID]) -> dict[UUID, tuple[str, bytes]]:
    """Face → its model and its numbers, each four bytes, highest first (numpy's `>f4`)."""
    wanted = list(faces)
    if not wanted or not has_vectors():
        return {}
    with connection.cursor() as cursor:
        sql = "SELECT face, model, vector_send(vector) FROM core_face_vector WHERE face = ANY(%s)"
        cursor.execute(sql, [wanted])
        return {face: (model, _numbers_of(sent)) for face, model, sent in cursor.fetchall()}


def photo_vector(photo: UUID, model: str) -> bytes | None:
    """A picture's numbers, each two bytes, highest first (numpy's `>f2`); None where there are none."""
    if not has_vectors():
        return None
    with connection.cursor() as cursor:
        sql = "SELECT halfvec_send(vector) FROM core_photo_vector WHERE photo_id = %s AND model = %s"
        cursor.execute(sql, [photo, model])
        row = cursor.fetchone()
    return _numbers_of(row[0]) if row else None


def likeness_of(sent: bytes, vector: Vector) -> float:
    """The cosine of a kept face's numbers, as `face_vectors` gives them, and of others of unit length."""
    kept = struct.unpack(f">{len(sent) // 4}f", sent)
    return float(sum(a * b for a, b in zip(kept, vector, strict=True)))


def _numbers_of(sent: bytes | memoryview) -> bytes:
    """pgvector sends a header of four bytes before the numbers."""
    return bytes(sent)[4:]


def _plain(vector: Vector) -> list[float]:
    return [float(number) for number in vector]
