"""Photos that are like one: found by the bits of their numbers, compared by the numbers themselves."""

import enum
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from core import vectors
from core.accounts import Account
from core.codes import code_of_photo
from core.domain.analysis import Analysis
from core.means import mean_of
from core.nearby import nearby
from core.readmodels.analysis import PhotoAnalysis
from core.readmodels.libraries import libraries_of
from core.readmodels.photos import Photo, visible_photos, without_duplicates
from core.readmodels.stacks import without_tucked

# So many are compared by their numbers: the true twenty nearest are among them (docs/similar.md).
_CANDIDATES = 400
# As many are shown at most.
MOST = 200
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
    code = code_of_photo(photo, model)
    if code is None:
        return []
    most = _CANDIDATES
    while True:
        near, more = nearby(model, code, libraries, most)
        there = set(shown.filter(id__in=near).exclude(id=photo).values_list("id", flat=True))
        if len(there) >= limit or not more:
            break
        most *= 8  # many of these libraries are not shown: look farther
    return _compared(photo, model, [one for one in near if one in there][:_CANDIDATES], limit)


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
