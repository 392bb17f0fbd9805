"""Photos that are like one: found by the bits of their numbers, compared by the numbers themselves."""

import contextlib
import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.expressions import RawSQL

from core import vectors
from core.accounts import Account
from core.codes import PhotoCode
from core.domain.analysis import Analysis
from core.means import mean_of
from core.readmodels.analysis import PhotoAnalysis
from core.readmodels.libraries import libraries_of
from core.readmodels.photos import Photo, visible_photos, without_duplicates
from core.readmodels.stacks import without_tucked

# So many are compared by their numbers: of the true twenty nearest, 98 in 100 are among them (docs/similar.md).
_CANDIDATES = 400
# As many are shown at most.
MOST = 200
# An account with no more than these has all of them looked at: by the index one would have to look for them among
# the many that are other people's.
FEW = 30_000
_SETTINGS = {
    "hnsw.ef_search": str(_CANDIDATES),
    # Go on when what was found is not for this account, until there are enough or so many were looked at.
    "hnsw.iterative_scan": "relaxed_order",
    "hnsw.max_scan_tuples": "60000",
    # The planner must not read all photos instead of asking for each one that was found.
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "jit": "off",
}
_COMPARE = """
SELECT v.photo_id, 1 - ((v.vector - m.mean) <=> (own.vector - m.mean)) AS alike
FROM (SELECT %(mean)s::real[]::halfvec AS mean) m,
     (SELECT vector FROM core_photo_vector WHERE photo_id = %(photo)s AND model = %(model)s) own,
     core_photo_vector v
WHERE v.model = %(model)s AND v.photo_id = ANY(%(found)s)
ORDER BY alike DESC, v.photo_id LIMIT %(limit)s
"""


class Want(enum.Enum):
    """Why nothing can be compared."""

    PGVECTOR = enum.auto()  # this PostgreSQL does not have it
    NUMBERS = enum.auto()  # the photo's were not made (yet)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A photo, and how alike it is: the cosine of what makes the two differ from all others, 1 for the same."""

    photo: UUID
    alike: float


@dataclass(frozen=True, slots=True)
class Similar:
    """Photos like one, the most alike first; or why there are none."""

    photos: list[Photo]
    alike: dict[UUID, float]
    want: Want | None = None


def similar_photos(account: Account, photo: UUID, limit: int = 60) -> Similar:
    """The photos most like one, of those that the account may see; whether it may see that one is asked before."""
    if not vectors.has_vectors():
        return Similar([], {}, Want.PGVECTOR)
    model = model_of(photo)
    if model is None:
        return Similar([], {}, Want.NUMBERS)
    libraries = None if account.is_staff else list(libraries_of(account).values_list("id", flat=True))
    shown = without_duplicates(without_tucked(visible_photos(account).exclude(revision="")))
    found = nearest(photo, model, libraries, shown, limit)
    known = Photo.objects.in_bulk([one.photo for one in found])
    return Similar([known[one.photo] for one in found], {one.photo: one.alike for one in found})


def nearest(
    photo: UUID, model: str, libraries: list[UUID] | None, shown: QuerySet[Photo], limit: int
) -> list[Neighbour]:
    """The pictures most like one, by this model, in these libraries (None: in all), of those `shown`."""
    own = PhotoCode.objects.filter(photo_id=photo, model=model).annotate(text=RawSQL("code::text", []))
    code = own.values_list("text", flat=True).first()
    if code is None:
        return []
    rows = PhotoCode.objects.filter(model=model).exclude(photo_id=photo)
    if libraries is not None:
        rows = rows.filter(library_id__in=libraries)
    rows = rows.filter(Exists(shown.filter(id=OuterRef("photo_id"))))
    # With an addition the order is no longer the index's, and all are looked at.
    order = "code <~> %s::bit(512)" if _are_many(model, libraries) else "(code <~> %s::bit(512)) + 0"
    with _index_only():
        found = list(rows.order_by(RawSQL(order, [code])).values_list("photo_id", flat=True)[:_CANDIDATES])
    return _compared(photo, model, found, limit)


def _are_many(model: str, libraries: list[UUID] | None) -> bool:
    rows = PhotoCode.objects.filter(model=model)
    if libraries is not None:
        rows = rows.filter(library_id__in=libraries)
    return len(rows.values_list("made", flat=True)[FEW : FEW + 1]) > 0


def _compared(photo: UUID, model: str, found: list[UUID], limit: int) -> list[Neighbour]:
    asked: dict[str, Any] = {
        "mean": list(mean_of(model, vectors.PHOTO_NUMBERS)),
        "photo": photo,
        "model": model,
        "found": found,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COMPARE, asked)
        return [Neighbour(one, float(alike)) for one, alike in cursor.fetchall()]


def model_of(photo: UUID) -> str | None:
    """The model, with its version, that made the numbers of what the photo holds now."""
    made = PhotoAnalysis.objects.filter(photo_id=photo).values_list("made", flat=True).first() or {}
    return made.get(str(Analysis.SIMILAR))


@contextlib.contextmanager
def _index_only() -> Iterator[None]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT " + ", ".join("set_config(%s, %s, true)" for _ in _SETTINGS),
            [part for pair in _SETTINGS.items() for part in pair],
        )
        yield
