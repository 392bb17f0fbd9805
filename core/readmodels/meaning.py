"""Photos in the order in which they show what words mean: every one that may be seen is compared."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, FloatField, OuterRef, QuerySet
from django.db.models.expressions import RawSQL

from core.accounts import Account
from core.meaning import PhotoMeaning, Text
from core.readmodels.analysis import PhotoAnalysis
from core.readmodels.filters import Asked
from core.readmodels.found import found_photos
from core.readmodels.photos import Photo

# As many are shown at most: behind them comes what has ever less to do with it.
MOST = 200
_AWAY = "core_photo_meaning.vector <=> %s::real[]::halfvec"


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


def ranked(found: QuerySet[Photo], text: Text, limit: int) -> Ranked:
    """Of these photos the nearest to a text that has its numbers."""
    # Numbers of former content say nothing of what the photo holds now.
    seen = PhotoAnalysis.objects.filter(made__meaning=text.model)
    rows = PhotoMeaning.objects.filter(
        Exists(seen.filter(photo_id=OuterRef("photo_id"))), model=text.model, photo_id__in=found.values("id")
    )
    away = RawSQL(_AWAY, [list(text.vector)], output_field=FloatField())
    near = list(rows.annotate(away=away).order_by("away", "photo_id").values_list("photo_id", "away")[:limit])
    known = Photo.objects.in_bulk([photo for photo, _ in near])
    return Ranked(
        [known[photo] for photo, _ in near],
        {photo: 1 - far for photo, far in near},
        left_out=found.exclude(Exists(seen.filter(photo_id=OuterRef("id")))).exists(),
    )
