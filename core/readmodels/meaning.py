"""Photos in the order in which they show what words mean: every one that may be seen is compared."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from core.accounts import Account
from core.meaning import Text
from core.readmodels.analysis import PhotoAnalysis
from core.readmodels.filters import Asked
from core.readmodels.found import found_photos
from core.readmodels.photos import Photo

# As many are shown at most: behind them comes what has ever less to do with it.
MOST = 200
# Few photos are compared by themselves. Of many all are compared first, and the nearest then looked at.
_FEW, _CANDIDATES = 2000, 400
# Of the newest so many are asked whether they were looked at: to ask all takes longer than to compare them.
_SAMPLE = 400
# The distance alone goes through the sort, not the numbers.
_NEAREST = """
SELECT photo_id, vector <=> %(text)s::real[]::halfvec AS away FROM core_photo_meaning
WHERE model = %(model)s ORDER BY away, photo_id LIMIT %(most)s
"""
_NEAREST_OF = _NEAREST.replace("ORDER BY", "AND photo_id = ANY(%(photos)s) ORDER BY")
Near = list[tuple[UUID, float]]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Photos, the nearest first, and how near each is: the cosine of its numbers and the text's.

    `left_out`: there are photos that this model has not looked at.
    """

    photos: list[Photo]
    alike: dict[UUID, float]
    left_out: bool


def photos_to_rank(account: Account, asked: Asked) -> QuerySet[Photo]:
    """Those that the account may see, that have a picture, and for which all filters hold. Raises BadFilter."""
    return found_photos(account, asked).exclude(revision="")


def ranked(found: QuerySet[Photo], text: Text, limit: int, *, narrowed: bool) -> Ranked:
    """Of these photos the nearest to a text that has its numbers. `narrowed`: by filters, so they may be few."""
    few = list(found.values_list("id", flat=True)[: _FEW + 1]) if narrowed else []
    near = _near(found, text, limit, few if narrowed and len(few) <= _FEW else None)
    known = Photo.objects.in_bulk([photo for photo, _ in near])
    newest = list(found.order_by("-taken_local", "-id").values_list("id", flat=True)[:_SAMPLE])
    return Ranked(
        [known[photo] for photo, _ in near],
        {photo: 1 - away for photo, away in near},
        left_out=_looked_at(text.model).filter(photo_id__in=newest).count() < len(newest),
    )


def _near(found: QuerySet[Photo], text: Text, limit: int, few: list[UUID] | None) -> Near:
    most = _CANDIDATES
    while True:
        nearest = _nearest(text, most, few)
        # Numbers of former content say nothing of what the photo holds now.
        fresh = Exists(_looked_at(text.model).filter(photo_id=OuterRef("id")))
        shown = set(found.filter(fresh, id__in=[photo for photo, _ in nearest]).values_list("id", flat=True))
        near = [(photo, away) for photo, away in nearest if photo in shown]
        if len(near) >= limit or len(nearest) < most:
            return near[:limit]
        most *= 8  # many of them are not shown: look farther


def _nearest(text: Text, most: int, few: list[UUID] | None) -> Near:
    asked: dict[str, Any] = {"text": list(text.vector), "model": text.model, "most": most, "photos": few}
    with connection.cursor() as cursor:
        cursor.execute(_NEAREST if few is None else _NEAREST_OF, asked)
        return [(photo, float(away)) for photo, away in cursor.fetchall()]


def _looked_at(model: str) -> QuerySet[PhotoAnalysis]:
    return PhotoAnalysis.objects.filter(made__meaning=model)
