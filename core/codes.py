"""What similar pictures are found by among a million: 512 bits of each picture's numbers, in a table of its own.

64 bytes a picture in place of 2,048: few enough that all of them are compared for each question, in the memory of
the program that asks (`core.nearby`). An index of approximate neighbours finds less, later (docs/similar.md). The
few hundred nearest are then compared by their numbers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, models

from core import vectors
from core.vectors import PHOTO_NUMBERS

# numpy comes with the first question: every program knows the table, few ask.
if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Counts up when directions or means change; codes of before are then made anew on demand.
CODE_VERSION = 1
_BATCH = 2000

# `since`: the transaction that wrote it, so that who has read all can read what is new, whatever ends first.
# Inline, a picture's numbers are one page away; beside the row, where they would go, four.
_TABLE = """
CREATE TABLE IF NOT EXISTS core_photo_code (
    photo_id uuid NOT NULL, model text NOT NULL, library_id uuid NOT NULL, made smallint NOT NULL,
    since xid8 NOT NULL DEFAULT pg_current_xact_id(), code bit(512) NOT NULL, PRIMARY KEY (photo_id, model));
CREATE INDEX IF NOT EXISTS core_photo_code_since ON core_photo_code (since);
ALTER TABLE core_photo_vector ALTER COLUMN vector SET STORAGE PLAIN;
"""
_PUT = """
INSERT INTO core_photo_code (photo_id, model, library_id, made, code) VALUES (%s, %s, %s, %s, %s::bit(512))
ON CONFLICT (photo_id, model)
DO UPDATE SET made = excluded.made, code = excluded.code, since = pg_current_xact_id()
"""
_OLDER = """
SELECT v.photo_id, v.model, p.library_id, halfvec_send(v.vector)
FROM core_photo_vector v JOIN photo p ON p.id = v.photo_id
WHERE (v.photo_id, v.model) > (%s, %s)
  AND NOT EXISTS (SELECT FROM core_photo_code c
                  WHERE c.photo_id = v.photo_id AND c.model = v.model AND c.made = %s)
ORDER BY v.photo_id, v.model LIMIT %s
"""
# A snapshot's xmin: whatever began before it has ended. How many pages the table has, and how many photos were
# forgotten: one more, and everything is read anew.
_FRONT = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text,
       pg_relation_size('core_photo_code') / current_setting('block_size')::int,
       (SELECT count(*) FROM forgotten_photo)
"""
# Joined on the server: a million rows one by one would take the reader four times as long.
_JOINED = """
COPY (SELECT coalesce(string_agg(uuid_send(photo_id) || uuid_send(library_id) || bit_send(code), ''), '')
      FROM core_photo_code WHERE model = %s AND {which}) TO STDOUT (FORMAT binary)
"""
# After a dump was restored some seem to come from later on than now.
_SINCE = _JOINED.format(
    which="since >= %s::xid8 AND (since < pg_snapshot_xmax(pg_current_snapshot())"
    " OR since = pg_current_xact_id_if_assigned())"
)
_PART = _JOINED.format(which="ctid >= %s::tid AND ctid < %s::tid")
# So many pages of the table are read at once: some 45,000 pictures.
_PAGES = 1000
# COPY's own format: a head, how many fields a row has, the length of the field; in the end a mark.
_HEAD, _TAIL = 19 + 2 + 4, 2


class BitsField(models.Field):  # type: ignore[type-arg]
    """A column of 512 bits, read and written by this module's own SQL."""

    def db_type(self, connection: object) -> str:  # noqa: ARG002  # Django's signature
        return "bit(512)"


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


@dataclass(frozen=True, slots=True)
class Rows:
    """Codes as they were read: photos and libraries of 16 bytes, codes of 64; `front` is where to go on from.

    `anew`: what was read before counts no longer.
    """

    photos: "NDArray[np.void]"
    libraries: "NDArray[np.void]"
    codes: "NDArray[np.uint8]"
    front: str
    anew: bool = False


