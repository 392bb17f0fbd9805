"""Terms that photos have, those of most photos first, without counting every term for every letter.

PostgreSQL knows how frequent the most common words of the index are (`pg_stats`, some thousand of them). Of these
its word is taken; what is rarer is counted, which is quick because it is rare. Its figures are for all libraries
together: they decide on an order, never on what is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from core.domain.searching import any_of, term

# Of each kind so many are counted; a rare term that has more photos than this is common enough.
_LOOKED_AT, _MOST = 12, 1000
_TERMS = """
WITH common AS MATERIALIZED (
    SELECT word, share * (SELECT reltuples FROM pg_class WHERE oid = 'photo_words'::regclass) AS photos
    FROM pg_stats, unnest(most_common_elems::text::text[], most_common_elem_freqs) AS _ (word, share)
    WHERE schemaname = current_schema() AND tablename = 'photo_words' AND attname = 'words' AND word IS NOT NULL
), fitting AS (
    SELECT kind, value, min(text) AS text, min(plain) AS plain, bool_or(plain LIKE %(begins)s) AS begins,
        max(photos)::bigint AS photos
    FROM search_term LEFT JOIN common
        ON word = kind || ':' || left(CASE kind WHEN 'place' THEN value ELSE plain END, 320)
    WHERE library_id = ANY(%(libraries)s) AND kind = ANY(%(kinds)s)
        AND (plain LIKE %(begins)s OR plain LIKE %(inside)s)
    GROUP BY kind, value
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY
        begins DESC, photos DESC NULLS LAST, plain COLLATE "C", value COLLATE "C") AS rank
    FROM fitting
)
SELECT kind, value, text, begins, photos FROM ranked WHERE rank <= %(most)s ORDER BY kind, rank
"""
_COUNT = "(SELECT count(*) FROM (SELECT 1 FROM photo_words WHERE words @@ %s::tsquery LIMIT %s) AS found)"


@dataclass(frozen=True, slots=True)
class Counted:
    """A term, and about how many photos have it."""

    kind: str
    value: str
    text: str
    begins: bool
    photos: int


def counted_terms(libraries: Sequence[UUID], kinds: Sequence[str], letters: str, limit: int) -> list[Counted]:
    """Terms with a word that begins with these letters; of each kind those that do themselves, most photos first.

    `letters` are plain ones (`core.domain.searching`). Terms that no photo has any longer are left out.
    """
    like = letters.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    given = {
        "libraries": list(libraries),
        "kinds": list(kinds),
        "most": max(limit, _LOOKED_AT),
        "begins": f"{like}%",
        "inside": f"% {like}%",
    }
    with connection.cursor() as cursor:
        cursor.execute(_TERMS, given)  # type: ignore[arg-type]  # psycopg takes lists for arrays
        rows = cursor.fetchall()
        counts = _counts(cursor, [(kind, value) for kind, value, _, _, photos in rows if photos is None])
    found = [
        Counted(kind, value, text, begins, counts.get((kind, value), 0) if photos is None else photos)
        for kind, value, text, begins, photos in rows
    ]
    found = sorted((one for one in found if one.photos), key=lambda one: (not one.begins, -one.photos))
    return [one for kind in kinds for one in [each for each in found if each.kind == kind][:limit]]


def _counts(cursor: CursorWrapper, terms: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    if not terms:
        return {}
    given = [part for kind, value in terms for part in (any_of([term(kind, value)]), _MOST)]
    cursor.execute("SELECT " + ", ".join([_COUNT] * len(terms)), given)
    return dict(zip(terms, cursor.fetchone() or (), strict=True))
