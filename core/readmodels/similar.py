"""Photos that are like one: found by the bits of their numbers, compared by the numbers themselves."""

import enum
import functools
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.db import connection
from django.db.models import QuerySet
from numpy.typing import NDArray

from core import vectors
from core.accounts import Account
from core.domain.analysis import Analysis
from core.means import mean_of
from core.nearby import nearby
from core.readmodels.analysis import PhotoAnalysis
from core.readmodels.libraries import libraries_of
from core.readmodels.photos import Photo, visible_photos, without_duplicates
from core.readmodels.stacks import without_tucked

# So many are compared by their numbers: the true twenty nearest are among them (docs/similar.md).
_CANDIDATES = 600
# As many are shown at most.
MOST = 200
# The cosine of what is left of two pictures' numbers once the mean is taken away. `own` is that of the one, of
# length 1; of the other the length is its distance to the mean. Each row costs two products, done quickly.
_COMPARE = """
SELECT v.photo_id,
       (-(v.vector <#> %s::halfvec) - %s) / greatest(v.vector <-> %s::halfvec, 1e-9) AS alike
FROM core_photo_vector v JOIN ({shown}) shown ON shown.id = v.photo_id
WHERE v.model = %s AND v.photo_id = ANY(%s::uuid[]) AND v.photo_id <> %s
ORDER BY alike DESC, v.photo_id LIMIT %s
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
    numbers = numbers_of(photo, model)
    if numbers is None:
        return []
    most = _CANDIDATES
    while True:
        near, more = nearby(model, numbers, libraries, most)
        found = _compared(photo, numbers, model, near, shown, limit)
        if len(found) >= limit or not more:
            return found
        most *= 8  # many of these libraries are not shown: look farther


def _compared(
    photo: UUID, numbers: NDArray[np.float32], model: str, near: list[str], shown: QuerySet[Photo], limit: int
) -> list[Neighbour]:
    """In one statement, and the ids as one value: six hundred values would take longer to write than to find."""
    mean = _mean(model)
    own = numbers - mean.values
    # As the database gets them: of two bytes each.
    own = (own / max(float(np.linalg.norm(own)), 1e-9)).astype(np.float16).astype(np.float32)
    allowed, values = shown.order_by().values("id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            _COMPARE.format(shown=allowed),
            [
                _text(own),
                float(own @ mean.values),
                mean.text,
                *values,
                model,
                f"{{{','.join(near)}}}",
                photo,
                limit,
            ],
        )
        return [Neighbour(one, min(1.0, float(alike))) for one, alike in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class _Mean:
    """What all pictures have in common, of two bytes a number as the database gets it; and as it is told it."""

    values: NDArray[np.float32]
    text: str


@functools.lru_cache(maxsize=4)
def _mean(model: str) -> _Mean:
    values = np.asarray(mean_of(model, vectors.PHOTO_NUMBERS), np.float16).astype(np.float32)
    return _Mean(values, _text(values))


def _text(numbers: NDArray[np.float32]) -> str:
    return f"[{','.join(f'{number:.5g}' for number in numbers.tolist())}]"


def numbers_of(photo: UUID, model: str) -> NDArray[np.float32] | None:
    """A picture's numbers; None where there are none."""
    sent = vectors.photo_vector(photo, model)
    return None if sent is None else np.frombuffer(sent, ">f2").astype(np.float32)


def model_of(photo: UUID) -> str | None:
    """The model, with its version, that made the numbers of what the photo holds now."""
    made = PhotoAnalysis.objects.filter(photo_id=photo).values_list("made", flat=True).first() or {}
    return made.get(str(Analysis.SIMILAR))