def make_table() -> bool:
    """Make the table where pictures' numbers are kept; whether it is there."""
    if not vectors.has_vectors():
        return False
    with connection.cursor() as cursor:
        # Asked first: the statements would wait for whoever uses the tables.
        cursor.execute("SELECT to_regclass('core_photo_code')")
        if cursor.fetchone()[0] is None:
            cursor.execute(_TABLE)
    return True


def put_code(photo: UUID, model: str, library: UUID, vector: Sequence[float]) -> None:
    """Keep the bits of a picture's numbers, in the transaction that keeps these."""
    import numpy as np

    if vectors.has_vectors():
        _put([(photo, model, library, np.asarray(vector, np.float32))])


def forget_photo(photo: UUID) -> None:
    """Keep nothing of a picture any more. Who holds its bits in memory drops them, once the commit is seen."""
    if make_table():
        PhotoCode.objects.filter(photo_id=photo).delete()


def fill_codes() -> int:
    """Make the bits of all numbers that have none, or those of another version; how many."""
    if not vectors.has_vectors():
        return 0
    count, last = 0, (UUID(int=0), "")
    while rows := _older(last):
        _put(rows)
        count, last = count + len(rows), (rows[-1][0], rows[-1][1])
    return count


def codes_since(model: str, front: str) -> Iterator[Rows]:
    """The codes of a model that were written since, some perhaps read before; with "" all, in parts.

    Each part says where to go on from, once all were read. Once a photo was forgotten they are all, too.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FRONT)
        now, pages, forgotten = cursor.fetchone()
    now, (since, _, known) = f"{now}/{forgotten}", front.partition("/")
    if since and known == str(forgotten):
        yield _read(_SINCE, model, [since], now)
        return
    for page in range(0, max(pages, 1), _PAGES):
        yield replace(_read(_PART, model, [f"({page},0)", f"({page + _PAGES},0)"], now), anew=page == 0)


@cache
def _row() -> "np.dtype[Any]":
    """A row as it comes: bits have their number before them."""
    import numpy as np

    from core.bits import BITS

    return np.dtype([("photo", "V16"), ("library", "V16"), ("bits", ">i4"), ("code", "u1", BITS // 8)])


def _read(query: str, model: str, bounds: list[str], front: str) -> Rows:
    import numpy as np

    # Django's debugging cursor takes no values here.
    with connection.cursor() as cursor, cursor.cursor.copy(query, [model, *bounds]) as copy:
        sent = b"".join(copy)
    rows = np.frombuffer(sent, np.uint8)[_HEAD:-_TAIL].view(_row())
    photos, libraries, codes = (np.ascontiguousarray(rows[name]) for name in ("photo", "library", "code"))
    return Rows(photos, libraries, codes, front)


def newest_model() -> str | None:
    """The model whose numbers came last; None where there are none."""
    if not vectors.has_vectors():
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT model FROM core_photo_code ORDER BY since DESC LIMIT 1")
        row = cursor.fetchone()
    return str(row[0]) if row else None


def code_of(model: str, numbers: "NDArray[np.float32]") -> str:
    """The bits of one picture's numbers, as PostgreSQL writes them."""
    from core.bits import bits_of

    return "".join("01"[bit] for bit in bits_of(model, numbers.reshape(1, PHOTO_NUMBERS))[0].astype(int))


def _older(last: tuple[UUID, str]) -> "list[tuple[UUID, str, UUID, NDArray[np.float32]]]":
    import numpy as np

    with connection.cursor() as cursor:
        cursor.execute(_OLDER, [*last, CODE_VERSION, _BATCH])
        return [
            (photo, model, library, np.frombuffer(bytes(sent)[4:], ">f2").astype(np.float32))
            for photo, model, library, sent in cursor.fetchall()
        ]


def _put(rows: "Sequence[tuple[UUID, str, UUID, NDArray[np.float32]]]") -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            _PUT,
            [
                (photo, model, library, CODE_VERSION, code_of(model, numbers))
                for photo, model, library, numbers in rows
            ],
        )
