"""What similar pictures are found by among a million: 512 bits of each picture's numbers, in a table of its own.

The numbers without what all pictures have in common (`core.means`), seen from 512 fixed directions: a bit says on
which side of each they lie, and how many bits of two pictures differ grows with the angle between them. 64 bytes a
picture instead of 2,048 make an index that fits into the memory of a small machine; the few hundred that it finds
are then compared by their numbers. Measured in docs/similar.md.
"""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from django.db import connection, models
from numpy.typing import NDArray

from core import vectors
from core.bits import BITS, bits_of
from core.vectors import PHOTO_NUMBERS

# Counts up when directions or means change; codes of before are then made anew on demand.
CODE_VERSION = 1
_BATCH = 2000

_TABLE = """
CREATE TABLE IF NOT EXISTS core_photo_code (
    photo_id uuid NOT NULL, model text NOT NULL, library_id uuid NOT NULL, made smallint NOT NULL,
    code bit(512) NOT NULL, PRIMARY KEY (photo_id, model));
CREATE INDEX IF NOT EXISTS core_photo_code_library ON core_photo_code (library_id, model);
"""
INDEX = """
CREATE INDEX IF NOT EXISTS core_photo_code_near ON core_photo_code
USING hnsw (code bit_hamming_ops) WITH (m = 16, ef_construction = 64)
"""
# Enough for a million codes while the index is made from nothing; what it does not need it does not take.
BUILD_MEMORY = "1GB"
_PUT = """
INSERT INTO core_photo_code (photo_id, model, library_id, made, code) VALUES (%s, %s, %s, %s, %s::bit(512))
ON CONFLICT (photo_id, model) DO UPDATE SET made = excluded.made, code = excluded.code
"""
_OLDER = """
SELECT v.photo_id, v.model, p.library_id, halfvec_send(v.vector)
FROM core_photo_vector v JOIN photo p ON p.id = v.photo_id
WHERE (v.photo_id, v.model) > (%s, %s)
  AND NOT EXISTS (SELECT FROM core_photo_code c
                  WHERE c.photo_id = v.photo_id AND c.model = v.model AND c.made = %s)
ORDER BY v.photo_id, v.model LIMIT %s
"""


class BitsField(models.Field):  # type: ignore[type-arg]
    """A column of 512 bits, read and written by this module's own SQL."""

    def db_type(self, connection: object) -> str:  # noqa: ARG002  # Django's signature
        return f"bit({BITS})"


class PhotoCode(models.Model):
    """The bits of one picture's numbers, with its library, by which those that may be seen are found."""

    pk = models.CompositePrimaryKey("photo_id", "model")
    photo_id = models.UUIDField()
    model = models.TextField()
    library_id = models.UUIDField()
    made = models.SmallIntegerField()
    code = BitsField()

    class Meta:
        db_table = "core_photo_code"
        indexes = [models.Index("library_id", "model", name="core_photo_code_library")]


def make_table() -> bool:
    """Make table and index where pictures' numbers are kept; whether they are there."""
    if not vectors.has_vectors():
        return False
    with connection.cursor() as cursor:
        cursor.execute(_TABLE)
        cursor.execute("SELECT set_config('maintenance_work_mem', %s, true)", [BUILD_MEMORY])
        cursor.execute(INDEX)
    return True


def put_code(photo: UUID, model: str, library: UUID, vector: Sequence[float]) -> None:
    """Keep the bits of a picture's numbers, in the transaction that keeps these."""
    if vectors.has_vectors():
        _put([(photo, model, library, np.asarray(vector, np.float32))])


def fill_codes() -> int:
    """Make the bits of all numbers that have none, or those of another version; how many."""
    if not vectors.has_vectors():
        return 0
    count, last = 0, (UUID(int=0), "")
    while rows := _older(last):
        _put(rows)
        count, last = count + len(rows), (rows[-1][0], rows[-1][1])
    return count


def code_of(model: str, numbers: NDArray[np.float32]) -> str:
    """The bits of one picture's numbers, as PostgreSQL writes them."""
    return "".join("01"[bit] for bit in bits_of(model, numbers.reshape(1, PHOTO_NUMBERS))[0].astype(int))


def _older(last: tuple[UUID, str]) -> list[tuple[UUID, str, UUID, NDArray[np.float32]]]:
    with connection.cursor() as cursor:
        cursor.execute(_OLDER, [*last, CODE_VERSION, _BATCH])
        return [
            (photo, model, library, np.frombuffer(bytes(sent)[4:], ">f2").astype(np.float32))
            for photo, model, library, sent in cursor.fetchall()
        ]


def _put(rows: Sequence[tuple[UUID, str, UUID, NDArray[np.float32]]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            _PUT,
            [
                (photo, model, library, CODE_VERSION, code_of(model, numbers))
                for photo, model, library, numbers in rows
            ],
        )
